"""The command line: a thin shell over the Python API."""

from carbongrid.cli.commands import main

__all__ = ["main"]
