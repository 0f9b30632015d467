"""The run directory and its commit (docs/decisions/0025): absent or complete, one writer, nothing made twice.

Work goes to a temporary sibling, step by step, each with the hash of what it was made from and the digests of what
it made; the manifest is written last, then one rename. What is taken over, from an interrupted run or from the run
that is being replaced, is held against its digest first, which is taken once for as long as a file is the same.
"""

from carbongrid.run_store.disk import detect_full_disk, open_to_write, require_writable
from carbongrid.run_store.hashes import Hashes
from carbongrid.run_store.hashing import SEAL, hash_values, seal_of
from carbongrid.run_store.location import MANIFEST, check_target, is_cut_short, mend, place_of
from carbongrid.run_store.lock import claimed
from carbongrid.run_store.recall import Recall
from carbongrid.run_store.store import Making, RunStore, new_run

__all__ = [
    "MANIFEST",
    "SEAL",
    "Hashes",
    "Making",
    "Recall",
    "RunStore",
    "check_target",
    "claimed",
    "detect_full_disk",
    "hash_values",
    "is_cut_short",
    "mend",
    "new_run",
    "open_to_write",
    "place_of",
    "require_writable",
    "seal_of",
]
