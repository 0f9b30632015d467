"""Kernels that a platform's wheel brings compiled: the first call of an install need not compile them.

``tools/platform_wheel.py`` compiles them for a level of processors and puts them beside this file; a wheel for any platform brings none. What does not
match this Numba, this Python, this source or this processor is compiled as ever. Whoever can write here can write the source, too, so entries
are held by their digests alone.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numba
from llvmlite import binding

FOLDER = Path(__file__).with_name("compiled")
"""Where a platform's wheel has them."""


class Level(NamedTuple):
    """What all processors of a level can do."""

    name: str
    architecture: str
    features: frozenset[str]


_AVX2 = frozenset(["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16", "sahf", "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"])  # fmt: skip
_AVX512 = frozenset(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])
LEVELS = (
    Level("x86-64-v4", "x86_64", _AVX2 | _AVX512),
    Level("x86-64-v3", "x86_64", _AVX2),
)
"""Those of the x86-64 psABI in LLVM's words, the best first (what each costs is measured in docs/decisions/0118)."""


@functools.cache
def levels() -> tuple[Level, ...]:
    """Return the levels whose code this machine can run, the best first; none where Numba was told what to compile for, or knows better than to use AVX."""
    config: Any = numba.config
    told = config.CPU_NAME is not None or config.CPU_FEATURES is not None
    if told or not config.ENABLE_AVX:
        return ()
    architecture = binding.get_process_triple().partition("-")[0]
    try:
        has = {name for name, there in binding.get_host_cpu_features().items() if there}
    except RuntimeError:  # LLVM does not know this processor.
        return ()
    return tuple(
        each for each in LEVELS if each.architecture == architecture and each.features <= has
    )


def path_of(stem: str, sig: Any, level: Level) -> Path:
    """Return where the code of a kernel for these types and processors lies."""
    return FOLDER / level.name / f"{stem}.{hashlib.sha256(repr(sig).encode()).hexdigest()[:24]}"
