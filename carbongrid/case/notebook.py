"""Small cards of HTML by which results, cases and ledgers show themselves in a notebook, where Jinja is installed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from carbongrid.errors import missing_libraries

if TYPE_CHECKING:
    from jinja2 import Template

_CARD = """\
<div style="font-family:system-ui,sans-serif;max-width:60em">
<p style="margin:.2em 0"><b>{{ title }}</b>{% if note %} <span style="opacity:.7">{{ note }}</span>{% endif %}</p>
{% if facts %}<table style="border-collapse:collapse;margin:.3em 0"><tbody>
{% for name, text in facts %}<tr><th style="text-align:left;font-weight:600;padding:.1em 1em .1em 0;vertical-align:top">{{ name }}</th><td style="text-align:left;padding:.1em 0">{{ text }}</td></tr>
{% endfor %}</tbody></table>{% endif %}
{% if rows %}<table style="border-collapse:collapse;margin:.3em 0">
<thead><tr>{% for name in columns %}<th style="text-align:{{ 'left' if loop.first else 'right' }};padding:.15em .7em .15em 0;border-bottom:1px solid">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in rows %}<tr>{% for cell in row %}<td style="text-align:{{ 'left' if loop.first else 'right' }};padding:.1em .7em .1em 0">{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table>{% endif %}
</div>
"""


def card(
    title: str,
    note: str = "",
    *,
    facts: Sequence[tuple[str, str]] = (),
    columns: Sequence[str] = (),
    rows: Sequence[Sequence[str]] = (),
) -> str | None:
    """Return a titled card with named facts and a table, every text escaped; None without Jinja, so that the plain text is shown.

    Parameters
    ----------
    title, note
        The heading and what stands beside it.
    facts
        Name and text of each.
    columns, rows
        The table's heading and its cells; no table without rows.
    """
    if missing_libraries("jinja2"):
        return None
    return _template().render(title=title, note=note, facts=facts, columns=columns, rows=rows)


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    return Environment(autoescape=True, undefined=StrictUndefined).from_string(_CARD)
