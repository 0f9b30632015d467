"""A Zarr store in which every chunk is a file: the package writes the empty ones too, so that one that is gone is damage.

And all of it is of one run: whoever reads its chunks late is told that another took its place. What its arrays are of, grid and polygons, stands in their heads.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zarr.storage import LocalStore

from carbongrid.errors import VerificationError
from carbongrid.raster.opening.files import Stamp, read_bytes, stamp_of

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype


_HEAD = "zarr.json"


class WholeStore(LocalStore):
    """A folder of chunks, read only; reading one that is gone raises, where Zarr would read zeros, and so does reading what was written over since the store was opened."""

    def __init__(self, root: Path | str, **options: Any) -> None:
        super().__init__(root, **options)
        self._stamp = self._stamp_now()
        self._heads = self._heads_now()

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return the bytes under a key.

        Raises
        ------
        VerificationError
            If the key is a chunk's and nothing is there, or it is another store's by now.
        """
        return self._required(key, await super().get(key, prototype, byte_range))

    def get_sync(
        self,
        key: str,
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return the bytes under a key for a pipeline of codecs that waits for nobody; raises as :meth:`get`."""
        found = super().get_sync(key, prototype=prototype, byte_range=byte_range)
        return self._required(key, found)

    def _required(self, key: str, found: Buffer | None) -> Buffer | None:
        # Looked at afterwards: what was read before another took its place is right.
        stamp = self._stamp_now()
        if stamp != self._stamp:
            # Or it is the same under other numbers: on another machine, on a share that was mounted again, copied.
            if self._heads_now() != self._heads:
                raise VerificationError(f"{self.root} was made again, or removed, since it was opened: open it again.")  # fmt: skip
            self._stamp = stamp
        # The only chunk of an array without dimensions is named c itself.
        if found is None and "/c/" in f"/{key}/":
            raise VerificationError(
                f"{Path(self.root) / key} is gone: this part of the raster is damaged. "
                "Make it again: carbongrid run --replace if a run wrote it, else as it was made, under another name."
            )
        return found

    def _stamp_now(self) -> Stamp:
        return stamp_of(Path(self.root) / _HEAD)

    def _heads_now(self) -> dict[str, bytes]:
        """Return what is said of each array of the store; nothing of one that is gone."""
        heads = {}
        for head in sorted(Path(self.root).glob(f"*/{_HEAD}")):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                heads[head.parent.name] = read_bytes(head)
        return heads
