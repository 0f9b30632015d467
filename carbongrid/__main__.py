"""``python -m carbongrid``: the command line."""

from carbongrid.cli import command

command()
