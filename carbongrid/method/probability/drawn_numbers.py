"""What is drawn for a run: totals, claims and coefficients, each by streams of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.method.draws import Stream, sigma_of_percent
from carbongrid.method.probability.settings import Setting, given, setting
from carbongrid.method.spread_draws import Carriers, CategoryDraws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.method.categories import Category
    from carbongrid.method.probability.mass_on_land import Accounts, MassOnLand
    from carbongrid.method.probability.uncertainty import Uncertainty


_WIDEST_REST = sigma_of_percent(100)


@dataclass(frozen=True)
class DrawnCategory:
    """A category, draw by draw.

    Parameters
    ----------
    base : float64, shape (units,)
        Its mass in each unit as the run has it: whole grams.
    claims
        Of its parcels.
    accounts : float64, shape (draws, accounts)
        What the mass that is spread by claims is multiplied by, where totals are drawn.
    facilities : float64, shape (facilities, units)
        Grams of its facilities.
    of_facilities : float64, shape (draws, facilities)
        What they are multiplied by, where totals are drawn.
    coefficients : float64, shape (draws, kinds)
        What the mass of each kind of sink is multiplied by, where sinks are drawn.
    drawn
        Sources that move it.
    settings
        What it was taken to be uncertain by.
    """

    base: NDArray[np.float64]
    claims: CategoryDraws
    accounts: NDArray[np.float64]
    facilities: NDArray[np.float64]
    of_facilities: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    drawn: frozenset[str]
    settings: tuple[Setting, ...]

    @property
    def varies(self) -> bool:
        """Whether anything of it is drawn."""
        return bool(self.drawn)

    def masses(
        self, draws: range, wanted: Collection[frozenset[str]]
    ) -> Iterator[tuple[frozenset[str], NDArray[np.float64]]]:
        """Yield the mass of the units in some draws, shape (draws, units), for each of the wanted sets of sources; claims are drawn once for all."""
        rows = slice(draws.start, draws.stop)
        claimed = None
        for used in wanted:
            moved = used & self.drawn
            if not moved:
                yield used, np.broadcast_to(self.base, (len(draws), self.base.size))
                continue
            if "weights" in moved and claimed is None:
                claimed = self.claims.drawn(draws)
            by = claimed if "weights" in moved and claimed else self.claims.as_it_is(len(draws))
            totals = "totals" in moved
            found = self.claims.masses(
                by,
                kinds=self.coefficients[rows] if "sinks" in moved else None,
                accounts=self.accounts[rows] if totals else None,
            )[:, :-1]
            if self.facilities.size:
                of_each = self.of_facilities[rows] if totals else np.ones((1, len(self.facilities)))
                found = found + of_each @ self.facilities
            yield used, found


def drawn_category(
    run: MassOnLand,
    category: Category,
    uncertainty: Uncertainty,
    kinds: list[str],
    coefficients: NDArray[np.float64],
    draws: int,
    seed: int,
) -> DrawnCategory:
    """Return the draws of a category.

    Parameters
    ----------
    run, category
        What the run has on its land, and which of its categories.
    uncertainty
        How uncertain it is.
    kinds, coefficients
        Kinds of sinks and their factors, shape (draws, kinds).
    draws, seed
        How many, and the seed of the streams.
    """
    name = category.name
    accounts = run.accounts(name)
    carriers = run.carriers(category, uncertainty, kinds)
    if name in run.inventory:
        factors, of_totals = _drawn_totals(run, name, accounts, draws, seed)
        # Its factors' bounds are in the draws, those of land's coefficients among them.
        coefficients = np.ones_like(coefficients)
        of_sinks = []
    else:
        factors, of_totals = _totals(name, accounts, uncertainty, draws, seed)
        carriers, coefficients = _but_of_known_totals(name, accounts, carriers, coefficients, uncertainty)  # fmt: skip
        used = [kinds[each] for each in np.unique(carriers.kind) if each < len(kinds)]
        of_sinks = [setting("sinks", kind, uncertainty.of("sinks", kind)) for kind in used]
    named = run.named(name)
    by_unit = named.grams.astype(np.float64)
    account = accounts.of_unit[named.home]
    of_facilities, of_own = _facility_factors(
        name, named.names, factors[:, account], uncertainty, draws, seed
    )
    rest = _rest(accounts, factors, by_unit.sum(axis=1), account, of_facilities)
    drawn = {"weights"} if (carriers.sigma or carriers.tau) and carriers.mass.size else set()
    drawn |= {"totals"} if (factors != 1).any() or any(row["percent"] for row in of_own) else set()
    drawn |= {"sinks"} if (coefficients[:, np.unique(carriers.kind)] != 1).any() else set()
    weights = setting("weights", name, uncertainty.of("weights", name, run.rule_of(category)))
    of_weights = [weights] if carriers.mass.size else []
    return DrawnCategory(
        base=run.units[name].to_numpy(np.float64),
        claims=CategoryDraws(name, carriers, len(run.units), seed),
        accounts=rest,
        facilities=by_unit[:, :-1],
        of_facilities=of_facilities,
        coefficients=coefficients,
        drawn=frozenset(drawn),
        settings=(*of_totals, *of_own, *of_weights, *of_sinks),
    )


def _but_of_known_totals(
    name: str,
    accounts: Accounts,
    carriers: Carriers,
    coefficients: NDArray[np.float64],
    uncertainty: Uncertainty,
) -> tuple[Carriers, NDArray[np.float64]]:
    """Return carriers and coefficients such that these are 1 where the table says how sure the total is: what the coefficient adds is in that already."""
    known = [(name, region) in uncertainty.totals for region in accounts.regions]
    if not carriers.kind.size or not any(known):
        return carriers, coefficients
    of_carrier = np.array([*known, False])[carriers.account[carriers.home]]
    kind = np.where(of_carrier, coefficients.shape[1], carriers.kind)
    ones = np.ones((len(coefficients), 1))
    return replace(carriers, kind=kind), np.hstack([coefficients, ones])


def kind_factors(
    kinds: list[str], uncertainty: Uncertainty, draws: int, seed: int
) -> NDArray[np.float64]:
    """Return what the coefficients of sinks are multiplied by, shape (draws, kinds)."""
    columns = [np.ones((draws, 0))]
    for kind in kinds:
        rule = uncertainty.of("sinks", kind)
        stream = Stream(seed, "sinks", rule.group or kind)
        columns.append(stream.lognormals(draws, 1, sigma_of_percent(rule.percent)))
    return np.hstack(columns)


def _totals(
    name: str, accounts: Accounts, uncertainty: Uncertainty, draws: int, seed: int
) -> tuple[NDArray[np.float64], list[Setting]]:
    """Return what the figure of each account is multiplied by, the whole's among them, shape (draws, accounts)."""
    rule = uncertainty.of("totals", name)
    common = Stream(seed, "totals", f"group {rule.group}" if rule.group else name)
    regions = (*accounts.regions, *([] if "" in accounts.regions else [""]))
    own = [uncertainty.totals.get((name, region)) for region in regions]
    sigma = np.array([sigma_of_percent(rule.percent if each is None else each) for each in own])
    whole = regions.index("")
    if own[whole] is not None and len(regions) > 1:
        sigma[whole] = _sigma_of_rest(accounts.grams, whole, sigma, [each is None for each in own])
    factors = np.full((draws, len(regions)), np.nan)
    # The numbers of a category are drawn once, however many regions follow it: all as unsure as it is, but for what they leave of the whole.
    follows = np.array([each is None for each in own])
    for wide in np.unique(sigma[follows]).tolist():
        factors[:, follows & (sigma == wide)] = common.lognormals(draws, 1, wide)
    for number in np.flatnonzero(~follows).tolist():
        # Whoever says how sure a figure is knows it by itself: it has a draw that nothing else has.
        stream = Stream(seed, "totals of their own", f"{name}\n{regions[number]}")
        factors[:, [number]] = stream.lognormals(draws, 1, float(sigma[number]))
    settings = dict[tuple[str, float | None], Setting]()
    for region, percent, grams in zip(regions, own, accounts.grams.tolist(), strict=True):
        what = name if percent is None else f"{name} {region}".strip()
        if grams and (what, percent) not in settings:
            settings[what, percent] = setting("totals", name, rule) if percent is None else given("totals", what, percent)  # fmt: skip
    return factors, list(settings.values())


