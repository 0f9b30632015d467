"""Telescoped splits of int64 totals in exact integer arithmetic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel

GOOD, ALL_ZERO, NEGATIVE, NOT_FINITE, TOO_LARGE = range(5)
MAX_SUM = 2**56
# Non-overlapping float64 cover 2^-1074..2^1023 with at least one bit each, so no sum has more partials.
_MAX_PARTIALS = 2100
# Sums of rounded quanta pass 2^56 by half a quantum for each of their weights.
_MAX_GUESSED = 2**56 + 2**50


@helper
def _rounded_sum(values: NDArray[np.float64], partials: NDArray[np.float64]) -> float:
    """Correctly rounded sum of non-negative values (Shewchuk 1997, as math.fsum does it)."""
    used = 0
    for index in range(values.size):
        x = values[index]
        kept = 0
        for place in range(used):
            y = partials[place]
            if abs(x) < abs(y):
                x, y = y, x
            high = x + y
            low = y - (high - x)
            if low != 0.0:
                partials[kept] = low
                kept += 1
            x = high
        partials[kept] = x
        used = kept + 1
    if used == 0:
        return 0.0
    high = partials[used - 1]
    place = used - 1
    low = 0.0
    while place > 0:
        x = high
        place -= 1
        y = partials[place]
        high = x + y
        low = y - (high - x)
        if low != 0.0:
            break
    # Half-way cases go by the sign of what lies below them.
    if place > 0 and (low < 0.0) == (partials[place - 1] < 0.0) and low != 0.0:
        y = low * 2.0
        x = high + y
        if y == x - high:
            high = x
    return float(high)


@kernel
def quantize(
    weights: NDArray[np.float64], start: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Scale each row by the power of two that brings its sum to 2^55..2^56, and round half even."""
    rows = start.size - 1
    quanta = np.zeros(weights.size, np.int64)
    fault = np.zeros(rows, np.int8)
    partials = np.empty(_MAX_PARTIALS, np.float64)
    for row in range(rows):
        first, last = start[row], start[row + 1]
        for i in range(first, last):
            if not math.isfinite(weights[i]):
                fault[row] = NOT_FINITE
            elif weights[i] < 0.0 and fault[row] == GOOD:
                fault[row] = NEGATIVE
        if fault[row] != GOOD:
            continue
        total = _rounded_sum(weights[first:last], partials)
        if not math.isfinite(total):
            fault[row] = TOO_LARGE
            continue
        if total == 0.0:
            continue
        shift = 56 - math.frexp(total)[1]
        for i in range(first, last):
            quanta[i] = np.int64(np.rint(math.ldexp(weights[i], shift)))
    return quanta, fault


@helper
def _part_of(amount: Any, claimed: Any, whole: Any) -> Any:
    """Return floor(amount * claimed / whole), of an amount and a claim that are at most the whole.

    The floor is guessed in float64. Five roundings leave the guess at most 5 * 2^-53 * whole + 1 < 42 off for a whole up to 2^56 and a
    little, so the true remainder, amount * claimed - guess * whole, is below 2^62 in size and known from its value modulo 2^64; it says
    by how much to mend the guess. Of a larger whole the product is divided bit by bit.
    """
    if whole <= _MAX_GUESSED:
        guess = np.int64(float(amount) * float(claimed) / float(whole))
        return guess + (amount * claimed - guess * whole) // whole
    divisor, factor, one = np.uint64(whole), np.uint64(amount), np.uint64(1)
    quotient, rest = np.uint64(0), np.uint64(0)
    for bit in range(62, -1, -1):
        quotient, rest = quotient << one, rest << one
        if rest >= divisor:
            quotient, rest = quotient + one, rest - divisor
        if (claimed >> bit) & 1:
            rest += factor
            if rest >= divisor:
                quotient, rest = quotient + one, rest - divisor
    return np.int64(quotient)


@kernel
def split(
    total: NDArray[np.int64],
    weights: NDArray[np.int64],
    start: NDArray[np.int64],
    largest_sum: int,
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Split total[row] over weights[start[row]:start[row + 1]].

    With S the running sum of the weights and W its end, q, r = divmod(T, W): the running part is q*S + floor(r*S/W).
    """
    rows = start.size - 1
    parts = np.zeros(weights.size, np.int64)
    fault = np.zeros(rows, np.int8)
    for row in range(rows):
        first, last = start[row], start[row + 1]
        whole = np.int64(0)
        for i in range(first, last):
            if weights[i] < 0:
                fault[row] = NEGATIVE
                break
            if weights[i] > largest_sum or whole + weights[i] > largest_sum:
                fault[row] = TOO_LARGE
                break
            whole += weights[i]
        if fault[row] != GOOD:
            continue
        if whole == 0:
            if total[row] != 0:
                fault[row] = ALL_ZERO
            continue
        quotient = total[row] // whole
        rest = total[row] - quotient * whole
        running = np.int64(0)
        before = np.int64(0)
        for i in range(first, last):
            if weights[i] == 0:
                continue
            running += weights[i]
            after = quotient * running + _part_of(rest, running, whole)
            parts[i] = after - before
            before = after
    return parts, fault


@kernel
def share_out(
    parts: NDArray[np.int64],
    targets: NDArray[np.int64],
    start: NDArray[np.int64],
    groups: NDArray[np.int64],
    totals: NDArray[np.int64],
) -> None:
    """Add to totals[group, target] what groups[row] have of parts[start[row]:start[row + 1]], which add up to the same: one part after another is split by what is left of each."""
    left = np.empty(groups.shape[1], np.int64)
    for row in range(start.size - 1):
        whole = np.int64(0)
        for group in range(left.size):
            left[group] = groups[row, group]
            whole += left[group]
        for i in range(start[row], start[row + 1]):
            part, target = parts[i], targets[i]
            running, before = np.int64(0), np.int64(0)
            for group in range(left.size):
                if left[group] == 0:
                    continue
                running += left[group]
                after = _part_of(part, running, whole)
                totals[group, target] += after - before
                left[group] -= after - before
                before = after
            whole -= part
