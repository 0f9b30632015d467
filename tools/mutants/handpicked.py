"""Faults that were chosen by hand: each is a piece of text and what it becomes.

A piece that is not there (any more) is an error, so that the list cannot rot.
"""

from __future__ import annotations

from mutants.copies import Mutant

_SPLIT, _SPREAD, _TARGETS = (
    "raster/kernels/split.py",
    "method/allocate/spreading.py",
    "method/allocate/targets.py",
)
_APPORTION, _SPREADING = "tests/method/test_apportion.py", "tests/method/allocate/test_spreading.py"
_OF_TARGETS, _OVERLAPS = "tests/method/allocate/test_targets.py", "tests/raster/test_overlaps.py"
_ZONING, _INDICES = "tests/method/test_zoning.py", "tests/method/test_indices.py"

MUTANTS = [
    Mutant("split: the remainder is lost", _SPLIT, "guess + (amount * claimed - guess * whole) // whole", "guess", _APPORTION),
    Mutant("split: a part starts where the first one did", _SPLIT, "            parts[i] = after - before\n            before = after\n", "            parts[i] = after - before\n", _APPORTION),
    Mutant("split: sign of the rest", _SPLIT, "total[row] - quotient * whole", "total[row] + quotient * whole", _APPORTION),
    Mutant("split: the last weight is left out", _SPLIT, "            running += weights[i]\n", "            running += weights[max(i - 1, first)]\n", _APPORTION),
    Mutant("split: scaled by one power too few", _SPLIT, "56 - math.frexp", "40 - math.frexp", _APPORTION),
    Mutant("spreading: < for <= at the limit of what is unallocated", _SPREAD, "lost * MAX_UNALLOCATED > total", "lost * MAX_UNALLOCATED >= total", _SPREADING),
    Mutant("spreading: the whole keeps what its regions have", _SPREAD, "here[WHOLE] = whole - part", "here[WHOLE] = whole", _SPREADING),
    Mutant("spreading: order of the rows within a region", _SPREAD, 'np.argsort(region[some], kind="stable")', "np.lexsort((-some, region[some]))", _SPREADING),
    Mutant("spreading: area and parent are not added up", _SPREAD, "sum(row.by_area + row.by_parent for row in rows)", "max(row.by_area for row in rows)", _SPREADING),
    Mutant("targets: entries as they are stored", _TARGETS, "        overlap.sum_duplicates()", "        pass", _OF_TARGETS),
    Mutant("targets: dry land is moved too", _TARGETS, "np.flatnonzero(water & (outside > 0))", "np.flatnonzero(outside > 0)", _OF_TARGETS),
    Mutant("targets: a factor is forgotten", _TARGETS, "keep.data *= factor[owner]", "pass", _OF_TARGETS),
    Mutant("overlaps: off by one column", "raster/pair_counts.py", "a, b = a[both] - 1, b[both] - 1", "a, b = a[both] - 1, b[both] - 2", _OVERLAPS),
    Mutant("overlaps: nobody is somebody", "raster/pair_counts.py", "both = (a > 0) & (b > 0)", "both = (a >= 0) & (b > 0)", _OVERLAPS),
    Mutant("overlaps: the last label is too large", "raster/pair_counts.py", "labels.max() >= size", "labels.max() >= size - 1", _OVERLAPS),
    Mutant("overlaps: tiles that meet are not added up", "raster/kernels/label_pairs.py", "sums = np.add.reduceat(amounts[order], first)", "sums = amounts[order][first]", _OVERLAPS),
    Mutant("indices: upside down", "method/indices.py", "ccr = CA_i / C_i", "ccr = C_i / CA_i", _INDICES),
    Mutant("indices: ESC of the known units only", "method/indices.py", "esc = (CA_i / CA) / (C_i / C)", "esc = (CA_i / CA) / (C_i / C_known)", _INDICES),
    Mutant("indices: ECC over all units", "method/indices.py", "(G_i / G) / (C_i / C_known)", "(G_i / G) / (C_i / C)", _INDICES),
    Mutant("indices: a negative sink passes", "method/indices.py", "(floats < 0) | np.isinf", "np.isinf", _INDICES),
    Mutant("zoning: a tie is low", "method/zoning.py", "TIES[ties](part * C, whole * C_i)", "part * C > whole * C_i", _ZONING),
    Mutant("zoning: nothing is high where nothing is emitted", "method/zoning.py", "if C_i else part > 0", "if C_i else part >= 0", _ZONING),
    Mutant("zoning: a twentieth itself is not near", "method/zoning.py", "- whole * C_i) <= whole * C_i", "- whole * C_i) < whole * C_i", _ZONING),
    Mutant("zoning: sinks are sources", "method/zoning.py", '"sink" if CA_i > C_i', '"sink" if CA_i < C_i', _ZONING),
    Mutant("zoning: a region of one unit decides", "method/zoning.py", "near and region.units > 1", "near and region.units > 0", _ZONING),
    Mutant("pipeline: outside is the first column", "method/sharing.py", "per_target[:-1], per_target[-1]", "per_target[1:], per_target[0]", "tests/method/test_by_hand.py"),
    Mutant("pipeline: south for north", "method/sharing.py", "(north - y) // grid", "(y - north) // grid", "tests/method/test_sharing.py"),
    Mutant("pipeline: snapped mass is counted by the first unit", "method/sharing.py", "np.where(unit < 0, len(units), unit)", "np.where(unit < 0, len(units), 0)", "tests/method/test_sharing.py"),
    Mutant("pipeline: regions are counted twice", "case/readers/regions.py", 'rows["grams"] - part', 'rows["grams"]', "tests/pipeline/test_pipeline.py -k regional_totals"),
    Mutant("run store: a file is trusted by its name", "run_store/recall.py", "if digest != told:", "if not (place / file).exists():", "tests/run_store/test_run_store.py -k hashed_before"),
    Mutant("journal: a tile is trusted by its name", "raster/chunked/journal.py", "known is not None and known[0] == journal.key + _digest(store, names, tile)", "known is not None", "tests/raster/test_journal.py"),
]  # fmt: skip
