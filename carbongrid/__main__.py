"""``python -m carbongrid``: the command line."""

from carbongrid.cli import main

main()
