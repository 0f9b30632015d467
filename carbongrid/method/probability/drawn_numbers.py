"""What is drawn for a run: totals, claims, coefficients and GDP, each by streams of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.method.draws import Stream, sigma_of_percent
from carbongrid.method.probability.uncertainty import Rule
from carbongrid.method.spread_draws import Carriers, CategoryDraws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.method.categories import Category
    from carbongrid.method.probability.mass_on_land import Accounts, MassOnLand
    from carbongrid.method.probability.uncertainty import Uncertainty

NORMAL_90 = 1.6448536269514722
"""Half of a normal distribution's 90 % interval, in standard deviations."""

Setting = dict[str, Any]
"""A row of what the draws rest on."""


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
        of_sinks = [_setting("sinks", kind, uncertainty.of("sinks", kind)) for kind in used]
    named = run.named(name)
    by_unit = named.grams.astype(np.float64)
    account = accounts.of_unit[run.home[named.parcel]]
    of_facilities, of_own = _facility_factors(
        name, named.names, factors[:, account], uncertainty, draws, seed
    )
    factors = _left_by_regions(accounts, factors)
    rest = _rest(accounts, factors, by_unit.sum(axis=1), account, of_facilities)
    drawn = {"weights"} if (carriers.sigma or carriers.tau) and carriers.mass.size else set()
    drawn |= {"totals"} if (factors != 1).any() or any(row["percent"] for row in of_own) else set()
    drawn |= {"sinks"} if (coefficients[:, np.unique(carriers.kind)] != 1).any() else set()
    weights = _setting("weights", name, uncertainty.of("weights", name, run.rule_of(category)))
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


def drawn_gdp(
    run: MassOnLand, uncertainty: Uncertainty, draws: int, seed: int
) -> tuple[NDArray[np.float64], list[Setting]]:
    """Return the GDP of the units, drawn, shape (draws, units), NaN where unknown, and what that rests on."""
    gdp = run.units["gdp"].to_numpy(np.float64, na_value=np.nan)
    by = run.gdp_by
    if by not in (None, "unit"):
        return _split_gdp(run, gdp, by, uncertainty, draws, seed)
    rule = uncertainty.of("gdp", "unit")
    percents = [uncertainty.gdp.get(code, rule.percent) for code in run.units["id"]]
    sigma = np.array([sigma_of_percent(percent) for percent in percents])
    factors = Stream(seed, "gdp", "unit").lognormals(draws, gdp.size, sigma)
    known = run.units["id"][~np.isnan(gdp)].astype(str)
    return gdp * factors, _settings_of_gdp(known, "unit", rule, uncertainty)


def _settings_of_gdp(
    codes: Collection[str], by: str, rule: Rule, uncertainty: Uncertainty
) -> list[Setting]:
    """Return the row by which the GDP of these is drawn if their table says nothing, and one for each of which it does."""
    default = [] if all(code in uncertainty.gdp for code in codes) else [_setting("gdp", by, rule)]
    given = [_given("gdp", code, uncertainty.gdp[code]) for code in codes if code in uncertainty.gdp]  # fmt: skip
    return [*default, *given]


def _split_gdp(
    run: MassOnLand,
    gdp: NDArray[np.float64],
    by: str,
    uncertainty: Uncertainty,
    draws: int,
    seed: int,
) -> tuple[NDArray[np.float64], list[Setting]]:
    """Return GDP whose split over the units of a parent is drawn, and the parent's GDP where somebody says how sure it is.

    A unit that got nothing but may have something takes part.
    """
    low, high = (
        run.units[name].to_numpy(np.float64, na_value=np.nan) for name in ("gdp_low", "gdp_high")
    )
    claims = np.where(np.isnan(gdp), 0.0, gdp)
    y = Stream(seed, "gdp", "split").normals(draws, gdp.size)
    drawn = np.broadcast_to(gdp, (draws, gdp.size)).copy()
    rule, widest, codes = uncertainty.of("gdp", by), 0.0, []
    for code in sorted({str(each) for each in run.units[by]}):
        inside = np.flatnonzero(
            (run.units[by].astype(str) == code).to_numpy() & ((claims > 0) | (high > 0))
        )
        if not inside.size:
            continue
        codes.append(code)
        percent = uncertainty.gdp.get(code, rule.percent)
        factor = Stream(seed, "gdp", f"{by} {code}").lognormals(draws, 1, sigma_of_percent(percent))
        whole = claims[inside].sum() * factor
        if inside.size < 2:
            drawn[:, inside] *= factor
            continue
        share, tau = _shares_and_tau(claims[inside], low[inside], high[inside])
        widest = max(widest, float(tau.max()))
        weight = share * np.exp(tau * y[:, inside])
        drawn[:, inside] = whole * weight / weight.sum(axis=1, keepdims=True)
    origin = "widths of the intervals gdp_low to gdp_high of units.csv (docs/decisions/0060); tau is that of the least sure unit"
    row = {
        "source": "gdp",
        "of": f"split by {by}",
        "percent": 0.0,
        "sigma": 0.0,
        "tau": widest,
        "group": "",
    }
    of_split = [{**row, "basis": "as in the run", "origin": origin}] if widest else []
    return drawn, [*of_split, *_settings_of_gdp(codes, by, rule, uncertainty)]


