"""Plant every fault, print who noticed, end with an error if too many were not."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mutants.copies import ROOT, Copies, Copy, Mutant, copies
from mutants.generated import PER_ROOM, SEED, Generated, Module, drawn
from mutants.handpicked import MUTANTS
from mutants.rooms import ROOMS, modules
from mutants.survivors import Survivor, explained

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- begin: nox -s mutants -->", "<!-- end: nox -s mutants -->"

LEAST = 0.9
"""Of the generated faults of a room that are not explained, the share that must be noticed."""


@dataclass(frozen=True)
class Row:
    """What was counted in a room."""

    room: str
    places: int
    planted: int
    killed: int
    explained: int

    @property
    def share(self) -> float:
        """Share of what could be noticed that was."""
        return self.killed / max(1, self.planted - self.explained)


def main() -> None:
    """Plant the faults that were chosen by hand, those that are generated, or both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="faults whose name holds these words")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--generated", action="store_true", help="generated faults only")
    which.add_argument("--handpicked", action="store_true", help="faults chosen by hand only")
    parser.add_argument("--room", choices=ROOMS, action="append", help="faults generated there")
    parser.add_argument("--per-room", type=int, default=PER_ROOM, metavar="N")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--list", action="store_true", help="name what is drawn, plant nothing")
    parser.add_argument(
        "--kept",
        type=Path,
        metavar="FILE",
        help="keeps verdicts: what was killed is not planted again",
    )
    parser.add_argument(
        "--write", action="store_true", help="put the table into docs/reliability.md"
    )
    options = parser.parse_args()
    rooms = options.room or ROOMS
    faults = {
        room: [
            one for one in drawn(room, options.per_room, options.seed) if options.only in one.name
        ]
        for room in ([] if options.handpicked else rooms)
    }
    if options.list:
        print(*(one.name for some in faults.values() for one in some), sep="\n")
        return
    by_hand = [] if options.generated or options.room else MUTANTS
    _still_there(explained())
    kept = Kept(options.kept)
    begun = time.monotonic()
    with copies() as at_work:
        unnoticed = _by_hand(at_work, [one for one in by_hand if options.only in one.name])
        rows = [_room(at_work, room, some, kept) for room, some in faults.items() if some]
    table = table_of(rows)
    print(f"\n{table}\n\n{time.monotonic() - begun:.0f} s")
    if options.write:
        write_into_page(table)
    low = [row.room for row in rows if row.share < LEAST]
    if unnoticed or low:
        raise SystemExit(
            "; ".join([*unnoticed, *(f"{room}: too few were noticed" for room in low)])
        )


def _still_there(entries: Sequence[Survivor]) -> None:
    found = {file: Module(file) for file in {each.file for each in entries}}
    stale = [
        f"{each.file} {each.function}: {each.line}  ->  {each.becomes}"
        for each in entries
        if not found[each.file].holds(each)
    ]
    if stale:
        raise SystemExit(
            "survivors.toml explains faults that cannot be planted (any more); look at these lines "
            "again, then mend the entries or take them out: " + "; ".join(stale)
        )


def _by_hand(at_work: Copies, mutants: Sequence[Mutant]) -> list[str]:
    """Plant the faults chosen by hand and return the names of those that nobody noticed."""
    begun = time.monotonic()
    at_work.sound(mutants)

    def noticed(copy: Copy, mutant: Mutant) -> bool:
        outcome = copy.run_on(mutant)
        word = "noticed" if outcome.noticed else f"SURVIVED ({outcome.code})"
        print(f"{word:9} {outcome.seconds:5.1f} s  {mutant.name}", flush=True)
        return outcome.noticed

    held = at_work.each(noticed, mutants)
    if mutants:
        print(f"{sum(held)} of {len(held)} faults noticed in {time.monotonic() - begun:.0f} s")
    return [mutant.name for mutant, each in zip(mutants, held, strict=True) if not each]


class Kept:
    """Faults that were killed in earlier calls, by what the module was with them; each verdict is kept at once."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._killed = (
            set(path.read_text(encoding="utf-8").split()) if path and path.exists() else set()
        )

    def knows(self, fault: Generated) -> bool:
        """Tell whether it was killed."""
        return fault.digest in self._killed

    def add(self, fault: Generated) -> None:
        """Keep that it was killed."""
        self._killed.add(fault.digest)
        if self._path:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(f"{fault.digest}\n")


def _room(at_work: Copies, room: str, faults: Sequence[Generated], kept: Kept) -> Row:
    """Plant the faults generated in a room and count."""
    unknown = [fault for fault in faults if not kept.knows(fault)]
    mutants = [fault.mutant() for fault in unknown]
    seconds = at_work.sound(mutants)
    entries = explained()

    def survived(copy: Copy, both: tuple[Generated, Mutant]) -> bool:
        fault, mutant = both
        outcome = copy.run_on(mutant, 30 + 5 * seconds[mutant.tests])
        known = any(each.explains(fault) for each in entries)
        word = ("explained" if known else "SURVIVED") if outcome.survived else "killed"
        by = "" if outcome.survived else f"\n{'':19}by {outcome.by}"
        wrong = "\n    though survivors.toml explains it" if known and not outcome.survived else ""
        print(f"{word:9} {outcome.seconds:5.1f} s  {mutant.name}{by}{wrong}", flush=True)
        if not outcome.survived:
            kept.add(fault)
        return outcome.survived

    alive = at_work.each(survived, list(zip(unknown, mutants, strict=True)))
    survivors = [fault for fault, lives in zip(unknown, alive, strict=True) if lives]
    known = sum(any(each.explains(fault) for each in entries) for fault in survivors)
    places = sum(len(Module(file).sites) for file in modules(room))
    return Row(room, places, len(faults), len(faults) - len(survivors), known)


def table_of(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown."""
    head = "| room | places | planted | killed | survived | of these explained | killed of the others |"
    lines = [head, "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for row in [*rows, _all(rows)]:
        counts = (row.places, row.planted, row.killed, row.planted - row.killed, row.explained)
        lines.append(f"| {row.room} | {' | '.join(map(str, counts))} | {100 * row.share:.0f} % |")
    return "\n".join(lines)


def _all(rows: Sequence[Row]) -> Row:
    counts = ("places", "planted", "killed", "explained")
    return Row("all", *(sum(getattr(row, each) for row in rows) for each in counts))


def write_into_page(table: str, page: Path = PAGE) -> None:
    """Put the table between its two marks."""
    text = page.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    page.write_text(f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
