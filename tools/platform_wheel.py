"""Build the wheel of this platform, which brings kernels compiled: ``python tools/platform_wheel.py DIST``.

A process that compiles for a level of processors, not for this one, does what users do first; what it compiled goes into the wheel. The wheel has the
tag of Numba's own, which it runs beside. Needs hatchling.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def main(dist: str) -> None:
    """Compile, and build the wheel into a folder."""
    # This tree's, whatever is installed.
    sys.path.insert(0, str(ROOT))
    from carbongrid.raster.kernels import prebuilt

    if sys.platform != "linux" or not prebuilt.levels():
        raise SystemExit(f"wheels are built on Linux alone, for the levels of {prebuilt.__file__}")
    with tempfile.TemporaryDirectory() as name:
        for level in prebuilt.levels():
            # Without features Numba adds this machine's to those of the level.
            processor = {"NUMBA_CPU_NAME": level.name, "NUMBA_CPU_FEATURES": ""}
            own = {"NUMBA_CACHE_DIR": str(Path(name) / level.name)}
            script = "import platform_wheel, sys; platform_wheel.compile_into(*sys.argv[1:])"
            _python("-c", script, name, level.name, **processor, **own)
        words = ("-m", "hatchling", "build", "-t", "wheel", "-d", str(Path(dist).absolute()))
        _python(*words, CARBONGRID_KERNELS=name)


def _python(*words: str, **settings: str) -> None:
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tools")))
    others = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    env = {**others, "PYTHONPATH": paths, **settings}
    subprocess.run([sys.executable, *words], cwd=ROOT, env=env, check=True)


def compile_into(folder: str, level_name: str) -> None:
    """Do what users do first, in this process, and write what was compiled for it into a folder.

    Raises
    ------
    SystemExit
        If code is made for other processors than those of the level, or a kernel was not called.
    """
    from first_uses import use_it
    from numba.core.registry import cpu_target

    from carbongrid.raster.kernels import prebuilt

    (level,) = (each for each in prebuilt.LEVELS if each.name == level_name)
    # The command line drops Numba's settings from the environment, but how code is generated is settled here.
    _, processor, more = cpu_target.target_context.codegen().magic_tuple()
    if (processor, more) != (level.name, ""):
        raise SystemExit(f"kernels would be compiled for {processor} {more}, not for {level.name}")
    if not any(_kernels()):
        raise SystemExit("nothing is compiled here")
    with contextlib.redirect_stdout(sys.stderr):
        use_it()
    if idle := [f"{each.__module__}.{each.__name__}" for each in _kernels() if not each.overloads]:
        raise SystemExit(f"tools/first_uses.py calls no {', '.join(idle)}")
    entries = dict(
        kernel._cache.prebuilt_entry(sig, compiled, level)
        for kernel in _kernels()
        for sig, compiled in kernel.overloads.items()
    )
    Path(folder, "TAG").write_text(_tag(), encoding="utf-8")
    compiled = Path(folder, "compiled", level.name)
    compiled.mkdir(parents=True)
    for path, content in entries.items():
        (compiled / path.name).write_bytes(content)
    print(f"{len(entries)} kernels for {level.name}")


def _tag() -> str:
    """Return the first tag of Numba's wheel: what this code runs beside."""
    told = importlib.metadata.distribution("numba").read_text("WHEEL") or ""
    return min(
        line.removeprefix("Tag:").strip() for line in told.splitlines() if line.startswith("Tag:")
    )


def _kernels() -> Iterator[Any]:
    """Yield every kernel that Python calls."""
    from carbongrid.raster import kernels
    from carbongrid.raster.kernels import jit

    for each in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."):
        module = importlib.import_module(each.name)
        for value in vars(module).values():
            if type(value) is jit._Compiled and value.__module__ == each.name:
                yield value


if __name__ == "__main__":
    main(*sys.argv[1:])
