"""Settings of an environment that somebody's machine may have, each with a value that nobody means well."""

from __future__ import annotations

SETTINGS: tuple[dict[str, str], ...] = (
    # Words of libraries that read tables, grids and maps.
    {"PANDAS_COPY_ON_WRITE": "warn"},
    {"PANDAS_FUTURE_INFER_STRING": "0", "PANDAS_DATA_MANAGER": "nonsense"},
    {"MPLBACKEND": "nonsense"},
    {"MPLCONFIGDIR": "/dev/null", "MATPLOTLIBRC": "/nowhere/matplotlibrc"},
    {"ZARR_CONFIG": "/nowhere", "ZARR_ARRAY__ORDER": "F"},
    {"ZARR_DEFAULT_ZARR_FORMAT": "2", "ZARR_CODEC_PIPELINE__PATH": "nonsense"},
    {"ZARR_ASYNC__CONCURRENCY": "nonsense", "ZARR_THREADING__MAX_WORKERS": "nonsense"},
    {"PROJ_DATA": "/nowhere", "PROJ_LIB": "/nowhere"},
    {"PROJ_NETWORK": "ON", "PROJ_NETWORK_ENDPOINT": "http://127.0.0.1:9"},
    {"PROJ_DEBUG": "3", "PROJ_IGNORE_CELESTIAL_BODY": "YES", "PROJ_USER_WRITABLE_DIRECTORY": "/dev/null"},
    {"PYPROJ_GLOBAL_CONTEXT": "ON"},
    {"GDAL_DATA": "/nowhere", "GDAL_DRIVER_PATH": "/nowhere"},
    {"GDAL_SKIP": "GTiff", "OGR_SKIP": "GPKG"},
    {"GDAL_SKIP": "GPKG,GTiff,MEM", "GDAL_CONFIG_FILE": "/dev/null"},
    {"GDAL_NUM_THREADS": "nonsense", "GDAL_CACHEMAX": "0"},
    {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "YES", "GDAL_PAM_PROXY_DIR": "/nowhere"},
    {"CPL_DEBUG": "ON", "CPL_TIMESTAMP": "ON"},
    {"CPL_LOG": "/nowhere/log", "CPL_LOG_ERRORS": "ON", "CPL_TMPDIR": "/nowhere"},
    {"CPL_ACCUM_ERROR_MSG": "ON", "CPL_MAX_ERROR_REPORTS": "0", "GDAL_FILENAME_IS_UTF8": "NO"},
    {"OGR_SQLITE_JOURNAL": "OFF", "OGR_SQLITE_PRAGMA": "foreign_keys=on", "OGR_SQLITE_SYNCHRONOUS": "OFF"},
    {"OGR_SQLITE_LOAD_EXTENSIONS": "/nowhere.so", "OGR_GPKG_NUM_THREADS": "nonsense"},
    {"OGR_GEOMETRY_ACCEPT_UNCLOSED_RING": "NO", "OGR_ORGANIZE_POLYGONS": "SKIP", "SHAPE_ENCODING": "nonsense"},
    {"OSR_DEFAULT_AXIS_MAPPING_STRATEGY": "AUTHORITY_COMPLIANT", "OGR_CT_FORCE_TRADITIONAL_GIS_ORDER": "NO"},
    {"OSR_WKT_FORMAT": "nonsense", "OSR_STRIP_TOWGS84": "NO", "OGR_CT_OP_SELECTION": "nonsense"},
    {"GTIFF_POINT_GEO_IGNORE": "YES", "GTIFF_SRS_SOURCE": "GEOKEYS", "GTIFF_FORCE_RGBA": "YES"},
    {"HDF5_USE_FILE_LOCKING": "nonsense", "HDF5_DISABLE_VERSION_CHECK": "0"},
    {"HDF5_PLUGIN_PATH": "/nowhere", "HDF5_DRIVER": "nonsense"},
    {"HDF5_DRIVER": "core", "HDF5_DEBUG": "all"},
    {"ARROW_USER_SIMD_LEVEL": "NONE", "ARROW_DEFAULT_MEMORY_POOL": "nonsense", "ARROW_IO_THREADS": "nonsense"},
    # Of what computes.
    {"NUMBA_OPT": "0"},
    {"NUMBA_BOUNDSCHECK": "1"},
    {"NUMBA_NUM_THREADS": "1", "NUMBA_THREADING_LAYER": "nonsense"},
    {"NUMBA_NUM_THREADS": "nonsense", "NUMBA_DEVELOPER_MODE": "1", "NUMBA_CAPTURED_ERRORS": "nonsense"},
    {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    {"NUMBA_CACHE_DIR": "", "NUMBA_CACHE_LOCATOR_CLASSES": "nonsense"},
    {"DASK_SCHEDULER": "nonsense"},
    {"DASK_SCHEDULER": "processes", "DASK_NUM_WORKERS": "nonsense"},
    {"DASK_CONFIG": "/dev/null", "DASK_ARRAY__CHUNK_SIZE": "nonsense"},
    {"DASK_NUM_WORKERS": "0", "DASK_MULTIPROCESSING__CONTEXT": "nonsense"},
    {"DASK_OPTIMIZATION__FUSE__ACTIVE": "nonsense", "DASK_TOKENIZE__ENSURE_DETERMINISTIC": "true"},
    {"DASK_TEMPORARY_DIRECTORY": "/nowhere", "DASK_DISTRIBUTED__VERSION": "nonsense"},
    {"DASK_ARRAY__BACKEND": "nonsense", "DASK_DATAFRAME__BACKEND": "nonsense"},
    {"OMP_NUM_THREADS": "nonsense", "OPENBLAS_NUM_THREADS": "nonsense", "MKL_NUM_THREADS": "nonsense"},
    {"OMP_NUM_THREADS": "0", "OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_VERBOSE": "2"},
    {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 nonsense", "NPY_PROMOTION_STATE": "nonsense"},
    # Of Python itself.
    {"PYTHONWARNINGS": "error"},
    {"PYTHONOPTIMIZE": "2"},
    {"PYTHONHASHSEED": "1", "PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1"},
    {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONUTF8": "0", "LC_ALL": "zh_CN.GB18030", "PYTHONIOENCODING": "latin-1"},
    {"PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1"},
    {"PYTHONMALLOC": "debug", "MALLOC_PERTURB_": "165"},
    {"PYTHONPYCACHEPREFIX": "/dev/null", "PYTHONINTMAXSTRDIGITS": "640", "PYTHONUNBUFFERED": "1"},
    # Of the terminal, the place and the user.
    {"LANG": "nonsense", "LC_ALL": "nonsense", "LANGUAGE": "nonsense"},
    {"LC_ALL": "tr_TR.UTF-8", "LC_NUMERIC": "de_DE.UTF-8"},
    {"COLUMNS": "0", "LINES": "-1", "TERM": "dumb"},
    {"COLUMNS": "nonsense", "NO_COLOR": "1", "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"},
    {"TZ": "nonsense", "SOURCE_DATE_EPOCH": "nonsense"},
    {"HOME": "", "USER": "", "LOGNAME": "", "XDG_CONFIG_HOME": "/nowhere"},
    {"http_proxy": "http://127.0.0.1:9", "https_proxy": "nonsense", "CURL_CA_BUNDLE": "/nowhere"},
    {"PYDANTIC_DISABLE_PLUGINS": "nonsense", "CLICK_COLORS": "nonsense", "_CARBONGRID_COMPLETE": "nonsense"},
)  # fmt: skip
"""What is added to the environment, each by itself."""

FOLDERS = (
    "#1", "a?b", "a!b", "100%", "a%20b", " blank ", "a  b", "'one'", '"two"', "new\nline", "tab\tulator", "苏州市", "Zürich",
    "Zu\u0308rich", "🏙", "-dash", "--out", "a;b", "a&b", "$(echo)", "`echo`", "back\\slash", "a*b", "[x]", "{x}", "a:b", "http:",
    "zip:", "x.zip", "x.gpkg", "x.zarr", "~", "...", "=1+1", "<b>", "\x1b[31m", "\u202eright", "\udcff", "n" * 200,
)  # fmt: skip
"""Names of folders, of which no driver, shell, spreadsheet, page or terminal should make more than a name."""
