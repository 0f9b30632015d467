"""``run``: what an earlier run read and kept is hashed while libraries are imported, a second that Python spends on one core."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbongrid.raster.portable import imported
from carbongrid.run_store import Recall, check_target, is_cut_short, place_of

if TYPE_CHECKING:
    from carbongrid.case import Case
    from carbongrid.outputs.result import Result
    from carbongrid.outputs.tables.parcel_layer import ParcelFormat
    from carbongrid.pipeline.step import Progress


def run(
    case: Case | str | Path,
    out: str | Path,
    *,
    replace: bool = False,
    reuse: str | Path | None = None,
    restart: bool = False,
    scheduler: Any = None,
    workers: int | None = None,
    memory: str | None = None,
    chunks: int = 2048,
    public: bool = False,
    parcels: ParcelFormat = "parquet",
    progress: Progress | None = None,
) -> Result:
    """Run a case: from its totals to the zones of its units, into a new directory.

    Parameters
    ----------
    case
        A case, or the path of its file.
    out
        The run directory to make; it is absent or complete at any moment.
    replace
        Whether an existing run may be replaced. Steps whose inputs are the same are taken over from it.
    reuse
        Another finished run to take steps from, if their inputs are the same.
    restart
        Take nothing over, neither from an interrupted run nor from a finished one.
    scheduler
        ``threads``, ``processes``, ``synchronous`` or the address of a Dask scheduler; default the active Dask
        client, else threads. Results are the same bits. A cluster's workers must see the run directory.
    workers
        Start so many worker processes on 127.0.0.1 for this run, and end them after it; instead of a scheduler.
    memory
        Such as ``4GB``: a case of which this process is sure to take more is refused before its geometry is read, one of which
        it may take more after that (docs/reliability.md); both are estimates, and this process is not bound. Each worker
        that is started here is bound to it, by default to 1 GB; what workers hold is not counted for this process.
    chunks
        Side of a tile of labels in cells, where a run keeps them; results are the same bits.
    public
        Write what may be published: units and coarse cells, without parcels and names, small counts not printed (D31).
        Nothing can be taken over from such a run.
    parcels
        ``gpkg`` or ``fgb``: write the parcels also as a layer for a GIS that reads no Parquet, such as Debian's QGIS; ``pmtiles``: as tiles
        for a map on the web; in tonnes, with the unit and the zone that each lies in; not with ``public``.
    progress
        Called with the name of a long step, what is done and what there is to do.

    Returns
    -------
    Result
        The finished run, opened.

    Raises
    ------
    InputError
        With every problem of the input. Where they are found before labels are made, nothing is written; after that, as of
        weight rasters or of mass outside every unit, no run directory is made, but what was finished is kept beside it in
        ``.NAME.partial``, which the message names and the next run takes over (docs/decisions/0026).
    RunError
        If another process writes the same directory, the disk is full, an input changes while it is read, or a
        cluster does not answer, has other versions or does not see the run directory.
    """
    out = place_of(out)
    check_target(out, replace=replace)
    earlier = Path(reuse) if reuse else None
    recall = Recall.around(out, earlier, restart=restart)
    folder = Path(case if isinstance(case, str | Path) else case.path).parent
    with ExitStack() as ahead:
        if not is_cut_short(out):  # on Windows what is read cannot be put back in its place
            ahead.enter_context(recall.ahead())
        ahead.enter_context(recall.hashes.ahead(recall.inputs_in(folder)))
        running = imported("carbongrid.pipeline.running")
        result: Result = running.run_case(
            case,
            out,
            replace=replace,
            earlier=earlier,
            restart=restart,
            scheduler=scheduler,
            workers=workers,
            memory=memory,
            chunks=chunks,
            public=public,
            parcels=parcels,
            progress=progress,
            hashes=recall.hashes,
            ahead=ahead,
        )
    return result
