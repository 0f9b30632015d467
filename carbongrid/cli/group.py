"""The command ``carbongrid``: each module of commands adds its own to it."""

from __future__ import annotations

import click

from carbongrid import __version__


class ToldInFull(click.Group):
    """A group whose list says of each command its whole first sentence."""

    group_class = type

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands: at one line each, seven of them ended before they said what they do."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, told.get_short_help_str(limit=1000)) for name, told in commands if told]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=ToldInFull, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="carbongrid")
def main() -> None:
    """Spread a city's carbon inventory over its land and zone its townships.

    Start with `carbongrid demo DIR`: it writes a synthetic city, runs it, and is a template for
    your own. `carbongrid init DIR` writes an empty case instead.

    Messages and reports name pages (docs/howto/facilities.md) and decisions (D9):
    `carbongrid docs NAME` prints them.

    Exit codes: 0 done, 1 the run failed, 2 the input is wrong, 143 terminated (SIGTERM).
    """
