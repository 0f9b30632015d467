"""The keys of a case file: what a user writes in one TOML file, with tables beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, get_args

from pydantic import BaseModel, Field, PrivateAttr, model_validator
from pydantic.fields import FieldInfo

from carbongrid.case.evidence import LinesSection, PeopleSection, PoisSection
from carbongrid.case.fields import Section, about, facts_of
from carbongrid.case.figures import (
    AllowSection,
    BenchmarkSection,
    CategoriesSection,
    FacilitiesSection,
    GdpSection,
    InventorySection,
    ReportSection,
    TotalsSection,
    UncertaintySection,
)
from carbongrid.case.land import GridSection, ParcelsSection, SurroundingsSection, UnitsSection
from carbongrid.case.notebook import card
from carbongrid.case.paths import resolve_path
from carbongrid.case.values import PlainText, Text, is_path_of, one_of, wrong
from carbongrid.inventory.electricity import READINGS
from carbongrid.method.zoning import TIES


class CaseFields(Section):
    """The sections and keys of a case, with what each means; :class:`carbongrid.Case` is read from a file."""

    title: Annotated[
        PlainText, about("Title", "text", "title of the report", example="A city like Suzhou")
    ] = ""
    year: Annotated[
        int,
        Field(ge=1800, le=2200),
        about(
            "Year",
            "year",
            "year of the totals; other years in the tables are warned of",
            example=2020,
        ),
    ]
    country: Annotated[
        str,
        about(
            "Country",
            "word",
            "whose emission factors come first, in two letters, or a province: CN/shandong; blank: that of the electricity grid, else of the land survey's codes",
            example="CN",
        ),
    ] = ""
    reference: Annotated[
        Text,
        about(
            "Reference region",
            "word or column",
            "region of C, CA and G in the indices: all, or a parent column of the units",
            example="all",
        ),
    ] = "all"
    reduce: Annotated[
        str,
        one_of("cells", "exact"),
        about(
            "Sharing of parcels",
            "word",
            "parcels across a border are shared by cells in common, or by exact area",
            example="cells",
        ),
    ] = "cells"
    electricity: Annotated[
        str | None,
        one_of(*READINGS, optional=True),
        about(
            "Electricity",
            "word",
            "which is spread where power plants and power used are both there: supply, use, both, or consumption, a balance of activity data",
            example="both",
        ),
    ] = None
    sink_floor: Annotated[
        float,
        Field(ge=0, lt=1),
        about(
            "Floor of sinks",
            "1",
            "CCR of a reference region below which ESC ranks noise: its zones are indicative",
            example=0.001,
        ),
    ] = 0.001
    ties: Annotated[
        str,
        one_of(*TIES),
        about(
            "Ties",
            "word",
            ">=: an index of exactly 1 is high; >: it is low. The study states > and < only",
            example=">=",
        ),
    ] = ">="
    basis: Annotated[
        str,
        one_of("gross", "net"),
        about(
            "Basis of shares",
            "word",
            "sector shares of gross or of net emissions (gross where sinks take up more than half); the indices are always gross",
            example="gross",
        ),
    ] = "gross"
    attribution: Annotated[
        PlainText,
        about(
            "Attribution",
            "text",
            "whom the data's licence wants named; it goes with the run's report and figures",
            example="© OpenStreetMap contributors, ODbL 1.0",
        ),
    ] = ""
    allow_outside: Annotated[
        bool,
        about(
            "Files elsewhere",
            "true or false",
            "whether files may lie outside the folder of the case",
            example=False,
        ),
    ] = False
    grid: Annotated[
        GridSection, about("Grids", "section", "the fine grid and the coarse one", example=None)
    ] = Field(default_factory=GridSection)
    parcels: Annotated[
        ParcelsSection, about("Parcels", "section", "the land-use parcels", example=None)
    ]
    units: Annotated[
        UnitsSection,
        about("Units", "section", "the units that mass is added up over", example=None),
    ]
    surroundings: Annotated[
        SurroundingsSection | None,
        about(
            "Surroundings", "section", "polygons among which Fig. 1 shows the units", example=None
        ),
    ] = None
    pois: Annotated[
        PoisSection | None,
        about("POIs", "section", "where firms, shops and offices are", example=None),
    ] = None
    people: Annotated[
        PeopleSection | None, about("People", "section", "where people live", example=None)
    ] = None
    lines: Annotated[
        LinesSection | None, about("Lines", "section", "roads, railways, waterways", example=None)
    ] = None
    totals: Annotated[
        TotalsSection | None, about("Totals", "section", "mass per category", example=None)
    ] = None
    inventory: Annotated[
        InventorySection | None,
        about("Inventory", "section", "activity data, instead of totals", example=None),
    ] = None
    facilities: Annotated[
        FacilitiesSection | None,
        about("Facilities", "section", "emitters known by name and place", example=None),
    ] = None
    gdp: Annotated[
        GdpSection | None, about("GDP", "section", "GDP per unit or per parent unit", example=None)
    ] = None
    categories: Annotated[
        CategoriesSection | None,
        about("Categories", "section", "categories of your own", example=None),
    ] = None
    uncertainty: Annotated[
        UncertaintySection | None,
        about(
            "Uncertainty",
            "section",
            "how uncertain numbers are, for probabilities of zones",
            example=None,
        ),
    ] = None
    benchmark: Annotated[
        BenchmarkSection | None,
        about("Benchmark", "section", "a published total to compare with", example=None),
    ] = None
    report: Annotated[
        ReportSection | None,
        about("Report", "section", "what the report says beside the numbers", example=None),
    ] = None
    allow: Annotated[
        AllowSection,
        about("Allowed", "section", "what would otherwise stop the run, by category", example=None),
    ] = Field(default_factory=AllowSection)

    _path: Path = PrivateAttr(default_factory=lambda: Path.cwd() / "case.toml")
    _read_from: str = PrivateAttr(default="")

    @model_validator(mode="after")
    def _either_totals_or_inventory(self) -> CaseFields:
        fault = fault_of_amounts(self.totals is not None, self.inventory is not None)
        if fault:
            raise wrong(*fault)
        return self

    def _repr_html_(self) -> str | None:
        """Return the case as a notebook shows it: its choices and its files."""
        choices = [
            ("year", str(self.year)),
            ("reference region", self.reference),
            ("parcels shared by", self.reduce),
            ("fine and coarse grid", f"{self.grid.resolution:g} m, {self.grid.coarse:g} m"),
        ]
        if self.electricity:
            choices.append(("electricity", self.electricity))
        return card(
            self.title or self.path.stem,
            str(self.path),
            facts=choices,
            columns=("key", "file"),
            rows=list(self.named_files()),
        )

    @property
    def path(self) -> Path:
        """The case file."""
        return self._path

    @property
    def read_from(self) -> str:
        """The sha256 of what was read of the case file; blank of a case that was made of values."""
        return self._read_from

    @property
    def folder(self) -> Path:
        """The folder of the case file."""
        return self._path.parent

    def resolve(self, relative: str) -> Path:
        """Return where a file that the case names lies, as an absolute path.

        Raises
        ------
        InputError
            If it would lie outside the folder of the case and ``allow_outside`` is not set, or is
            remote or a driver's own kind of path.
        """
        return resolve_path(self.folder, relative, self.allow_outside)

    def named_files(self) -> Iterator[tuple[str, str]]:
        """Yield (key, path as written) of every file that the case names, keys as ``[parcels] path``."""
        for section_name in type(self).model_fields:
            section = getattr(self, section_name)
            if isinstance(section, BaseModel):
                for key, field in type(section).model_fields.items():
                    value = getattr(section, key)
                    if facts_of(field)["file"] and is_path_of(facts_of(field)["unit"], value):
                        yield f"[{section_name}] {field.alias or key}", value


def fault_of_amounts(totals: bool, inventory: bool) -> tuple[str, str] | None:
    """Return what is wrong, and the way out, unless just one of the two sections is there."""
    if totals and inventory:
        return "[totals] and [inventory] are both there, expected one of them", "Take one out."
    if not totals and not inventory:
        return (
            "neither [totals] nor [inventory] is there, expected one of them",
            'Add a section [totals] with path = "totals.csv".',
        )
    return None


def sections() -> dict[str, type[BaseModel]]:
    """Return the model of every section, in the order of the file."""
    found = {name: section_of(name) for name in CaseFields.model_fields}
    return {name: model for name, model in found.items() if model is not None}


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by their keys in the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def section_of(name: str) -> type[BaseModel] | None:
    """Return the model of a section; None if the key is none."""
    field = CaseFields.model_fields.get(name)
    if field is None:
        return None
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
