"""Pages of the report's family: one file each, in the report's look, that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbongrid.errors import require_extra
from carbongrid.outputs.report.wording import FILTERS

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent


def render_page(
    template: str, content: Mapping[str, Any], scripts: Sequence[str], style: str = ""
) -> str:
    """Return a page as HTML.

    Parameters
    ----------
    template
        Name of its file.
    content
        What the template shows; all text is escaped.
    scripts
        The package's own, in their order; a page without any works by its style alone.
    style
        Rules beside those of the report.

    Returns
    -------
    str
        A Content-Security-Policy lets the page use its own style and scripts, by their hashes, and nothing else; the hashes are of lines that end in a line feed.

    Raises
    ------
    InputError
        If Jinja is not installed.
    """
    require_extra("report", "jinja2", purpose="the report")
    from markupsafe import Markup

    rules = asset("assets/report.css") + style
    allowed = " ".join(map(_source, scripts)) or "'none'"
    # Pictures that stand in the page, or that a script made of it.
    own = "img-src data: blob:; " if scripts else ""
    policy = f"default-src 'none'; {own}style-src {_source(rules)}; script-src {allowed}; base-uri 'none'; form-action 'none'"
    return (
        _environment()
        .get_template(template)
        .render(
            policy=policy,
            style=Markup(rules),  # noqa: S704  (the package's own files)
            scripts=[Markup(script) for script in scripts],  # noqa: S704
            version=importlib.metadata.version("carbongrid"),
            **content,
        )
    )


def asset(name: str) -> str:
    """Return a file of the page's own, such as ``assets/report.css``."""
    return (_FOLDER / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(FILTERS)
    return environment


def _source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
