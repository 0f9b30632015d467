"""What docs/howto/how-sure.md and the README say of the demo, from audits of its run: ``python docs/how_sure.py RUN``.

``nox -s docs`` calls it with a run of its own. The paragraphs stand between comments, ``<!-- NAME: docs/how_sure.py -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pandas as pd

import carbongrid as cg

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "howto" / "how-sure.md"
README = ROOT / "README.md"
IN_README = re.compile(r"\(\d+ of the demo's \d+\)")


def main(directory: Path) -> None:
    """Write the paragraphs again from a run of the full demo."""
    for page, text in pages(directory).items():
        page.write_text(text, encoding="utf-8")


def pages(directory: Path) -> dict[Path, str]:
    """Return the pages as a run of the full demo has them written."""
    run = cg.open(directory)
    audit, scale, skill = cg.audit_choices(run), cg.audit_scale(run), cg.skill(run)
    told = {
        "choices": choices(audit),
        "answer": answer(run.units["firm"].to_numpy(bool), audit.units["stable"].to_numpy(bool)),
        "scale": ruler(scale),
        "skill": held_out(skill.measures.set_index("of")),
    }
    said, count = IN_README.subn(
        f"({audit.stable} of the demo's {len(audit.units)})", README.read_text("utf-8")
    )
    if count != 1:
        raise SystemExit(f"README.md says {count} times how many zones hold, expected once")
    return {PAGE: filled(PAGE.read_text("utf-8"), told), README: said}


def filled(text: str, told: dict[str, str]) -> str:
    """Return a page with its paragraphs written again; raises where one of them has no place."""
    for name, words in told.items():
        start = f"<!-- {name}: docs/how_sure.py -->\n"
        before, found, rest = text.partition(start)
        if not found:
            raise SystemExit(f"{PAGE} has no place for {name!r}")
        text = f"{before}{start}{words}\n{rest[rest.index('<!-- end -->') :]}"
    return text


def choices(audit: Any) -> str:
    """Return how many units have one zone, and what each choice moves."""
    rows = audit.choices.sort_values("mean", ascending=False, kind="stable")
    lines = [
        f"Of the demo's {len(audit.units)} units {audit.stable} are in one zone under all readings ({audit.design}). Of the others decide:",
        "",
        "| choice | in the run | read as | units that flip, it alone | mean over the other choices |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {row['choice']} | {row['own']} | {row['value']} | {row['alone']} | {row['mean']:.1f} |"
            for row in rows.to_dict("records")
        ),
    ]
    return "\n".join(lines)


def answer(firm: Any, stable: Any) -> str:
    """Return how many units are firm, stable, both and neither."""
    both, alone, unsure, neither = (int(each.sum()) for each in (firm & stable, firm & ~stable, ~firm & stable, ~firm & ~stable))  # fmt: skip
    return (
        f"Of the demo's {len(firm)} townships {both} are both, {alone} are firm under the run's reading alone, {unsure} hold under every reading and are unsure for their numbers, "
        f"{neither} are neither."
    )


def ruler(scale: Any) -> str:
    """Return what fine cells, coarse grids and parents make of the demo."""
    cells, grids = scale.cells, scale.grids[scale.grids["quantity"] == "emission"]
    most = max(cells["emission_percent"].max(), cells["sink_percent"].max())
    dense = {side: rows["max_t_km2"] / 1e6 for side, rows in grids.groupby("side_m")}
    null = scale.null[scale.null["measure"] == "same"].iloc[0]
    groups = int(scale.groups[scale.groups["merged"] == null["merged"]]["groups"].iloc[0])
    moved = int(cells["zones"].max())
    zones = "no zone" if not moved else f"at most {moved} zones"
    return (
        f"Of the demo cells of 5, 25 or 50 m and exact areas move {zones}; no unit changes by more than {most:.2f} %. The densest cell holds {_ends(dense[500.0])} Mt per km2 on a grid of 500 m, and "
        f"{_ends(dense[1000.0])} on one of 1 km, by where the grid begins: a maximum is never told without its grid. Of the {groups} districts {round(null['parents'] * groups)} have the zone with the largest part of their townships' emission, "
        f"where {100 * null['reached_by']:.0f} % of the random groupings have at least as many: a district's zone says little of its townships."
    )


def _ends(values: pd.Series) -> str:
    return f"{values.min():.1f} to {values.max():.1f}"


def held_out(measures: pd.DataFrame) -> str:
    """Return how well POIs would have placed the demo's works, and land its GDP."""
    works, gdp = measures.loc["industry/manufacturing"], measures.loc["gdp"]
    verdict = "no skill" if works["skill"] <= 0.02 else f"a skill of {works['skill']:.2f}"
    return (
        f"The demo has {works['count']} steel works and {measures.loc['industry/supply', 'count']} power plants. POIs would have put {works['misplaced']:.3f} of the works' mass into other townships, area {works['by_area']:.3f}, "
        f"people {works['by_people']:.3f}: {verdict}. Its GDP, held out by township, is misplaced to {gdp['by_people']:.3f} by people and to {gdp['misplaced']:.3f} by land."
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
