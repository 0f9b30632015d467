"""Transfers between units that add up to zero: who is above its allowance, who below, and who pays whom over the least distance."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.errors import InputError
from carbongrid.method.allocate import apportion

if TYPE_CHECKING:
    from numpy.typing import NDArray


_LARGEST, _SLACK = 1e7, 1e-6
"""What the largest balance is to the solver, whose tolerance is 1e-7, and by how much a receiver may be paid too much."""
_TIGHT = 1e-10
"""By what part of the way across all units a detour may be shorter and not be found: the least that the solver takes."""
_NEAREST, _CHEAPEST, _FEW_EDGES, _BLOCK = 20, 5, 3000, 1 << 20
"""How many counterparts of each unit are tried at first, and more in each round; up to how many edges the dual simplex is as fast as the interior point; pairs priced at once."""


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
    balance: NDArray[np.int64], points: NDArray[np.float64]
) -> list[tuple[int, int, int]]:
    """Return who pays whom, whole grams, over the least sum of mass times straight distance.

    Parameters
    ----------
    balance : int64, shape (units,)
        Adds up to 0; units below 0 pay those above 0.
    points : float64, shape (units, 2)
        Where each unit is, in m.

    Returns
    -------
    list of (payer, receiver, grams)
        In the order of the rows; a unit's payments, or receipts, add up to its balance to the gram.

    Notes
    -----
    The transport problem min sum d_ij*f_ij with row sums -s_i and column sums s_j, solved by HiGHS in floats. The edges of its basic solution are a forest, on which whole balances
    have one whole flow; the few grams that the solver's tolerance (a millionth of a millionth of the largest balance, or a little more) puts elsewhere are paid in the order of the places. So balances are met to the gram, and the
    sum is the least one up to a millionth of the largest balance times the largest distance.

    Ties: where several sets of payments are the shortest, it is the one that the solver finds with units from west to east and from south to north; the order of the rows does not
    count, except between units at one place that have one balance.

    Raises
    ------
    InputError
        If the balances do not add up to 0.
    """
    if int(balance.sum()):
        raise InputError(f"balances add up to {int(balance.sum())}, not to 0", "balance")
    order = np.lexsort((balance, points[:, 1], points[:, 0]))
    payers, receivers = order[balance[order] < 0], order[balance[order] > 0]
    if not payers.size:
        return []
    owed, due = -balance[payers], balance[receivers]
    i, j, flows = _shortest(owed, due, points[payers], points[receivers])
    return sorted(
        (int(payers[one]), int(receivers[other]), grams)
        for one, other, grams in _whole_flows(i, j, flows, owed, due)
    )


def _shortest(
    owed: NDArray[np.int64],
    due: NDArray[np.int64],
    payers: NDArray[np.float64],
    receivers: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return the edges i, j of the least transport, and how many grams each carries, in floats.

    Solved on candidates, each unit's nearest counterparts and a set of payments that can be made, and again with the edges whose reduced cost d_ij - u_i - v_j is below 0, u and v the duals,
    until no pair of units has one: so it is the least transport on all edges, which are never held at once.
    """
    corners = np.concatenate([payers, receivers])
    across = float(np.hypot(*np.ptp(corners, axis=0))) or 1.0
    payers, receivers = payers / across, receivers / across
    u, v = np.zeros(len(owed)), np.zeros(len(due))
    first, second, _ = _along_the_rows(owed, due)
    edges = first * len(due) + second
    count, below = _NEAREST, np.inf
    flows = np.zeros(0)
    while True:
        i, j = _cheapest(payers, receivers, u, v, count, below)
        other_j, other_i = _cheapest(receivers, payers, v, u, count, below)
        more = np.union1d(edges, np.concatenate([i, other_i]) * len(due) + np.concatenate([j, other_j]))  # fmt: skip
        if len(more) == len(flows):
            return edges // len(due), edges % len(due), flows
        edges = more
        flows, u, v = _transport(edges // len(due), edges % len(due), owed, due, payers, receivers)
        count, below = _CHEAPEST, -_TIGHT


def _cheapest(
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    count: int,
    below: float,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return for each row the columns of its ``count`` least reduced costs, those below ``below``; rows are priced in blocks."""
    kept = min(count, len(columns))
    found_rows, found_columns = [], []
    step = max(1, _BLOCK // len(columns))
    for start in range(0, len(rows), step):
        own = rows[start : start + step]
        reduced = np.hypot(*(own[:, None, axis] - columns[None, :, axis] for axis in (0, 1)))
        reduced -= u[start : start + step, None] + v
        least = np.argpartition(reduced, kept - 1, axis=1)[:, :kept]
        row, place = np.nonzero(np.take_along_axis(reduced, least, 1) < below)
        found_rows.append(row + start)
        found_columns.append(least[row, place])
    return np.concatenate(found_rows), np.concatenate(found_columns)


def _transport(
    i: NDArray[np.intp],
    j: NDArray[np.intp],
    owed: NDArray[np.int64],
    due: NDArray[np.int64],
    payers: NDArray[np.float64],
    receivers: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return a basic solution on the edges i, j, in g, and the duals of payers and receivers."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    scale = float(max(owed.max(), due.max())) / _LARGEST
    ones, edge = np.ones(len(i)), np.arange(len(i))
    found = linprog(  # type: ignore[call-overload]  # takes sparse constraints, as its page says
        np.hypot(*(payers[i] - receivers[j]).T),
        A_eq=csr_array((ones, (i, edge)), shape=(len(owed), len(i))),
        b_eq=owed / scale,
        # Sums of scaled floats differ in their last digits, so that equality on both sides may have no solution.
        A_ub=csr_array((ones, (j, edge)), shape=(len(due), len(i))),
        b_ub=due / scale + _SLACK,
        method="highs-ds" if len(i) <= _FEW_EDGES else "highs-ipm",  # both end in a basis
        options={"dual_feasibility_tolerance": _TIGHT},
    )
    if found.status != 0:
        raise InputError(f"the transport problem was not solved: {found.message}", "compensation")
    flows = np.where(found.x > 1e-12, found.x * scale, 0.0)
    return flows, found.eqlin.marginals, found.ineqlin.marginals


def _along_the_rows(
    owed: NDArray[np.int64], due: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]:
    """Return payments i, j, grams that the first units owe to the first: never the shortest, but they can always be made."""
    paid, received = np.cumsum(owed), np.cumsum(due)
    cuts = np.union1d(paid, received)
    i, j, grams = np.searchsorted(paid, cuts), np.searchsorted(received, cuts), np.diff(cuts, prepend=0)  # fmt: skip
    some = grams > 0
    return i[some], j[some], grams[some]


def _whole_flows(
    i: NDArray[np.intp],
    j: NDArray[np.intp],
    flows: NDArray[np.float64],
    owed: NDArray[np.int64],
    due: NDArray[np.int64],
) -> list[tuple[int, int, int]]:
    """Return flows in whole grams along the edges of a basic solution, which is a forest: leaf by leaf, each edge takes what its leaf has left."""
    # Payers are nodes 0, 1, ..., receivers those after them.
    left = [int(value) for value in (*owed, *due)]
    ways: list[set[int]] = [set() for _ in left]
    edges = [(int(a), int(b) + len(owed), flow) for a, b, flow in zip(i, j, flows, strict=True) if flow]  # fmt: skip
    for payer, receiver, _ in edges:
        ways[payer].add(receiver)
        ways[receiver].add(payer)
    found: list[tuple[int, int, int]] = []

    def pay(payer: int, receiver: int, most: int) -> None:
        grams = min(left[payer], left[receiver], most)
        left[payer] -= grams
        left[receiver] -= grams
        if grams:
            found.append((payer, receiver - len(owed), grams))

    leaves = [node for node, own in enumerate(ways) if len(own) == 1]
    while leaves:
        leaf = heapq.heappop(leaves)
        if not ways[leaf]:  # its only edge was that of another leaf
            continue
        inner = ways[leaf].pop()
        ways[inner].discard(leaf)
        if len(ways[inner]) == 1:
            heapq.heappush(leaves, inner)
        pay(min(leaf, inner), max(leaf, inner), left[leaf])
    # Should a solution not be basic, it has rings, whose edges take what the solver says.
    for payer, receiver, flow in edges:
        if receiver in ways[payer]:
            pay(payer, receiver, round(flow))
    # What rounding of the solver left on no edge: grams, paid in the order of the places.
    rest = np.array(left, np.int64)
    one, other, more = _along_the_rows(rest[: len(owed)], rest[len(owed) :])
    return [*found, *zip(one.tolist(), other.tolist(), more.tolist(), strict=True)]
