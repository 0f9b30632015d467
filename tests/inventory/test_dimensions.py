"""Measures compute with dimensions as numbers would."""

from __future__ import annotations

import numpy as np
import pytest

from carbongrid.errors import InputError
from carbongrid.inventory import equations
from carbongrid.inventory.dimensions import Measure
from carbongrid.inventory.factors import read_unit


def of(unit: str) -> Measure:
    return Measure(read_unit(unit).dimension)


def test_products_and_sums() -> None:
    mass = of("t")
    assert (of("m3") * of("MJ/m3") * of("t C/TJ")).dimension == mass.dimension
    assert (2 * mass / 3).dimension == mass.dimension
    assert (mass - of("kt")).dimension == mass.dimension
    assert (1 - of("fraction")).dimension == ()
    for wrong in (
        lambda: mass + 1,
        lambda: 1 - mass,
        lambda: mass + of("ha"),
        lambda: mass**0.59,
        lambda: mass >= 1,
    ):
        with pytest.raises(InputError, match="cannot be added up"):
            wrong()


def test_an_exponent_must_be_a_plain_number() -> None:
    assert float(of("fraction")) == 1.0
    with pytest.raises(InputError):
        np.asarray(of("t"), dtype=np.float64)


def test_a_term_says_what_it_would_be() -> None:
    plain = of("fraction")
    decay = equations.landfill_decay(
        of("t"), plain, plain, plain, plain, of("t"), plain, of("1/yr"), plain
    )
    assert decay.dimension == of("t").dimension
    with pytest.raises(InputError):
        equations.landfill_decay(
            of("t"), plain, plain, plain, plain, of("ha"), plain, of("1/yr"), plain
        )
