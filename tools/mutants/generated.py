"""Faults that are generated: operators of Cosmic Ray at places drawn from every module of a room.

First places are drawn, as many of a module as it has lines, then one fault of each place: else a sum, that may become a product
and nine other things, would be drawn ten times as often as a condition. What is drawn goes by a hash of the seed, the line and the
function that it is in, so that an edit elsewhere in the module changes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.operators.operator import Operator
from cosmic_ray.operators.provider import OperatorProvider
from parso.tree import NodeOrLeaf

from mutants.copies import ROOT, Mutant
from mutants.counted import Counted, bytecode
from mutants.rooms import modules, tests_of
from mutants.survivors import Fault

PER_ROOM, SEED = 40, 1

_ARITHMETIC = {"Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow"}
_BITS = {"BitOr", "BitAnd", "BitXor"}
_ORDER = {"Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"}
_ALIKE = (_ARITHMETIC, _BITS, {"RShift", "LShift"}, _ORDER, {"Is", "IsNot"})
"""What one becomes the other: `<<` for `+` of two names of files would only be a TypeError, which any test notices."""


def _operators() -> dict[str, Operator]:
    """Return the operators that need no arguments and turn like into like."""
    provider = OperatorProvider()
    found = {}
    for name in sorted(provider):
        swap = re.fullmatch(r"Replace(?:Binary|Comparison)Operator_([A-Za-z]+)_([A-Za-z]+)", name)
        alike = swap is None or any({*swap.groups()} <= kind for kind in _ALIKE)
        if alike and not name.startswith("Variable") and not name.endswith("_Not"):
            found[name] = provider[name]()
        # Only `not` that is taken away is left of it: `not x` for `-x` is no slip of a hand.
    return found


OPERATORS = _operators()

_NOT_OF_TEXT = {
    name
    for name in OPERATORS
    if name.startswith(("ReplaceBinary", "ReplaceComparison"))
    and not name.endswith(("_Eq_NotEq", "_NotEq_Eq"))
}
"""Text has no order and no product: `>= "pois"` is no slip, and `folder * "name"` a TypeError."""


def _beside_text(nodes: Sequence[NodeOrLeaf]) -> set[tuple[int, int]]:
    """Return the positions of operators that have a text on one side."""
    return {
        operator.start_pos
        for node in nodes
        if node.type in ("comparison", "term", "arith_expr")
        for left, operator, right in zip(*(node.children[skip:] for skip in range(3)), strict=False)
        if {"string", "fstring"} & {left.type, right.type}
    }


@dataclass(frozen=True)
class Site:
    """Where an operator can work, and what identifies it.

    Parameters
    ----------
    operator, occurrence
        Cosmic Ray's operator, and which of its sites in the module this is.
    function
        The function that the line is in, with its class.
    line, number
        The line without blanks around it; which of the equal lines of the module it is, and the column.
    at
        Row of the line, from 0.
    variant
        Which of the things that the operator does here.
    """

    operator: str
    occurrence: int
    function: str
    line: str
    number: tuple[int, int]
    at: int
    variant: int

    @property
    def place(self) -> tuple[object, ...]:
        """What sites of one place have in common."""
        return self.function, self.line, self.number


@dataclass(frozen=True)
class Generated:
    """One fault: what an operator makes of a line, the nth of equal lines; ``text`` is the whole module with it."""

    file: str
    function: str
    operator: str
    line: str
    becomes: str
    nth: int
    text: str

    @property
    def name(self) -> str:
        """What is printed."""
        return f"{self.file} {self.function}: {self.line}  ->  {self.becomes}"

    @property
    def digest(self) -> str:
        """Of the module with it."""
        return hashlib.sha256(f"{self.file}\n{self.text}".encode()).hexdigest()

    def mutant(self) -> Mutant:
        """Return it as what is planted."""
        sound = (ROOT / "carbongrid" / self.file).read_text(encoding="utf-8")
        return Mutant(self.name, self.file, sound, self.text, tests_of(self.file))


class Module:
    """A module and the faults that can be generated in it."""

    def __init__(self, file: str, root: Path = ROOT) -> None:
        self.file = file
        self.source = (root / "carbongrid" / file).read_text(encoding="utf-8")
        self.lines = [line.strip() for line in self.source.splitlines()]

    @cached_property
    def sites(self) -> dict[tuple[object, ...], list[Site]]:
        """Every site that counts, by its place."""
        counted = Counted(self.source)
        nodes = [
            node
            for node in ast_nodes(get_ast(self.source))
            # The marks * and / between parameters are no operators.
            if node.parent is None or node.parent.type != "parameters"
        ]
        texts = _beside_text(nodes)
        indents = [len(line) - len(line.lstrip()) for line in self.source.splitlines()]
        found: defaultdict[tuple[object, ...], list[Site]] = defaultdict(list)
        for name, operator in OPERATORS.items():
            starts = [start for node in nodes for start, _ in operator.mutation_positions(node)]
            for occurrence, start in enumerate(starts):
                if counted.counts(start) and not (name in _NOT_OF_TEXT and start in texts):
                    at, line = start[0] - 1, self.lines[start[0] - 1]
                    number = (self.lines[:at].count(line), start[1] - indents[at])
                    variant = starts[:occurrence].count(start)
                    function = counted.function(start)
                    site = Site(name, occurrence, function, line, number, at, variant)
                    found[site.place].append(site)
        return found

    @cached_property
    def _bytecode(self) -> tuple[object, ...] | None:
        return bytecode(self.source)

    def fault(self, site: Site) -> Generated | None:
        """Return the fault of a site, or None if it does not compile, or compiles to the same."""
        operator = OPERATORS[site.operator]
        try:
            text = _Visitor.mutate_code(self.source, operator, site.occurrence)
        except AttributeError:  # of an operator that does not know `except module.Error`
            return None
        if text is None or bytecode(text) in (None, self._bytecode):
            return None
        gone = site.operator == "RemoveDecorator"
        becomes = "" if gone else text.splitlines()[site.at].strip()
        nth = site.number[0]
        return Generated(self.file, site.function, site.operator, site.line, becomes, nth, text)

    def drawn(self, count: int, seed: int) -> list[Generated]:
        """Return one fault of each of so many places."""

        def turn(*of: object) -> bytes:
            return hashlib.sha256(repr((seed, self.file, *of)).encode()).digest()

        def one_of(place: tuple[object, ...]) -> Generated | None:
            by_turn = sorted(
                self.sites[place], key=lambda site: turn(place, site.operator, site.variant)
            )
            return next((fault for site in by_turn if (fault := self.fault(site))), None)

        places = sorted(self.sites, key=turn)
        return list(islice((fault for place in places if (fault := one_of(place))), count))

    def holds(self, fault: Fault) -> bool:
        """Tell whether a fault of the list of survivors can be generated (still)."""
        sites = [
            site
            for some in self.sites.values()
            for site in some
            if (site.operator, site.function, site.line, site.number[0])
            == (fault.operator, fault.function, fault.line, fault.nth)
        ]
        made = (self.fault(site) for site in sites)
        return any(each is not None and each.becomes == fault.becomes for each in made)


class _Visitor(MutationVisitor):  # type: ignore[misc]
    """Cosmic Ray's, but for the marks between parameters."""

    def visit(self, node: NodeOrLeaf) -> NodeOrLeaf:
        if node.parent is not None and node.parent.type == "parameters":
            return node
        return super().visit(node)


def drawn(room: str, count: int, seed: int) -> list[Generated]:
    """Return the faults of a room, of each module as many as its lines demand."""
    found = [Module(file) for file in modules(room)]
    found = [module for module in found if module.sites]
    shares = in_proportion([len(module.lines) for module in found], count)
    return [
        fault
        for module, share in zip(found, shares, strict=True)
        for fault in module.drawn(share, seed)
    ]


def in_proportion(sizes: Sequence[int], count: int) -> list[int]:
    """Split a count by sizes, by largest remainder, at least one each."""
    whole = sum(sizes)
    shares = [max(1, count * size // whole) for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda at: -(count * sizes[at] % whole))
    for at in by_remainder[: max(0, count - sum(shares))]:
        shares[at] += 1
    return shares
