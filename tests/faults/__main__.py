"""``nox -s faults``: plant every kind of fault, print the table of counts, and end with an error if one did harm."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from faults.bad_inputs import bad_inputs, bad_inputs_in_processes, hostile_names
from faults.cluster import worker_deaths
from faults.damage import broken_chunks, flipped_bytes, misaligned_writes, swapped_stores
from faults.forking import Shell, shells
from faults.ground import Ground, prepare
from faults.interruptions import full_disks, interrupts, kills, two_writers
from faults.machine import Trials, all_kinds, machine
from faults.machine import table_of as table_of_machines
from faults.tally import MACHINES, Row, table_of, write_into_page


def main() -> None:
    """Run them all."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--write", action="store_true", help="put the table into docs/reliability.md"
    )
    parser.add_argument("--only", default="", help="kinds, with commas between; machine is one")
    parser.add_argument("--rows", type=Path, help="a file that keeps the rows of several calls")
    parser.add_argument("--few", action="store_true", help="a few cases of each kind")
    options = parser.parse_args()
    begun = time.monotonic()
    others = [kind for kind in options.only.split(",") if kind != "machine"]
    sound = True
    if not options.only or others:
        sound &= _faults(",".join(others) if options.only else "", options)
    if not options.only or "machine" in options.only.split(","):
        sound &= _machines(options)
    print(f"{time.monotonic() - begun:.0f} s")
    if not sound:
        raise SystemExit(1)


def _faults(only: str, options: argparse.Namespace) -> bool:
    """Plant the faults; tell, and write, their table."""
    with tempfile.TemporaryDirectory(prefix="carbongrid-faults-") as folder:
        rows: list[Row] = []
        # Kept after each kind, so that what was counted is not lost if the next takes too long.
        for some in planted(Path(folder), only, 10 if options.few else 1):
            rows = merged(options.rows, some) if options.rows else [*rows, *some]
            for row in some:
                print(f"{row.seconds:6.1f} s  {row.cases} x {row.kind}", flush=True)
                print(*row.failures, sep="\n\n", end="\n" * bool(row.failures), flush=True)
    table = table_of(rows)
    print(f"\n{table}\n")
    if options.write:
        write_into_page(table)
    return all(row.sound for row in rows)


def _machines(options: argparse.Namespace) -> bool:
    """Try every kind of machine; tell, and write, their table."""
    tried: list[Trials] = []
    with (
        tempfile.TemporaryDirectory(prefix="carbongrid-machine-") as folder,
        machine(Path(folder)) as on,
    ):
        for trials in all_kinds(on, options.few):
            tried.append(trials)
            print(f"{trials.tried} x {trials.kind}", flush=True)
            print(*trials.wrong, sep="\n\n", end="\n" * bool(trials.wrong), flush=True)
    table = table_of_machines(tried)
    print(f"\n{table}\n")
    if options.write:
        write_into_page(table, marks=MACHINES)
    return not any(trials.wrong for trials in tried)


def merged(path: Path, rows: list[Row]) -> list[Row]:
    """Return the rows of earlier calls and of this one, which count for their kinds, and keep them."""
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    kinds = {row["kind"]: Row(**row) for row in earlier} | {row.kind: row for row in rows}
    kept = [
        {key: value for key, value in vars(row).items() if key[0] != "_"} for row in kinds.values()
    ]
    path.write_text(json.dumps(kept), encoding="utf-8")
    return list(kinds.values())


def planted(folder: Path, only: str = "", fewer: int = 1) -> Iterator[list[Row]]:
    """Plant the faults; yield rows of counts, kind by kind."""
    from carbongrid.sources.demo import write_city

    city = write_city(folder / "small", size="small").parent
    with shells(2) as both:
        ground = prepare(folder / "ground", city, both)
        kinds = {
            "kills": lambda: kills(ground, both, 50 // fewer),
            "interrupts": lambda: interrupts(ground, both, 10 // fewer),
            "disks": lambda: full_disks(ground, both, 30 // fewer),
            "writers": lambda: two_writers(ground, both, 20 // fewer),
            "flips": lambda: flipped_bytes(ground, both, 60 if fewer == 1 else 6),
            "chunks": lambda: broken_chunks(ground, both, 24 // fewer),
            "swaps": lambda: swapped_stores(ground, both, _elsewhere(folder, both[0])),
            "misaligned": lambda: misaligned_writes(ground, 40),
            "inputs": lambda: bad_inputs(ground, both, fewer),
            "processes": lambda: bad_inputs_in_processes(ground, 10 // fewer),
            "names": lambda: hostile_names(ground, both),
            "cluster": lambda: worker_deaths(ground, 10 // fewer),
        }
        for name, plant in kinds.items():
            if not only or name in only.split(","):
                outcome = plant()
                yield outcome if isinstance(outcome, list) else [outcome]


def _elsewhere(folder: Path, shell: Shell) -> Path:
    """Return a run of another city."""
    from small_demo import keep_labels

    from carbongrid.sources.demo import write_city

    case = keep_labels(write_city(folder / "elsewhere", size="small", seed=7))
    done = shell.run("run", case, "--out", folder / "elsewhere-run", "--chunks", "128")
    assert done.code == 0, done.text
    return folder / "elsewhere-run"


__all__ = ["Ground", "planted"]

if __name__ == "__main__":
    main()
