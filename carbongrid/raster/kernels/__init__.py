"""Kernels: serial, compiled loops over NumPy arrays. Only this folder knows Numba.

A kernel trusts its arguments: the caller has checked and cast them. A helper that a kernel calls lives in the
kernel's own file, because Numba's cache does not see an edit across files; ``jit`` lets it see that of ``bins`` and
``vectors``, which they share.
"""
