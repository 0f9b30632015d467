"""The saved operator, read without the package: pyarrow and NumPy, every cell opened, statistics by loops."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq


class SavedOperator:
    """Cells and shares of each polygon, as the three files have them."""

    def __init__(self, path):
        folder = Path(path)
        polygons, spans, edges = (
            pq.read_table(folder / f"{name}.parquet") for name in ("polygons", "spans", "edges")
        )
        self.about = json.loads(spans.schema.metadata[b"carbongrid"])
        self.ids = polygons["id"].to_pylist()
        self.outside = polygons["outside"].to_pylist()
        self.cells = [{} for _ in self.ids]
        for polygon, row, first, last in zip(*(spans[name].to_pylist() for name in ("polygon", "row", "first", "last")), strict=True):  # fmt: skip
            for column in range(first, last + 1):
                self.cells[polygon][row, column] = 1.0
        for polygon, row, column, share in zip(*(edges[name].to_pylist() for name in ("polygon", "row", "column", "share")), strict=True):  # fmt: skip
            self.cells[polygon][row, column] = share

    @property
    def corner(self):
        """West and north edge of the grid."""
        return self.about["west"], self.about["north"]

    def statistics(self, values):
        """Count, sum, mean, extremes and the known share of each polygon, NaN being unknown."""
        assert list(values.shape) == self.about["shape"]
        result = []
        for cells, outside in zip(self.cells, self.outside, strict=True):
            known = [
                (share, float(values[cell]))
                for cell, share in cells.items()
                if not np.isnan(values[cell])
            ]
            count = math.fsum(share for share, _ in known)
            total = math.fsum(share * value for share, value in known)
            area = math.fsum(cells.values()) + outside
            result.append(
                {
                    "count": count,
                    "sum": total,
                    "mean": total / count if count else math.nan,
                    "min": min((value for _, value in known), default=math.nan),
                    "max": max((value for _, value in known), default=math.nan),
                    "valid_fraction": count / area if area else math.nan,
                }
            )
        return result