def _sigma_of_rest(
    grams: NDArray[np.int64], whole: int, sigma: NDArray[np.float64], follows: list[bool]
) -> float:
    """Return the sigma of what regions leave of a whole such that both together are as unsure as the whole is said to be.

    The rest keeps its mean, and is as unsure as the whole at least: where regions alone are less sure than the whole, so are all together. It is no less sure than
    100 %, unless the whole is: of a small rest all together are then surer than the whole says. Regions that follow the category move alike.
    """
    if not grams[whole]:
        return float(sigma[whole])
    mass = grams / grams.sum()
    told = np.expm1(sigma[whole] ** 2)
    alike = np.outer(follows, follows) | np.eye(mass.size, dtype=bool)
    shared = np.outer(mass, mass) * np.where(alike, np.expm1(np.outer(sigma, sigma)), 0.0)
    of_regions = np.delete(np.delete(shared, whole, 0), whole, 1).sum()
    left = max((told - of_regions) / mass[whole] ** 2, told)
    # Of a rest of a few percent most draws would be next to nothing.
    return float(min(np.sqrt(np.log1p(left)), max(sigma[whole], _WIDEST_REST)))


def _drawn_totals(
    run: MassOnLand, name: str, accounts: Accounts, draws: int, seed: int
) -> tuple[NDArray[np.float64], list[Setting]]:
    """Return what each account is multiplied by in the inventory's own draws: the same draw for all categories, so that what they share is shared."""
    drawn = run.inventory[name]
    which = Stream(seed, "totals", "inventory").whole(draws, drawn.size)
    columns = np.repeat(drawn[which][:, None], accounts.grams.size, axis=1)
    half = 100 * (np.quantile(drawn, 0.975) - np.quantile(drawn, 0.025)) / 2
    row = {"source": "totals", "of": name, "percent": float(half), "sigma": 0.0, "tau": 0.0, "group": "inventory"}  # fmt: skip
    return columns, [{**row, "basis": "drawn", "origin": "the inventory's own draws of factors and amounts"}]  # fmt: skip


