"""``audit-choices``: which zones hold under every defensible reading of the method, and which choices decide the rest."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.analysis.choices.open_choices import Choice, choices_of
from carbongrid.analysis.choices.readings import Readings
from carbongrid.analysis.files import write_csvs
from carbongrid.case import Case
from carbongrid.errors import InputError, NotKeptError, VerificationError
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.method.answers import Answer
from carbongrid.method.zoning import zones
from carbongrid.outputs.reading import opened
from carbongrid.pipeline.prepared import PreparedRun

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.outputs.result import Result

FULL = 512
"""Readings up to which all are made."""

BASES = 64
"""Readings of the sample around which each choice is changed alone, where not all are made."""

CODES = (1, 2, 3, 4, 0)

CANNOT_TELL = (
    "What it cannot tell: the readings are those that the method leaves open, each taken as good as any other; their shares are no probabilities, and a reading that "
    "nobody listed is not in them. A zone of the stable core holds under all of them with the numbers as they are, which may be wrong (carbongrid probability), and a "
    "unit outside it is no error: it says that the zone is decided by a convention, which a report has to name."
)

Progress = Callable[[str, int, int], None]
Point = tuple[str, ...]


@dataclass(frozen=True, repr=False)
class ChoiceAudit(Answer):
    """What other readings of the method would have made of a run.

    Parameters
    ----------
    units
        unit, name, zone, zone_name, share_1 to share_4 and share_0 (of the readings, in each zone), stable (one zone under all readings that were
        made; a unit without a zone has none to hold).
    choices
        choice, decision, question, own, value, alone (units that flip when it alone changes), mean (over the others), compared (pairs of readings), why.
    not_tried
        choice, decision, value, reason.
    readings
        A row for each reading that was made: how (own, alone, pair, sample, all), the value of each choice, units in another zone than the run's, and units
        in each zone; NaN where a run would refuse it.
    design
        In words.
    """

    units: pd.DataFrame
    choices: pd.DataFrame
    not_tried: pd.DataFrame
    readings: pd.DataFrame
    design: str

    @property
    def stable(self) -> int:
        """Units of the stable core."""
        return int(self.units["stable"].sum())

    @property
    def zoned(self) -> int:
        """Units that have a zone in the run, of which the stable core is."""
        return int((self.units["zone"] != 0).sum())

    @property
    def decided(self) -> NDArray[np.bool_]:
        """Of which units a choice decides: all but the stable core and those that have no zone under any reading."""
        never = (self.units["zone"] == 0) & (self.units["share_0"] == 1)
        found: NDArray[np.bool_] = ~(self.units["stable"] | never).to_numpy(bool)
        return found


@in_own_decimals
def audit_choices(
    run: str | Path | Result,
    *,
    case: str | Path | Case | None = None,
    without: Collection[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> ChoiceAudit:
    """Return which zones hold under other readings of the method, and which choices decide the rest.

    Parameters
    ----------
    run
        A finished run: its directory, or what :func:`carbongrid.open` returned.
    case
        Its case, of a run from activity data: with it other electricity, warming potentials and sets of sinks are tried.
    without
        Choices that are left as they are.
    seed
        Of the sample, where not all readings are made.
    progress
        Called with ``reading``, the number of readings made, and their number.

    Returns
    -------
    ChoiceAudit
        Its ``units`` and ``choices`` are the tables; ``not_tried`` says what this run could not answer, and why.

    Raises
    ------
    InputError
        If the directory is no finished run with parcels, a choice is unknown, or the case is not the run's.
    VerificationError
        If a file of the run is missing, or the run's own reading is not found again to the gram.

    Notes
    -----
    Geometry is not measured again: totals, claims and shares are those that the run keeps, and the steps of a run are done for the categories that
    a choice moves (docs/decisions/0066). Up to 512 readings all are made; else each alone, each pair and a Latin hypercube of the rest, over which shares
    are then taken.
    """
    prepared = PreparedRun(opened(run))
    told = case if isinstance(case, Case) or case is None else Case.read(case)
    readings = Readings(prepared, told)
    choices = choices_of(prepared, readings.case)
    unknown = sorted({*without} - {each.name for each in choices})
    if unknown:
        names = ", ".join(each.name for each in choices)
        raise InputError(f"{unknown[0]!r} is no choice", "without", f"Choices are {names}.")
    found = _Made(readings, choices, {*without}, prepared.result.units["zone"].to_numpy(np.int8))
    found.require_own()
    found.drop_refused()
    points, design = found.designed(seed)
    for number, point in enumerate(points, start=1):
        found.zones(point)
        if progress is not None:
            progress("reading", number, len(points))
    return found.audit(points, design)


class _Made:
    """Readings by their values in the order of the choices, each made once."""

    def __init__(
        self,
        readings: Readings,
        choices: Sequence[Choice],
        without: Collection[str],
        published: NDArray[np.int8],
    ) -> None:
        self.readings, self.published = readings, published
        self.choices = [_left_alone(each) if each.name in without else each for each in choices]
        self._zones: dict[Point, NDArray[np.int8] | InputError] = {}

    @property
    def own(self) -> Point:
        return tuple(choice.own for choice in self.choices)

    def zones(self, point: Point) -> NDArray[np.int8] | None:
        """Return the zones of the units, None where a run would refuse the reading."""
        if point not in self._zones:
            reading = {each.name: value for each, value in zip(self.choices, point, strict=True)}
            try:
                self._zones[point] = self.readings.zones(reading)
            except InputError as error:
                self._zones[point] = error
        found = self._zones[point]
        return None if isinstance(found, InputError) else found

    def require_own(self) -> None:
        """Raise unless the run's own reading, computed like all others, is the run."""
        zone = self.zones(self.own)
        reading = {each.name: each.own for each in self.choices}
        if zone is not None:
            frame = self.readings.run.units
            categories = self.readings.run.tables.categories
            told = [
                frame[[name for name, each in categories.items() if each.sink == sink]].to_numpy(np.int64).sum(axis=1)
                for sink in (False, True)
            ]  # fmt: skip
            same = all(map(np.array_equal, told, self.readings.masses(reading)))
            if same and np.array_equal(zone, self.published):
                return
        refused = self._zones[self.own]
        why = f": {refused.problems[0]}" if isinstance(refused, InputError) else ""
        raise VerificationError(
            f"the run's own reading is not found again from what it keeps{why.rstrip('.')}. Run the case again, and ask the new run."
        )

    def drop_refused(self) -> None:
        """Take out the values that a run would refuse even alone, and say why."""
        for place, choice in enumerate(self.choices):
            for value in choice.tried[1:]:
                point = _with(self.own, place, value)
                if self.zones(point) is None:
                    error = self._zones[point]
                    assert isinstance(error, InputError), "there are no zones"
                    what = error.problems[0].what
                    reason = (
                        what
                        if isinstance(error, NotKeptError)
                        else f"a run would refuse it: {what}"
                    )
                    self.choices[place] = self.choices[place].without(value, reason)

    def designed(self, seed: int) -> tuple[dict[Point, str], str]:
        """Return the readings to be made with how each came in, and that in words."""
        levels = [choice.tried for choice in self.choices]
        count = int(np.prod([len(each) for each in levels]))
        if count <= FULL:
            points = dict.fromkeys(itertools.product(*levels), "all")
            return {**points, self.own: "own"}, f"all {count} readings"
        points = {self.own: "own"}
        for place, values in enumerate(levels):
            points |= {_with(self.own, place, value): "alone" for value in values[1:]}
        for (one, first), (other, second) in itertools.combinations(enumerate(levels), 2):
            for pair in itertools.product(first[1:], second[1:]):
                points[_with(_with(self.own, one, pair[0]), other, pair[1])] = "pair"
        few = len(points)
        size = 2 ** int(np.log2(max(FULL - few, BASES)))
        sample = [point for point in _spread(levels, size, seed) if point not in points]
        points |= dict.fromkeys(sample, "sample")
        return points, f"{len(points)} of {count:,} readings: the run's own, each choice alone, each pair, and a sample of {len(points) - few}"  # fmt: skip

    def audit(self, points: dict[Point, str], design: str) -> ChoiceAudit:
        made = {point: zone for point in points if (zone := self.zones(point)) is not None}
        refused = len(points) - len(made)
        if refused:
            design += f"; {refused} of them a run would refuse"
        every = np.stack(list(made.values()))
        sampled = [
            point for point, how in points.items() if how in ("all", "sample") and point in made
        ]
        shared = (
            np.stack([made[point] for point in sampled]) if "sample" in points.values() else every
        )
        units = self.readings.run.units
        names = {zone.code: zone.name_en for zone in zones()}
        table = pd.DataFrame(
            {
                "unit": units["id"].to_numpy(object),
                "name": units["name"].to_numpy(object),
                "zone": self.published.astype(np.int64),
                "zone_name": [names[code] for code in self.published.tolist()],
                **{f"share_{code}": (shared == code).mean(axis=0) for code in CODES},
                "stable": (every == every[0]).all(axis=0) & (self.published != 0),
            }
        )
        bases = list(made) if "sample" not in points.values() else sampled[:BASES]
        return ChoiceAudit(table, self._choices(bases), self._not_tried(), self._readings(points), design)  # fmt: skip

    def _choices(self, bases: Sequence[Point]) -> pd.DataFrame:
        rows = []
        for place, choice in enumerate(self.choices):
            others = list(dict.fromkeys(_with(point, place, choice.own) for point in bases))
            for value in choice.values:
                if value.name == choice.own or value.not_tried:
                    continue
                counts = list(self._flips(others, place, value.name))
                [alone] = self._flips([self.own], place, value.name)
                rows.append(
                    {
                        "choice": choice.name,
                        "decision": choice.decision,
                        "question": choice.question,
                        "own": choice.own,
                        "value": value.name,
                        "alone": alone,
                        "mean": float(np.mean(counts)),
                        "compared": len(counts),
                        "why": value.why,
                    }
                )
        columns = ["choice", "decision", "question", "own", "value", "alone", "mean", "compared", "why"]  # fmt: skip
        return pd.DataFrame(rows, columns=columns)

    def _flips(self, others: Sequence[Point], place: int, value: str) -> Iterator[int]:
        for point in others:
            before, after = self.zones(point), self.zones(_with(point, place, value))
            if before is not None and after is not None:
                yield int((before != after).sum())

    def _not_tried(self) -> pd.DataFrame:
        rows = [
            (each.name, each.decision, value.name, value.not_tried)
            for each in self.choices
            for value in each.values
            if value.not_tried
        ]
        return pd.DataFrame(rows, columns=["choice", "decision", "value", "reason"])

    def _readings(self, points: dict[Point, str]) -> pd.DataFrame:
        names = [choice.name for choice in self.choices]
        rows: list[dict[str, Any]] = []
        for point, how in points.items():
            zone = self.zones(point)
            row: dict[str, Any] = {"how": how, **dict(zip(names, point, strict=True))}
            row["other_zone"] = np.nan if zone is None else float((zone != self.published).sum())
            for code in CODES:
                row[f"zone_{code}"] = np.nan if zone is None else float((zone == code).sum())
            rows.append(row)
        return pd.DataFrame(rows)


