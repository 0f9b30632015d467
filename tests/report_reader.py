"""What is read off a report in a browser, and how it is looked at."""

from __future__ import annotations

import pytest

DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SIZES = {"desk": DESK, "phone": PHONE}
VIEWS = ("desk-en-light", "desk-zh-dark", "phone-en-dark", "phone-zh-light")
"""Any two of size, language and ground meet in one of them."""
SEEN_DAILY = ("desk-en-light", "phone-zh-light")
"""What the default suite opens of pages of several runs; the others are for the thorough one."""


def _seen(word: str = "") -> pytest.MarkDecorator:
    """Return one view for the default suite, on a phone where it may be: the report's other tests are of a desk; the others are for the thorough one."""
    looks = sorted((look for look in VIEWS if word in look), key=lambda look: look != SEEN_DAILY[1])
    rest = [pytest.param(look, marks=pytest.mark.thorough) for look in looks[1:]]
    return pytest.mark.parametrize("look", [looks[0], *rest])


in_every_view = _seen()
on_a_desk, on_a_phone = _seen("desk"), _seen("phone")
in_the_dark, in_chinese = _seen("dark"), _seen("zh")
in_both_languages = pytest.mark.parametrize("look", ["desk-en-light", "phone-zh-light"])


def in_words(look: str, english: str, chinese: str) -> str:
    """Return the text in the language of a view."""
    return chinese if "-zh-" in look else english


def view(name: str) -> dict[str, object]:
    """Options of a browser's window for one of the views."""
    size, language, scheme = name.split("-")
    locale = {"en": "en-GB", "zh": "zh-CN"}[language]
    return {**SIZES[size], "locale": locale, "color_scheme": scheme}


def shown(page) -> list[str]:
    """Codes of the rows that are shown, from the top."""
    return page.eval_on_selector_all(
        "#table tbody tr:not([hidden])", "rows => rows.map(row => row.cells[page.columns.get('id')].textContent)"
    )  # fmt: skip


def column(page, key: str) -> list[str]:
    return page.evaluate(
        "key => [...page.table.tBodies[0].rows].map(row => row.cells[page.columns.get(key)].dataset.v)", key
    )  # fmt: skip


def spot(page, unit: int) -> tuple[float, float]:
    """Where on the screen a point inside a unit lies; a crooked unit's middle may be in another."""
    page.locator("#land").scroll_into_view_if_needed()
    place = page.evaluate(
        "unit => { const m = document.getElementById('land').getScreenCTM(); const [x, y] = page.data.places[unit]; return [m.a * x + m.e, m.d * y + m.f]; }", unit
    )  # fmt: skip
    return tuple(place)


def serious(page) -> list[str]:
    """Return what axe finds that keeps people out, and what lies where nobody who goes by landmarks comes."""
    from axe_playwright_python.sync_playwright import (
        Axe,
    )  # no skip: without axe this promise is not tested

    # Nobody reads the selectors, and finding them is a quarter of the time.
    options = {"resultTypes": ["violations"], "selectors": False}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        or rule["id"].startswith(("region", "landmark"))
        for node in rule["nodes"]
    ]
