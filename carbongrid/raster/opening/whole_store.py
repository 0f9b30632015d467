"""A Zarr store in which every chunk is a file: the package writes the empty ones too, so that one that is gone is damage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zarr.storage import LocalStore

from carbongrid.errors import VerificationError

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype


class WholeStore(LocalStore):
    """A folder of chunks, read only; reading one that is gone raises, where Zarr would read zeros."""

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
            If the key is a chunk's and nothing is there.
        """
        found = await super().get(key, prototype, byte_range)
        # The only chunk of an array without dimensions is named c itself.
        if found is None and "/c/" in f"/{key}/":
            raise VerificationError(
                f"{Path(self.root) / key} is gone: this part of the raster is damaged. "
                "Make it again: carbongrid run --replace if a run wrote it, else as it was made, under another name."
            )
        return found
