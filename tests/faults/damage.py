"""What happens to a finished run on its disk: flipped bytes, chunks cut or gone, files of another run, tiles out of line."""

from __future__ import annotations

import functools
import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from carbongrid.errors import InputError
from carbongrid.raster.label_store import block_side, label_shape, write_window
from carbongrid.raster.opening.digests import hash_path
from carbongrid.run_store import MANIFEST
from faults.forking import Shell, side_by_side
from faults.ground import Ground
from faults.tally import Row

KINDS = [
    "manifest.json", "inventory.csv", "ledger.csv", "evidence.csv", "facilities.csv", "land_types.csv", "units.csv", "units.xlsx", "units.gpkg", "parcels.parquet",
    "grid_1km.tif", "grid_1km.nc", "city.qgz", "overlap.npz", "report.html", "figures/*.png", "labels.zarr/zarr.json",
    "labels.zarr/parcel/zarr.json", "labels.zarr/parcel/c/*/*", "labels.zarr/unit/c/*/*", "labels.zarr/x/c/0",
    "steps/*.parquet", "steps/*.json", "steps/*.npz",
]  # fmt: skip
"""Every kind of file in a run directory."""

Damage = Callable[[Path], str]


def flipped_bytes(
    ground: Ground,
    shells: list[Shell],
    count: int,
    seed: int = 7,
    kinds: Sequence[str] = KINDS,
) -> Row:
    """Flip one bit of one file, then verify; the kinds of files in turn."""
    draw = random.Random(seed)
    row = Row("one bit flipped, over every kind of file, then verify")
    tasks = []
    for number in range(count):
        kind = kinds[number % len(kinds)]
        files = sorted(ground.run.glob(kind))
        assert files, kind
        file = draw.choice(files)
        place, bit = draw.randrange(file.stat().st_size), draw.randrange(8)
        name = file.relative_to(ground.run).as_posix()
        tasks.append(functools.partial(_flipped, ground, number, name, place, bit))
    return _counted(row, shells, tasks)


def _flipped(
    ground: Ground, number: int, name: str, place: int, bit: int, shell: Shell
) -> tuple[str, bool, str]:
    def flip(run: Path) -> str:
        content = bytearray((run / name).read_bytes())
        content[place] ^= 1 << bit
        (run / name).write_bytes(content)
        # A store of chunks has one digest: of its metadata the store is named, of a coordinate the array, which has one chunk,
        # of labels each chunk.
        return name.split("/")[0] if name.endswith("zarr.json") else name.removesuffix("/c/0")

    return _damaged(ground, f"flip-{number}", flip, shell)


def broken_chunks(ground: Ground, shells: list[Shell], most: int) -> Row:
    """Take chunks away, or cut them, one at a time, then verify."""
    row = Row("a chunk of the labels deleted or cut short, then verify")
    chunks = sorted(path for path in ground.run.glob("labels.zarr/*/c/*/*") if path.is_file())
    step = max(1, 2 * len(chunks) // most)
    tasks = []
    for number, chunk in enumerate(chunks[::step]):
        name = chunk.relative_to(ground.run).as_posix()
        tasks += [
            functools.partial(_broken, ground, f"chunk-{number}-{cut}", name, cut) for cut in (0, 1)
        ]
    return _counted(row, shells, tasks)


def _broken(
    ground: Ground, folder: str, name: str, cut: int, shell: Shell
) -> tuple[str, bool, str]:
    def break_it(run: Path) -> str:
        content = (run / name).read_bytes()
        (run / name).unlink()
        if cut:
            (run / name).write_bytes(content[: len(content) // 2])
        return name

    return _damaged(ground, folder, break_it, shell)


def swapped_stores(ground: Ground, shells: list[Shell], other: Path) -> Row:
    """Put files of another city's run in their place, the manifest left as it was or written anew, then verify."""
    row = Row(
        "files of another city's run put in place, their sha256 refreshed or not, then verify"
    )
    tasks = []
    for name in (
        "labels.zarr",
        "overlap.npz",
        "parcels.parquet",
        "units.gpkg",
        "grid_1km.nc",
        "units.csv",
    ):
        tasks += [
            functools.partial(_swapped, ground, name, other, again) for again in (False, True)
        ]
    return _counted(row, shells, tasks)


def _swapped(
    ground: Ground, name: str, other: Path, refresh: bool, shell: Shell
) -> tuple[str, bool, str]:
    def swap(run: Path) -> str:
        target = run / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()
        copy = shutil.copytree if (other / name).is_dir() else shutil.copy2
        copy(other / name, target)
        if refresh:
            manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
            manifest["files"][name] = hash_path(target)
            (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        # Of two changed files the manifest is the one that tells: its seal is that of what it said before.
        return MANIFEST if refresh else name

    return _damaged(ground, f"swap-{name}-{refresh}", swap, shell)


def _damaged(ground: Ground, folder: str, damage: Damage, shell: Shell) -> tuple[str, bool, str]:
    run = ground.copy(ground.run, folder)
    named = damage(run)
    done = shell.run("verify", run, "--sample", "0")
    shutil.rmtree(run.parent)
    # A flip in the manifest may leave no manifest, told in other words than its name.
    words = "manifest" if named == MANIFEST else named
    silent = done.code != 1 or words not in done.text
    return f"{folder} {named}", silent, done.text


def _counted(
    row: Row, shells: list[Shell], tasks: list[Callable[[Shell], tuple[str, bool, str]]]
) -> Row:
    for name, silent, text in side_by_side(shells, tasks):
        row.case(name, silent=silent, text=text)
    return row


def misaligned_writes(ground: Ground, count: int, seed: int = 8) -> Row:
    """Write tiles that are no whole chunks; each must be refused and nothing written."""
    row = Row("a misaligned write of labels, refused")
    store = ground.copy(ground.run, "misaligned") / "labels.zarr"
    before, draw = hash_path(store), random.Random(seed)
    side, (height, width) = block_side(store), label_shape(store, "parcel")
    for number in range(count):
        top, left = draw.randrange(1, height - 1), draw.randrange(1, width - 1)
        if top % side == 0 and left % side == 0:
            top += 1
        shape = (draw.randint(1, height - top), draw.randint(1, width - left))
        text, refused = "", False
        try:
            write_window(store, "parcel", (top, left), np.ones(shape, np.uint32))
        except InputError as error:
            text, refused = str(error), "not aligned" in str(error)
        changed = hash_path(store) != before
        row.case(f"{number}: {shape} at {top}, {left}", lost=changed, silent=not refused, text=text)
    shutil.rmtree(store.parents[1])
    return row
