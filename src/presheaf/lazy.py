"""Packages whose public names load their modules when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from presheaf.errors import MissingDependencyError

__all__ = ["lazy"]


class _Package(ModuleType):
    """A package that looks a public name up in its module, once."""

    _home: Mapping[str, str]
    _modules: Sequence[str]
    _extra: str | None

    def __getattr__(self, name: str) -> Any:
        if name in self._modules:
            return import_module(f"{self.__name__}.{name}")
        if name not in self._home:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        try:
            value = getattr(import_module(self._home[name]), name)
        except ModuleNotFoundError as error:
            if self._extra is None or error.name is None or error.name.partition(".")[0] == __name__.partition(".")[0]:
                raise
            raise MissingDependencyError(
                f"{self.__name__}.{name} needs the package {error.name!r}, which isn't installed. To install it: "
                f'pip install "presheaf[{self._extra}]"'
            ) from error
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system binds every module to its package. Where a public name is spelt like the module that it comes
        # from (density in density.py), the public name stays.
        if not (isinstance(value, ModuleType) and name in self._home):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted(self.__dict__["__all__"])


def lazy(package: str, home: Mapping[str, str], modules: Sequence[str] = (), extra: str | None = None) -> None:
    """Make a package's public names load on demand.

    Parameters
    ----------
    package : the package's ``__name__``
    home : for each public name the module that defines it
    modules : modules of the package that are public themselves
    extra : the extra of this project that brings what the modules import from outside; where such a package is absent, asking
        for the name raises MissingDependencyError with the command that installs it

    Notes
    -----
    A public name wins over a module of the same name: ``package.density`` is the function, whichever was imported first,
    and the module is reached by ``from package.density import ...``.
    """
    module = sys.modules[package]
    module.__dict__.update(_home=home, _modules=modules, _extra=extra)
    module.__class__ = _Package
