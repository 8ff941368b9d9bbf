"""Errors a user can act on: each says what was expected, what came, and how to mend it."""

from __future__ import annotations


class PresheafError(Exception):
    """Base of every error this library raises on purpose. The command line prints it and exits with code 2."""


class InputError(PresheafError, ValueError):
    """The table, the options or the model specification can't be used as given."""


class MissingDependencyError(PresheafError, ImportError):
    """An optional package is needed; the message holds the command that installs it."""


class ModelError(PresheafError, RuntimeError):
    """A model source failed while it was loaded or asked (a corrupt file, a server that stays down)."""


def one_of(name: str, value: object, allowed: list[str] | tuple[str, ...]) -> str:
    """Return ``value`` if it is one of ``allowed``; otherwise raise the same sentence everywhere.

    Raises
    ------
    InputError
        "'name' must be one of a, b; got 'c'."
    """
    if value not in allowed:
        raise InputError(f"{name!r} must be one of {', '.join(allowed)}; got {value!r}.")
    return str(value)
