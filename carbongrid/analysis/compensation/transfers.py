"""Transfers between units that add up to zero: who is above its allowance, who below, and who pays whom over the least distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.errors import InputError
from carbongrid.method.allocate import apportion

if TYPE_CHECKING:
    from numpy.typing import NDArray


_LARGEST, _SLACK = 1e7, 1e-6
"""What the largest balance is to the solver, whose tolerance is 1e-7, and by how much a receiver may be paid too much."""


def plain_price(price: float) -> str:
    """Return a price with all its digits, and no more."""
    return np.format_float_positional(price, trim="-")


def money_column(price: float, currency: str | None) -> str:
    """Return the name of a column of money: of what currency, at what price; ``money`` where nobody told the currency."""
    return f"{currency or 'money'}_at_{plain_price(price)}_per_t"


def balance_of(emission: Sequence[int], allowance: Sequence[int]) -> NDArray[np.int64]:
    """Return how much each unit emits below the part of all emission that its allowance gives it; the balances add up to 0.

    Parameters
    ----------
    emission
        C_i, g yr-1, shape (units,).
    allowance
        What the emission of all is shared out by, whole numbers >= 0: sinks, GDP, people.

    Returns
    -------
    int64 array of shape (units,)
        Positive: it emits less than its part, and is paid.

    Raises
    ------
    InputError
        If nobody has any allowance.
    """
    weights = np.array([int(value) for value in allowance], np.int64)
    if not weights.any():
        raise InputError("no unit has any of what emission is to be shared by", "allowance")
    part = apportion(int(sum(int(value) for value in emission)), weights)
    return part - np.array([int(value) for value in emission], np.int64)


def sink_surplus(emission: Sequence[int], sink: Sequence[int]) -> NDArray[np.int64]:
    """Return s_i = CA_i - CCR*C_i of each unit in whole grams, which add up to 0: what it takes up beyond its part of all sinks by emission.

    Parameters
    ----------
    emission, sink
        C_i and CA_i, g yr-1, shape (units,).

    Raises
    ------
    InputError
        If nobody emits anything.
    """
    weights = np.array([int(value) for value in emission], np.int64)
    if not weights.any():
        raise InputError("no unit emits anything: nobody has to compensate", "emission")
    own = np.array([int(value) for value in sink], np.int64)
    return own - apportion(int(own.sum()), weights)


def least_transfers(
    balance: NDArray[np.int64], distance: NDArray[np.float64]
) -> list[tuple[int, int, int]]:
    """Return who pays whom, whole grams, over the least sum of mass times distance.

    Parameters
    ----------
    balance : int64, shape (units,)
        Adds up to 0; units below 0 pay those above 0.
    distance : float64, shape (units, units)
        Between units, >= 0.

    Returns
    -------
    list of (payer, receiver, grams)
        In the order of the rows; a unit's payments, or receipts, add up to its balance to the gram.

    Notes
    -----
    The transport problem min sum d_ij*f_ij with row sums -s_i and column sums s_j, solved by HiGHS in floats. The edges of its basic solution are a forest, on which whole balances
    have one whole flow; the few grams that the solver's tolerance (a millionth of a millionth of the largest balance, or a little more) puts elsewhere are paid in the order of the rows. So balances are met to the gram, and the
    sum is the least one up to a millionth of the largest balance times the largest distance.

    Raises
    ------
    InputError
        If the balances do not add up to 0.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    if int(balance.sum()):
        raise InputError(f"balances add up to {int(balance.sum())}, not to 0", "balance")
    payers, receivers = np.flatnonzero(balance < 0), np.flatnonzero(balance > 0)
    if not payers.size:
        return []
    owed, due = -balance[payers], balance[receivers]
    rows, columns = len(payers), len(receivers)
    scale = float(max(owed.max(), due.max())) / _LARGEST
    edge = np.arange(rows * columns)
    ones, costs = np.ones(edge.size), distance[np.ix_(payers, receivers)]
    found = linprog(  # type: ignore[call-overload]  # takes sparse constraints, as its page says
        (costs / max(float(costs.max()), 1e-300)).ravel(),
        A_eq=csr_array((ones, (edge // columns, edge)), shape=(rows, edge.size)),
        b_eq=owed / scale,
        # Sums of scaled floats differ in their last digits, so that equality on both sides may have no solution.
        A_ub=csr_array((ones, (edge % columns, edge)), shape=(columns, edge.size)),
        b_ub=due / scale + _SLACK,
        method="highs-ds",
    )
    if found.status != 0:
        raise InputError(f"the transport problem was not solved: {found.message}", "compensation")
    flows = found.x.reshape(rows, columns)
    return _whole_flows(flows, owed, due, payers, receivers)


def _whole_flows(
    flows: NDArray[np.float64],
    owed: NDArray[np.int64],
    due: NDArray[np.int64],
    payers: NDArray[np.intp],
    receivers: NDArray[np.intp],
) -> list[tuple[int, int, int]]:
    """Return flows in whole grams along the edges of a basic solution, which is a forest: leaf by leaf, each edge takes what its leaf has left."""
    used = flows > 1e-12
    left_owed, left_due = [int(value) for value in owed], [int(value) for value in due]
    found: list[tuple[int, int, int]] = []
    edges = {(int(i), int(j)) for i, j in np.argwhere(used)}
    while edges:
        ways: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for i, j in sorted(edges):
            ways.setdefault((0, i), []).append((i, j))
            ways.setdefault((1, j), []).append((i, j))
        leaves = [own[0] for _, own in sorted(ways.items()) if len(own) == 1]
        i, j = leaves[0] if leaves else min(edges, key=lambda each: (flows[each], each))
        grams = min(left_owed[i], left_due[j])
        left_owed[i] -= grams
        left_due[j] -= grams
        edges.discard((i, j))
        if grams:
            found.append((int(payers[i]), int(receivers[j]), grams))
    # What rounding of the solver left on no edge: grams, paid in the order of the rows.
    for i in range(len(left_owed)):
        for j in range(len(left_due)):
            grams = min(left_owed[i], left_due[j])
            if grams:
                found.append((int(payers[i]), int(receivers[j]), grams))
                left_owed[i] -= grams
                left_due[j] -= grams
    return sorted(found)
