"""The command line: `presheaf audit`, `compare`, `rows`, `models`."""

from presheaf.cli.main import main

__all__ = ["main"]
