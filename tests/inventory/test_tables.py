"""The audit's remarks."""

from __future__ import annotations

from inventory_example import example

from carbongrid import inventory


def test_what_is_odd_about_a_line_is_remarked_and_nothing_else() -> None:
    """Seen to fail when every line was said to be emitted where an input is made."""
    audit = inventory.audit(example())
    remarks = audit[audit["mass_t"] != ""].set_index("id")["remark"]
    odd = {
        line.row.id
        for line in example().lines
        if line.row.category != line.category
        or any(
            entry.factor.status == "recalled"
            or entry.factor.upstream
            or entry.factor.key in example().factors.overridden
            or "do not" in entry.factor.note
            for entry in line.inputs[1:]
        )
    }
    assert set(remarks[remarks != ""].index) == odd
    assert (remarks == "").sum() > 10
    made = audit["remark"].str.contains("the making of an input")
    assert not made.any()
