"""The categories of a case are the package's with its own laid over them."""

from __future__ import annotations

import pytest
from figures_case import case_with

from carbongrid.case.readers.categories import categories_of
from carbongrid.errors import InputError


def test_allowed_categories_are_known(tmp_path):
    case = case_with(
        tmp_path, {}, allow={"fallback": ["waste/domestc"], "unallocated": ["waste/domestic"]}
    )
    with pytest.raises(
        InputError, match=r"\[allow\] fallback: unknown category.*Did you mean 'waste/domestic'"
    ):
        categories_of(case)
