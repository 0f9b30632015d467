"""Slow and obvious twins of the engine's kernels: the oracles of the engine's tests."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np


def apportion(total: int, weights: list[int]) -> list[int]:
    """Telescoped split in Python integers."""
    whole, running, before, parts = sum(weights), 0, 0, []
    for weight in weights:
        running += weight
        after = total * running // whole if whole else 0
        parts.append(after - before)
        before = after
    return parts


def quanta(weights: list[float]) -> list[int]:
    """Floats as integers whose sum is about 2^56, by exact fractions."""
    whole = math.fsum(weights)
    if whole == 0:
        return [0] * len(weights)
    scale = Fraction(2) ** (56 - math.frexp(whole)[1])
    return [round(Fraction(weight) * scale) for weight in weights]  # half even


def pair_counts(a: np.ndarray, b: np.ndarray) -> dict[tuple[int, int], int]:
    """How often each pair of labels occurs, cell by cell."""
    counts: dict[tuple[int, int], int] = {}
    for pair in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True):
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def label_sums(values: np.ndarray, labels: np.ndarray, n: int) -> list:
    """Sum of the values of each label, cell by cell; NaN counts as nothing."""
    sums = [0] * n
    for value, label in zip(values.ravel().tolist(), labels.ravel().tolist(), strict=True):
        if label and value == value:
            sums[label - 1] += value
    return sums


def block_sums(values: np.ndarray, factor: int) -> np.ndarray:
    """Sum of each square of cells; NaN counts as nothing."""
    rows, columns = values.shape[0] // factor, values.shape[1] // factor
    result = np.zeros((rows, columns))
    for y in range(rows * factor):
        for x in range(columns * factor):
            if values[y, x] == values[y, x]:
                result[y // factor, x // factor] += values[y, x]
    return result


def label_statistics(values: np.ndarray, labels: np.ndarray, n: int) -> dict[str, list]:
    """Count, sum, mean, min and max of the known values of each label, cell by cell."""
    known: list[list] = [[] for _ in range(n)]
    for value, label in zip(values.ravel().tolist(), labels.ravel().tolist(), strict=True):
        if label and value == value:
            known[label - 1].append(value)
    return {
        "count": [len(each) for each in known],
        "sum": [sum(each) for each in known],
        "mean": [sum(each) / len(each) if each else math.nan for each in known],
        "min": [min(each, default=math.nan) for each in known],
        "max": [max(each, default=math.nan) for each in known],
    }
