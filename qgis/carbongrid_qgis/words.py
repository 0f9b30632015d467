"""Texts in English and Chinese, by the language of QGIS."""

from __future__ import annotations

import os

from qgis.core import QgsApplication

_TEXTS = {
    "no_command": (
        'The carbongrid command is not on the PATH. Install it (pipx install ".[all]" in a checkout of carbongrid), or write where it is into the setting carbongrid/command.',
        '在 PATH 中找不到 carbongrid 命令。请安装（在 carbongrid 源码目录中运行 pipx install ".[all]"），或在设置 carbongrid/command 中写明其位置。',
    ),
    "no_command_there": (
        "{} is no command. Mend the setting carbongrid/command, or clear it to use the PATH.",
        "{} 不是可执行的命令。请更正设置 carbongrid/command，或清空以使用 PATH。",
    ),
    "canceled": ("Canceled; what is finished is kept for the next run.", "已取消；已完成的部分会保留给下次运行。"),
    "failed": ("carbongrid ended with code {}:", "carbongrid 以代码 {} 结束："),
    "case": ("Case file (case.toml)", "案例文件 (case.toml)"),
    "run": ("Finished run", "已完成的运行结果"),
    "out": ("Run directory to make", "要生成的运行结果文件夹"),
    "replace": ("Replace an existing run", "替换已有的运行结果"),
    "open": ("Open the results in the project", "在工程中打开结果"),
    "parcels_as": ("Parcels beside parcels.parquet: gpkg, fgb, or parquet for no second file", "parcels.parquet 之外的图斑文件：gpkg、fgb；parquet 表示不另写"),
    "plan": ("Plan (TOML)", "方案 (TOML)"),
    "extract": ("OpenStreetMap extract (.osm.pbf)", "OpenStreetMap 数据 (.osm.pbf)"),
    "folder": ("Folder of the case", "案例文件夹"),
    "level": ("admin_level of the units (blank: the smallest that covers the land)", "单元的 admin_level（空白：覆盖全部土地的最小级别）"),
    "land_cover": ("Land cover for what the map leaves white (GeoTIFF)", "填补地图空白的土地覆盖栅格 (GeoTIFF)"),
    "codes": ("What its numbers mean: worldcover, globeland30, corine-grid, nlcd, glc-fcs30, or a CSV", "其编码体系：worldcover、globeland30、corine-grid、nlcd、glc-fcs30 或 CSV 文件"),
    "people": ("People per cell (GeoTIFF)", "每像元人口 (GeoTIFF)"),
    "guess": ("Fill in first guesses of totals, no figures of the place (needs people)", "填入总量的初步估计，并非本地数据（需要人口）"),
    "title": ("Title", "标题"),
    "year": ("Year of the totals", "总量的年份"),
    "parcels": ("Land-use parcels", "土地利用图斑"),
    "parcel_id": ("Column with the parcel's id", "图斑编号字段"),
    "land_use": ("Column with the land-use code", "地类编码字段"),
    "code_system": ("What the codes mean", "地类编码体系"),
    "units": ("Townships or other units", "乡镇或其他单元"),
    "unit_id": ("Column with the unit's code", "单元编码字段"),
    "unit_name": ("Column with the unit's name", "单元名称字段"),
    "totals": ("Totals (CSV or XLSX: category, value, unit)", "总量表（CSV 或 XLSX：category, value, unit）"),
    "gdp": ("GDP (CSV: region, value)", "GDP 表（CSV：region, value）"),
    "do_check": ("Check a case", "检查案例"),
    "do_run": ("Run a case", "运行案例"),
    "do_osm": ("Start a case from OpenStreetMap", "由 OpenStreetMap 建立案例"),
    "do_scenario": ("Try a plan on a finished run", "在运行结果上试行方案"),
    "do_open": ("Open a finished run", "打开运行结果"),
    "do_form": ("Form a case of layers", "由图层建立案例"),
    "help_check": (
        "Reads everything that the case names and says what a run would do: counts, what is missing, what cannot be placed. Nothing is written.",
        "读取案例所列的全部文件，并说明运行会做什么：数量、缺失的内容、无法落到地块的部分。不写任何文件。",
    ),
    "help_run": (
        "Spreads every total over its land, adds up townships and cells of the coarse grid to the gram, and zones every township. Runs the installed carbongrid command; cancelling keeps what is finished. Parcels are written a second time, as GeoPackage or FlatGeobuf, since not every QGIS reads Parquet; choose parquet where a second file of their size is too much.",
        "把每项总量分配到土地上，按乡镇与粗网格精确到克地汇总，并对每个乡镇分区。调用已安装的 carbongrid 命令；取消时保留已完成的部分。因并非每个 QGIS 都能读取 Parquet，图斑另写为 GeoPackage 或 FlatGeobuf；若不需要同样大小的第二个文件，请选 parquet。",
    ),
    "help_osm": (
        "Makes parcels, units, roads and points of an extract, with a table of totals to fill in. First guesses are the world's means per head and are marked as such everywhere: they are no figures of the place.",
        "由数据生成图斑、单元、道路与兴趣点，并附一张待填写的总量表。初步估计为世界人均值，处处标明，并非本地数据。",
    ),
    "help_scenario": (
        "Does the actions of a plan on a finished run and writes what comes of it as a run of its own, its parcels a second time as GeoPackage or FlatGeobuf unless parquet is chosen.",
        "在已完成的运行结果上执行方案中的各项措施，并另存为一个运行结果；图斑另写为 GeoPackage 或 FlatGeobuf，选 parquet 则不另写。",
    ),
    "help_open": (
        "Adds units coloured by zone, the coarse grid by powers of ten and the parcels: parcels.gpkg or parcels.fgb where the run has one, else where QGIS can read Parquet. The page to print is added to the project's layouts, under the run's title and year. Zones are relative to the place.",
        "加入按分区着色的单元、按数量级着色的粗网格；并加入图斑：运行结果中有 parcels.gpkg 或 parcels.fgb 时用之，否则须 QGIS 能读取 Parquet。打印版面以运行标题和年份为名加入工程的布局列表。分区是相对于该地区而言的。",
    ),
    "help_form": (
        "Writes a folder with the case file, the layers as GeoPackages and copies of the tables. Check it then; the file has a comment on every line where `carbongrid init` writes it, and can be edited by hand.",
        "生成一个文件夹，含案例文件、GeoPackage 图层与各表的副本。随后请检查案例；该文件可手工编辑。",
    ),
    "no_parquet": ("The parcels are not opened: this QGIS cannot read Parquet. Run it again with Parcels gpkg, or `carbongrid run --parcels gpkg`.", "未打开图斑：此 QGIS 无法读取 Parquet。请选图斑 gpkg 再运行，或用 `carbongrid run --parcels gpkg`。"),
    "no_run": ("{} is not a finished run: it has no {}.", "{} 不是已完成的运行结果：缺少 {}。"),
    "page": ("A page to print is among the layouts: {}", "打印版面在布局列表中：{}"),
    "no_page": ("{} has no page to print.", "{} 中没有打印版面。"),
    "exists": ("{} is there already. Give another folder.", "{} 已存在，请另选文件夹。"),
    "not_written": ("{} could not be written: {}", "无法写入 {}：{}"),
    "grid": ("Emission, coarse grid", "排放，粗网格"),
    "units_layer": ("Zones", "分区"),
    "parcels_layer": ("Parcels", "图斑"),
}  # fmt: skip


def tr(key: str) -> str:
    """Return a text in Chinese where QGIS, or CARBONGRID_LANGUAGE, speaks it; else in English."""
    language = os.environ.get("CARBONGRID_LANGUAGE") or QgsApplication.locale()
    return _TEXTS[key][language.startswith("zh")]