def _shares_and_tau(
    claims: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the shares by which a parent's GDP is drawn, and the tau of each.

    A unit's claim is its GDP times exp(tau_i*y). tau_i is such that the logit of its share has the 90 % interval that the run gives it
    (docs/decisions/0060), as if that were normal. A unit without GDP has but the upper end of one, made of half the least claim: it takes the tau
    of the least sure of the others, and the share that this end then belongs to.
    """
    claimed = claims > 0
    share = np.where(claimed, claims, claims[claimed].min() / 2)
    share /= share.sum()
    bottom, top = (_logit(np.clip(end / claims.sum(), 1e-9, 1 - 1e-9)) for end in (low, high))
    others = ((share**2).sum() - share**2) / (1 - share) ** 2
    # Who alone has GDP has all of it, and no upper end.
    half = (top - bottom) / 2 if claimed.sum() > 1 else _logit(share) - bottom
    tau = half / NORMAL_90 / np.sqrt(1 + others)
    tau = np.where(claimed, tau, tau[claimed].max())
    odds = np.exp(top - NORMAL_90 * tau * np.sqrt(1 + others))
    return np.where(claimed, share, odds * (1 - share)), tau


def _logit(share: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.log(share / (1 - share))
    return found


def _totals(
    name: str, accounts: Accounts, uncertainty: Uncertainty, draws: int, seed: int
) -> tuple[NDArray[np.float64], list[Setting]]:
    """Return what the figure of each account is multiplied by, the whole's among them, shape (draws, accounts)."""
    rule = uncertainty.of("totals", name)
    columns: list[NDArray[np.float64]] = []
    settings: list[Setting] = []
    regions = (*accounts.regions, *([] if "" in accounts.regions else [""]))
    for region, grams in zip(regions, accounts.grams.tolist(), strict=True):
        own = uncertainty.totals.get((name, region))
        percent = rule.percent if own is None else own
        stream, row = Stream(seed, "totals", f"group {rule.group}" if rule.group else name), _setting("totals", name, rule)  # fmt: skip
        if own is not None:
            # Whoever says how sure a figure is knows it by itself: it has a draw that nothing else has.
            stream = Stream(seed, "totals of their own", f"{name}\n{region}")
            row = _given("totals", f"{name} {region}".strip(), own)
        if grams and row not in settings:
            settings.append(row)
        columns.append(stream.lognormals(draws, 1, sigma_of_percent(percent)))
    return np.hstack(columns), settings


def _left_by_regions(accounts: Accounts, factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each account is multiplied by if that of the whole is what the drawn whole leaves beside the drawn regions, nothing below 0."""
    if "" not in accounts.regions:
        return factors
    grams, whole = accounts.grams.astype(np.float64), accounts.regions.index("")
    # Where all follow one draw what is left does, to the last bit.
    if not grams[whole] or (factors == factors[:, [whole]]).all():
        return factors
    left = factors[:, whole] * grams.sum()
    for number in range(grams.size):
        if number != whole:
            left -= factors[:, number] * grams[number]
    found = factors.copy()
    found[:, whole] = np.maximum(left, 0.0) / grams[whole]
    return found


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
            own.append(_given("totals", f"{category}, {name}", percent))
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


def _given(source: str, of: str, percent: float) -> Setting:
    """Return the row of a figure that says itself how sure it is."""
    return _setting(source, of, Rule(source, of, percent, basis="given", origin="beside the figure, in its table"))  # fmt: skip


def off(source: str) -> Setting:
    """Return the row of a source that is not drawn."""
    return _setting(source, "*", Rule(source, "*", basis="off", origin="left out of the draws"))


def _setting(source: str, of: str, rule: Rule) -> Setting:
    return {
        "source": source,
        "of": of,
        "percent": rule.percent,
        "sigma": rule.sigma,
        "tau": rule.tau,
        "group": rule.group,
        "basis": rule.basis,
        "origin": rule.origin,
    }
