"""How tables of analyses write their numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from carbongrid.analysis.files import write_csvs, write_exact_csvs


def test_a_small_index_keeps_its_digits_and_tonnes_end_at_the_gram(tmp_path):
    """Of a unit with next to no GDP and sink. Seen to fail: ECC of 7.5e-8 was written as 0.000000."""
    table = pd.DataFrame(
        {
            "unit": ["00", "01", "02"],
            "ecc_p50": [1.629890123, 7.5e-8, np.nan],
            "esc": [0.0, 1.4995712345e-7, -0.00012345678],
            "p1": [0.001, 0.0125, 1.0],
            "sink_t_p50": [342092.399153, 0.000034999, 0.0],
            "firm": [True, False, False],
            "count": [1, 2, 3],
            "elasticity": [-np.inf, np.inf, 0.5],
        }
    )
    lines = [
        "unit,ecc_p50,esc,p1,sink_t_p50,firm,count,elasticity",
        "00,1.629890,0.000000,0.001000,342092.399153,true,1,-inf",
        "01,0.000000075,0.000000149957,0.012500,0.000035,false,2,inf",
        "02,,-0.000123457,1.000000,0.000000,false,3,0.500000",
    ]
    [path] = write_csvs({"a.csv": table}, tmp_path)
    assert path.read_text(encoding="utf-8").splitlines() == lines
    # Seen to fail: '-inf, a text, for which the whole column was one.
    assert pd.read_csv(path)["elasticity"].tolist() == [-np.inf, np.inf, 0.5]
    [path] = write_csvs(
        {"c.csv": pd.DataFrame({"name": ["-inf()", "-info", "--inf", "-inf"]})}, tmp_path
    )
    assert path.read_text(encoding="utf-8").split() == [
        "name",
        "'-inf()",
        "'-info",
        "'--inf",
        "-inf",
    ]
    exact = table.drop(columns=["sink_t_p50", "elasticity"]).assign(
        sink_g=pd.array([5, 2**60 + 1, None], "Int64")
    )
    [path] = write_exact_csvs({"b.csv": exact}, tmp_path)
    assert path.read_text(encoding="utf-8").splitlines() == [
        "unit,ecc_p50,esc,p1,firm,count,sink_t",
        "00,1.629890,0.000000,0.001000,true,1,0.000005",
        "01,0.000000075,0.000000149957,0.012500,false,2,1152921504606.846977",
        "02,,-0.000123457,1.000000,false,3,",
    ]
