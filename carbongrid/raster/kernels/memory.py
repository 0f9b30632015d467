"""Memory asked for before it is needed, said to the compiler outright."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable
from numpy.typing import NDArray

LINE = 64
"""Bytes that come at once."""


def fetch(values: NDArray[Any], i: int) -> None:
    """Ask for the line of memory that has a value, and go on; nothing else is done, and nothing waits."""


@type_callable(fetch)
def _type_of_fetch(_context: Any) -> Any:
    return lambda _values, _i: types.none


@lower_builtin(fetch, types.Array, types.Integer)  # type: ignore[untyped-decorator]
def _lower_fetch(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    place = context.cast(builder, arguments[1], signature.args[1], types.int64)
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    ask = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
    # To be read, kept in every cache, data.
    how = [number(0), number(3), number(1)]
    builder.call(ask, [builder.bitcast(builder.gep(array.data, [place]), byte), *how])
    return context.get_dummy_value()
