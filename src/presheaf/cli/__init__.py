"""The command line: `presheaf audit`, `compare`, `rows`, `models`."""

try:
    from presheaf.cli.main import main
except KeyboardInterrupt:  # before anybody listens for it
    raise SystemExit(130) from None

__all__ = ["main"]
