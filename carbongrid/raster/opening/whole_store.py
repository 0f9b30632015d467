"""A Zarr store in which every chunk is a file: the package writes the empty ones too, so that one that is gone is damage.

And all of it is of one run: whoever reads its chunks late is told that another took its place.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zarr.storage import LocalStore

from carbongrid.errors import VerificationError
from carbongrid.raster.opening.files import stamp_of

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype


_HEAD = "zarr.json"


class WholeStore(LocalStore):
    """A folder of chunks, read only; reading one that is gone raises, where Zarr would read zeros, and so does reading what was written over since the store was opened."""

    def __init__(self, root: Path | str, **options: Any) -> None:
        super().__init__(root, **options)
        self._opened = stamp_of(Path(self.root) / _HEAD)

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
        if stamp_of(Path(self.root) / _HEAD) != self._opened:
            raise VerificationError(f"{self.root} was made again, or removed, since it was opened: open it again.")  # fmt: skip
        # The only chunk of an array without dimensions is named c itself.
        if found is None and "/c/" in f"/{key}/":
            raise VerificationError(
                f"{Path(self.root) / key} is gone: this part of the raster is damaged. "
                "Make it again: carbongrid run --replace if a run wrote it, else as it was made, under another name."
            )
        return found
