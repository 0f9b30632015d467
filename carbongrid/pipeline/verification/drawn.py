"""How sure zones are, drawn again from the run's own files."""

from __future__ import annotations

import numpy as np

from carbongrid.method.columns import UNIT_DRAWN
from carbongrid.method.probability.uncertainty import uncertainty_of
from carbongrid.method.probability.zone_probability import FIRM, draw_zones, unit_columns
from carbongrid.method.tonnes import counted
from carbongrid.pipeline.run_carriers import RunCarriers
from carbongrid.pipeline.verification.opened import Opened
from carbongrid.pipeline.verification.verdict import Check, check_of

_HINT = "Run the case again with --replace."


def check_drawn(run: Opened) -> Check:
    """Compare what units.csv says of draws with draws of the same seed; of a published run, whether it can be."""
    units, told = run.units, run.manifest["parameters"]
    if "firm" not in units:
        if told.get("draws"):
            return check_of("probability", ["units.csv lacks what was drawn"], "", _HINT)
        return Check("probability", True, "zones were not drawn", made=False)
    zoned, sure = (units["zone"] > 0).to_numpy(bool), units["zone_probability"].to_numpy(float)
    firm = units["firm"].to_numpy(bool)
    right = np.where(zoned, (sure >= 0) & (sure <= 1) & (firm == (sure >= FIRM)), np.isnan(sure) & ~firm)  # fmt: skip
    faults = [
        f"units.csv, unit {code}: zone_probability and firm contradict each other"
        for code in units["id"][~right]
    ]
    text = (
        f"{counted(int(zoned.sum()), 'zone')} with a probability between 0 and 1, firm from {FIRM}"
    )
    if not run.public:
        carriers = RunCarriers(run.folder)
        again = draw_zones(
            carriers.on_land,
            uncertainty_of(run.manifest),
            draws=told["draws"],
            seed=told["seed"],
            sources=False,
        )
        found = unit_columns(again.table)
        for name in UNIT_DRAWN:
            same = np.isclose(units[name].to_numpy(float), found[name].to_numpy(float), 1e-9, 0, equal_nan=True)  # fmt: skip
            faults += [
                f"units.csv, unit {code}: {name} is not what {told['draws']} draws give"
                for code in units["id"][~same]
            ]
        text = f"{counted(int(zoned.sum()), 'zone')} drawn again {told['draws']:,} times"
    return check_of("probability", faults, text, _HINT)
