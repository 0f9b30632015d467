"""docs/inventory.md: every worked example computed as it stands there, and formed by the package."""

from __future__ import annotations

import ast
import csv
import math
import operator
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from data import ROOT, data_folder

from carbongrid import inventory
from carbongrid.inventory import Line
from carbongrid.inventory.activity import SETTINGS, ActivityData, ActivityRow
from carbongrid.inventory.factors import catalogue
from carbongrid.inventory.methods import methods_of
from carbongrid.inventory.sink_sets import SinkRow, SinkSet
from carbongrid.inventory.terms import TERMS
from carbongrid.method.categories import read_categories

EVERYTHING = SinkSet(
    "all", (SinkRow("land/*", ("land", "ch4"), "a test"), SinkRow("crop/*", ("crop",), "a test"))
)
PAGE = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
_ROW = re.compile(
    r"\| (\d) \| `([\w/-]+)` ([\d.]+) (.+?)(?:, `(.+?)`)? \| ([\w-]+) \| (.+?) \| ([\d.]+) \| (\w+) \| (.+) \|"
)
EXAMPLES = [match.groups(default="") for match in map(_ROW.fullmatch, PAGE.split("\n")) if match]
_OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def by_hand(text: str) -> tuple[Fraction, set[Fraction]]:
    """Return what a sum comes to, exactly, and the numbers in it."""
    numbers = set()

    def value(node: ast.expr) -> Fraction:
        if isinstance(node, ast.Constant):
            number = Fraction(str(node.value))
            numbers.add(number)
            return number
        if isinstance(node, ast.UnaryOp):
            return -value(node.operand)
        if isinstance(node, ast.Call):
            return Fraction(math.exp(value(node.args[0])))
        assert isinstance(node, ast.BinOp)
        return Fraction(_OPERATIONS[type(node.op)](value(node.left), value(node.right)))

    return value(ast.parse(text.replace("×", "*").replace("^", "**"), mode="eval").body), numbers


def formed(
    activity: str, amount: str, unit: str, parameters: str, category: str = ""
) -> tuple[Line, ...]:
    """Return the products of one row."""
    pairs = dict(part.split("=", 1) for part in parameters.split("; ") if part)
    home = category or _home(activity, parameters)
    sector = read_categories()[home].sector
    sheet = "sinks" if sector == "sink" else sector
    row = ActivityRow(
        "page",
        sheet,
        2,
        "x",
        activity,
        home,
        Decimal(amount),
        amount,
        unit,
        pairs,
        None,
        "",
        "",
        "",
    )
    data = ActivityData("page", (row,), {**SETTINGS, "year": "2020", "upstream": "include"}, ())
    return inventory.form(data, sinks=EVERYTHING).lines


def _home(activity: str, parameters: str) -> str:
    from carbongrid.inventory.activity import activities

    return next(iter(activities()[activity].categories), "")


HOMES = {"2": "industry/manufacturing", "3": "buildings/rural-homes", "4": "transport/road"}


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[f"{e[1]}-{e[5]}-{n}" for n, e in enumerate(EXAMPLES)]
)
def test_a_worked_example_is_right(example: tuple[str, ...]) -> None:
    equation, activity, amount, unit, parameters, product, sums, told, gas, cited = example
    result, numbers = by_hand(sums)
    assert f"{float(round(result * 10**6)) / 10**6:.6f}" == told
    category = HOMES.get(equation, "") if not _home(activity, parameters) else ""
    lines = [
        line
        for line in formed(activity, amount, unit, parameters, category)
        if line.product == product
    ]
    assert len(lines) == 1
    assert lines[0].gas == gas
    assert str(lines[0].equation) == equation
    assert abs(lines[0].exact / 10**6 - result) < Fraction(1, 10**9)
    used = {entry.factor.key for entry in lines[0].inputs if entry.factor.key}
    for part in cited.split(", ") if cited != "-" else ():
        key = part.split(" (")[0]
        assert key in used
        assert abs(catalogue()[key].value) in numbers, key
        assert ("recalled" in part) == (catalogue()[key].status == "recalled")


def test_there_is_an_example_of_every_term_and_gas() -> None:
    shown = set()
    for _, activity, amount, unit, parameters, product, _, _, _, _ in EXAMPLES:
        lines = formed(
            activity,
            amount,
            unit,
            parameters,
            "" if _home(activity, parameters) else "buildings/commerce",
        )
        variant = lines[0].variant
        term = next(method.term for method in methods_of(activity) if method.variant == variant)
        shown.add((term, product))
    # What the balance of electricity forms is worked out in test_power_balance.py.
    terms = {name: term for name, term in TERMS.items() if not term.balance}
    wanted = {(name, product.name) for name, term in terms.items() for product in term.products}
    # Burnt by one factor, the CH4 and N2O of waste are those of its components.
    assert wanted - shown == {("incineration-by-factor", "ch4"), ("incineration-by-factor", "n2o")}


def test_liechtensteins_wastewater_beside_its_national_inventory() -> None:
    """The figures of docs/inventory.md, computed anew; no tolerance but their printed decimal, nothing tuned."""
    folder = data_folder() / "liechtenstein"
    with (folder / "municipality_population.csv").open(encoding="utf-8") as stream:
        people = sum(int(row["pop_2019_12_31"]) for row in csv.DictReader(stream))
    with (folder / "ghg_inventory_crt.csv").open(encoding="utf-8") as stream:
        rows = [
            row
            for row in csv.DictReader(stream)
            if (row["year"], row["crt_code"]) == ("2019", "5.D")
        ]
    national = {row["gas"].upper(): Decimal(row["value_tco2e_ar5"]) for row in rows}
    assert f"the {people:,} residents" in PAGE
    for label, key in (
        ("well-managed aerobic plants (MCF 0)", "ipcc.ww.mcf.aerobic_well_managed"),
        ("discharge into water (MCF 0.1)", "ipcc.ww.mcf.discharge_water"),
        ("overloaded aerobic plants (MCF 0.3)", "ipcc.ww.mcf.aerobic_overloaded"),
    ):
        lines = formed("wastewater/domestic", str(people), "person", f"correction={key}; served=1")
        mass = {line.gas: line.exact / 10**6 for line in lines}
        assert set(mass) == {"CH4", "N2O"}
        assert (
            f"| residents, {label} | {float(mass['CH4'] * 28):.1f} | {float(mass['N2O'] * 265):.1f} |"
            in PAGE
        )
    assert f"| national inventory, 5.D | {national['CH4']:.1f} | {national['N2O']:.1f} |" in PAGE
    whole = formed("wastewater/domestic", str(people), "person", "correction=1")[0].exact / 10**6
    assert f"an MCF of {float(Fraction(national['CH4']) / 28 / whole):.4f}." in PAGE
    assert "0.03 (0.003-0.09)" in catalogue()["ipcc.ww.mcf.aerobic_well_managed"].note
