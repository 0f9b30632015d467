"""The command ``carbongrid``: each module of commands adds its own to it."""

from __future__ import annotations

import click

from carbongrid import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="carbongrid")
def main() -> None:
    """Spread a city's carbon inventory over its land and zone its townships.

    Start with `carbongrid demo DIR`: it writes a synthetic city, runs it, and is a template for
    your own. `carbongrid init DIR` writes an empty case instead.

    Exit codes: 0 done, 1 the run failed, 2 the input is wrong, 143 terminated (SIGTERM).
    """
