"""Kernels: serial, compiled loops over NumPy arrays. Only this folder knows Numba.

A kernel trusts its arguments: the caller has checked and cast them. A helper that a kernel calls lives in the
kernel's own file, because Numba's cache does not see an edit across files; only what ``vectors`` says to the compiler
is shared, and an edit of that file asks for an empty cache.
"""