def _facility_factors(
    category: str,
    names: Sequence[str],
    of_account: NDArray[np.float64],
    uncertainty: Uncertainty,
    draws: int,
    seed: int,
) -> tuple[NDArray[np.float64], list[Setting]]:
    """Return what facilities are multiplied by: what their total is, unless their table says how sure they are."""
    factors = np.array(of_account).reshape(draws, len(names))
    own = []
    for number, name in enumerate(names):
        percent = uncertainty.facilities.get((category, name))
        if percent is not None:
            stream = Stream(seed, "totals", f"{category} facility {name}")
            factors[:, [number]] = stream.lognormals(draws, 1, sigma_of_percent(percent))
            own.append(given("totals", f"{category}, {name}", percent))
    return factors, own


def _rest(
    accounts: Accounts,
    factors: NDArray[np.float64],
    facilities: NDArray[np.float64],
    of: NDArray[np.int64],
    of_facilities: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what the mass beside the facilities is multiplied by: what the drawn total leaves, nothing below 0."""
    grams = accounts.grams.astype(np.float64)
    named = np.zeros(factors.shape)
    known = np.bincount(of, facilities, grams.size)
    for number in range(facilities.size):
        named[:, of[number]] += of_facilities[:, number] * facilities[number]
    left = grams - known
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(left > 0, np.maximum(factors * grams - named, 0.0) / left, 1.0)
    # Where facilities follow their total the rest does, to the last bit.
    same = np.ones(grams.size, bool)
    for number in range(facilities.size):
        same[of[number]] &= bool((of_facilities[:, number] == factors[:, of[number]]).all())
    return np.where(same, factors, rest)
