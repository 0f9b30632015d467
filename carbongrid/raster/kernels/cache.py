"""Compiled kernels kept between processes, where nobody else can write.

Numba's own cache takes the first folder that it can write, beside the source among them, and unpickles what lies there. An entry is
code that runs as the user, so here the folder and each entry must be the user's own, and an entry that is torn, or made for anything else, is
compiled anew. What a wheel brings compiled (:mod:`carbongrid.raster.kernels.prebuilt`) comes before it.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import llvmlite
import numba
from llvmlite import binding
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from carbongrid.raster.kernels import prebuilt
from carbongrid.raster.portable import open_without_links, user

logger = logging.getLogger(__name__)

_DIGEST_BYTES = 32
_SETTINGS = (
    *("BOUNDSCHECK", "DEBUGINFO_DEFAULT", "DEBUG_NRT", "EXTEND_VARIABLE_LIFETIMES", "NRT_STATS"),
    *(
        "LLVM_REFPRUNE_FLAGS",
        "LLVM_REFPRUNE_PASS",
        "LOOP_VECTORIZE",
        "OPT",
        "SLP_VECTORIZE",
        "USING_SVML",
    ),
)
"""Numba's, that change what it generates; for which processors it does is asked apart."""


class KernelCache(NullCache):
    """One file for each kernel and signature: two digests, then what Numba makes of the compiled code.

    Parameters
    ----------
    function
        The kernel.
    shared
        Digest of the source that it shares with other files.
    """

    def __init__(self, function: Callable[..., Any], shared: str) -> None:
        code = function.__code__
        source = Path(code.co_filename)
        self._enabled = True
        self._stem = f"{source.stem}.{function.__qualname__}-{code.co_firstlineno}".replace("<", "").replace(">", "")  # fmt: skip
        self._source = source
        self._shared = shared

    @property
    def cache_path(self) -> str | None:
        """The folder, or None where nothing is kept."""
        folder = cache_folder()
        return None if folder is None else str(folder)

    def enable(self) -> None:
        """Load and save."""
        self._enabled = True

    def disable(self) -> None:
        """Neither load nor save."""
        self._enabled = False

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code compiled for these types before, by whoever built the wheel or by an earlier process, or None."""
        # Of all that Numba's own cache loads here, code that is there already needs its memory of arrays alone. The rest, 0.1 to 0.2 s, is
        # loaded by the compiler once there is something to compile.
        rtsys.initialize(target_context)
        if not self._enabled:
            return None
        # First what needs no folder of the user's, nor a warning where there is none.
        payload = self._brought(sig) or self._kept(sig, target_context.codegen())
        if payload is None:
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(payload))  # noqa: S301

    def _kept(self, sig: Any, codegen: Any) -> bytes | None:
        folder = cache_folder()
        if folder is None:
            return None
        content = _read_own(folder / self._name_of(sig))
        return _payload_of(content, self._made_for(sig, codegen))

    def _brought(self, sig: Any) -> bytes | None:
        for level in prebuilt.levels() if prebuilt.FOLDER.is_dir() else ():
            with suppress(OSError):
                content = prebuilt.path_of(self._stem, sig, level).read_bytes()
                payload = _payload_of(content, self._prebuilt_for(sig, level))
                if payload is not None:
                    return payload
        return None

    def prebuilt_entry(self, sig: Any, cres: Any, level: prebuilt.Level) -> tuple[Path, bytes]:
        """Return where the code for these types and processors is looked for, and what a wheel brings there.

        Raises
        ------
        ValueError
            If the code is good for this process alone.
        """
        if not _can_be_kept(cres):
            raise ValueError(f"{self._stem} has addresses of this process in its code")
        content = _entry(self._prebuilt_for(sig, level), _reduced(cres))
        return prebuilt.path_of(self._stem, sig, level), content

    def _prebuilt_for(self, sig: Any, level: prebuilt.Level) -> bytes:
        # Of Python what an extension module is bound to: its version and ABI, not the day of its build.
        machine = EXTENSION_SUFFIXES[0], binding.get_process_triple(), level.name
        return _digest(_compiler(), machine, _digest_of(self._source), self._shared, sig)

    def save_overload(self, sig: Any, cres: Any) -> None:
        """Keep compiled code; a folder that is full or gone costs the next process a compilation, not this one its run."""
        if not self._enabled or not _can_be_kept(cres):
            return
        folder = cache_folder()
        if folder is None:
            return
        payload = _reduced(cres)
        try:
            _write_entry(folder / self._name_of(sig), self._made_for(sig, cres.codegen), payload)
        except OSError as error:
            logger.info("compiled code is not kept in %s: %s", folder, error)

    def _name_of(self, sig: Any) -> str:
        # The same name for every version of the source: the newest takes the place of the one before.
        which = hashlib.sha256(repr((str(self._source), sys.version, sig)).encode())
        return f"{self._stem}.{which.hexdigest()[:24]}"

    def _made_for(self, sig: Any, codegen: Any) -> bytes:
        machine = sys.version, codegen.magic_tuple(), str(self._source)
        return _digest(_compiler(), machine, _digest_of(self._source), self._shared, sig)


def _compiler() -> tuple[Any, ...]:
    """Return by what code is generated, and as what."""
    settings = tuple(repr(getattr(numba.config, name, None)) for name in _SETTINGS)
    return numba.__version__, llvmlite.__version__, binding.llvm_version_info, settings


def _digest(*what: Any) -> bytes:
    return hashlib.sha256(repr(what).encode()).digest()


def _can_be_kept(cres: Any) -> bool:
    return not (cres.lifted or cres.library.has_dynamic_globals)


def _reduced(cres: Any) -> bytes:
    """Return what Numba makes of compiled code, but for its listing of the source with paths and types, a third of the whole."""
    # The listing is the one text among them.
    reduced: bytes = dumps(tuple("" if isinstance(part, str) else part for part in cres._reduce()))
    return reduced


@functools.cache
def cache_folder() -> Path | None:
    """Return the folder that only this user can write, made where it is missing; None, with a warning, where there is none.

    ``NUMBA_CACHE_DIR``, else ``carbongrid/numba`` in the user's cache folder.
    """
    given = os.environ.get("NUMBA_CACHE_DIR")
    try:
        folder = Path(given).absolute() if given else _user_folder() / "carbongrid" / "numba"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem = _open_to_others(folder)
        if not problem:
            tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError) as error:
        problem = str(error)
    if problem:
        logger.warning(
            "compiled code is not kept, so that every start compiles it anew (some 15 s): %s. "
            "Set NUMBA_CACHE_DIR to a folder that only you can write.",
            problem,
        )
        return None
    return folder


def _user_folder() -> Path:
    stated = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return stated if stated.is_absolute() else Path.home() / ".cache"


def _open_to_others(folder: Path) -> str:
    """Return how another user could put something into a folder, or nothing: itself, and the folders that it lies in.

    A folder above that is open to all but sticky, such as /tmp, lets nobody move what is another's.
    """
    if (
        user() is None
    ):  # rights are no bits of the mode there, and a user's own folders are the user's
        return ""
    real = folder.resolve()
    for each in (real, *real.parents):
        told = each.stat()
        if told.st_uid not in (0, user()) or (each == real and told.st_uid != user()):
            return f"{each} belongs to another user"
        shared = told.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if shared and (each == real or not told.st_mode & stat.S_ISVTX):
            return f"others can write to {each}"
    return ""


def _read_own(path: Path) -> bytes:
    """Return what a file of this user's alone holds, or nothing where it is none."""
    try:
        handle = open_without_links(path, os.O_RDONLY)
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as stream:
        told = os.fstat(handle)
        shared = user() is not None and told.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not stat.S_ISREG(told.st_mode) or user() not in (None, told.st_uid) or shared:
            return b""
        return stream.read()


def _entry(made_for: bytes, payload: bytes) -> bytes:
    """Put an entry together: a digest of the rest, what it was made for, the code."""
    rest = made_for + payload
    return hashlib.sha256(rest).digest() + rest


def _payload_of(content: bytes, made_for: bytes) -> bytes | None:
    """Return the code in an entry, or None unless it is a whole one, made for this."""
    digest, rest = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(rest).digest() != digest or rest[:_DIGEST_BYTES] != made_for:
        return None
    return rest[_DIGEST_BYTES:]


def _write_entry(path: Path, made_for: bytes, payload: bytes) -> None:
    """Write an entry so that no reader sees half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(_entry(made_for, payload))
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


@functools.cache
def _digest_of(source: Path) -> str:
    try:
        return hashlib.sha256(source.read_bytes()).hexdigest()
    except OSError:
        # Typed in, not read from a file: then the bytecode's line and name must do, within this process only.
        return f"process {os.getpid()}"
