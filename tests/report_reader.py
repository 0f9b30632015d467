"""What is read off a report in a browser."""

from __future__ import annotations


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
    from axe_playwright_python.sync_playwright import (
        Axe,
    )  # no skip: without axe this promise is not tested

    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