def _left_alone(choice: Choice) -> Choice:
    for name in choice.tried[1:]:
        choice = choice.without(name, "left out by --without")
    return choice


def _with(point: Point, place: int, value: str) -> Point:
    return (*point[:place], value, *point[place + 1 :])


def _spread(levels: Sequence[Sequence[str]], size: int, seed: int) -> Iterator[Point]:
    """Yield readings that fill the space of all: of each choice every value equally often, shuffled by itself (a Latin hypercube)."""
    rng = np.random.default_rng(seed)
    columns = [rng.permutation(np.resize(np.array(each, dtype=object), size)) for each in levels]
    yield from zip(*(column.tolist() for column in columns), strict=True)


def write_choices(found: ChoiceAudit, folder: Path) -> list[Path]:
    """Write choices_units.csv, choices.csv, choices_not_tried.csv and choices_readings.csv.

    Parameters
    ----------
    found
        What :func:`audit_choices` returned.
    folder
        An existing folder; files of the same names are replaced.

    Returns
    -------
    list of Path
        The files.
    """
    tables = {
        "choices_units.csv": found.units,
        "choices.csv": found.choices,
        "choices_not_tried.csv": found.not_tried,
        "choices_readings.csv": found.readings,
    }
    return write_csvs(tables, folder)
