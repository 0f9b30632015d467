"""Sixteen cells at a time, said to the compiler outright: on its own it keeps loops with a break scalar.

Each function's body is what it means, and what runs without compilation; compiled, it is a few vector instructions.
Bit k of a mask stands for cell i + k. Sums are added half by half, so they have the same bits everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable
from numpy.typing import NDArray

_Lowering = Callable[[Any, Any, Any, Any], Any]

CELLS = 16
ALL = np.uint16(2**CELLS - 1)
# Added and taken off again, it rounds half to even what is below 2^51.
ROUNDING = 1.5 * 2.0**52


def differing(labels: NDArray[np.uint32], i: int, label: Any) -> Any:
    """Mask of the cells whose label is another."""
    return np.uint16(sum(int(labels[i + k] != label) << k for k in range(CELLS)))


def bits(mask: Any) -> int:
    """Count the cells in a mask."""
    return int(mask).bit_count()


def first_of(mask: Any) -> int:
    """Place of the first cell in a mask that has one."""
    return (int(mask) & -int(mask)).bit_length() - 1


def repeat(values: NDArray[Any], i: int, value: Any) -> None:
    """Write a value to sixteen cells."""
    for k in range(CELLS):
        values[i + k] = value


def known(values: NDArray[Any], i: int) -> Any:
    """Mask of the cells whose value is a number; integers always are."""
    return np.uint16(sum(int(values[i + k] == values[i + k]) << k for k in range(CELLS)))


def sum_where(values: NDArray[Any], i: int, mask: Any) -> Any:
    """Add up the values of the cells in a mask, as float64, or as int64 if they are integers."""
    return _added([_wide(values[i + k]) for k in range(CELLS)], mask)


def quanta_where(values: NDArray[Any], i: int, mask: Any, scale: float) -> Any:
    """Add up the values times scale of the cells in a mask, each rounded to a whole number, as float64."""
    scaled = [np.float64(values[i + k]) * scale for k in range(CELLS)]
    return _added([(value + ROUNDING) - ROUNDING for value in scaled], mask)


def largest_where(values: NDArray[Any], i: int, mask: Any, scale: float) -> Any:
    """Return the largest size of the values times scale of the cells in a mask, all known, as float64; 0 of none."""
    sizes = [abs(np.float64(values[i + k]) * scale) for k in range(CELLS) if int(mask) >> k & 1]
    return max(sizes, default=np.float64(0))


def take(values: NDArray[Any], i: int, numbers: NDArray[np.float64], k: int) -> None:
    """Write sixteen values to sixteen numbers from place k on, as float64."""
    for n in range(CELLS):
        numbers[k + n] = values[i + n]


def pattern(number: Any) -> Any:
    """Bits of a float64 as an int64."""
    return np.float64(number).view(np.int64)


def _wide(value: Any) -> Any:
    return np.float64(value) if isinstance(value, np.floating) else np.int64(value)


def _added(values: list[Any], mask: Any) -> Any:
    kept = [value if int(mask) >> k & 1 else type(value)(0) for k, value in enumerate(values)]
    with np.errstate(over="ignore", invalid="ignore"):
        while len(kept) > 1:
            half = len(kept) // 2
            kept = [a + b for a, b in zip(kept[:half], kept[half:], strict=True)]
    return kept[0]


@type_callable(differing)
def _type_of_differing(_context: Any) -> Any:
    return lambda _labels, _i, _label: types.uint16


@type_callable(known)
def _type_of_known(_context: Any) -> Any:
    return lambda _values, _i: types.uint16


@type_callable(bits)
@type_callable(first_of)
def _type_of_bits(_context: Any) -> Any:
    return lambda _mask: types.int64


@type_callable(repeat)
def _type_of_repeat(_context: Any) -> Any:
    return lambda _values, _i, _value: types.none


@type_callable(sum_where)
def _type_of_sum(_context: Any) -> Any:
    return lambda values, _i, _mask: _wide_type(values)


@type_callable(quanta_where)
@type_callable(largest_where)
def _type_of_scaled(_context: Any) -> Any:
    return lambda _values, _i, _mask, _scale: types.float64


@type_callable(take)
def _type_of_take(_context: Any) -> Any:
    return lambda _values, _i, _numbers, _k: types.none


@type_callable(pattern)
def _type_of_pattern(_context: Any) -> Any:
    return lambda _number: types.int64


def _lowered(function: Any, *kinds: Any) -> Callable[[_Lowering], _Lowering]:
    return cast("Callable[[_Lowering], _Lowering]", lower_builtin(function, *kinds))


@_lowered(differing, types.Array, types.Integer, types.Integer)
def _lower_differing(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    cells = _loaded(context, builder, signature, arguments)
    label = context.cast(builder, arguments[2], signature.args[2], signature.args[0].dtype)
    return builder.bitcast(builder.icmp_unsigned("!=", cells, _repeated(builder, label)), _MASK)


@_lowered(known, types.Array, types.Integer)
def _lower_known(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    if not isinstance(signature.args[0].dtype, types.Float):
        return _MASK(int(ALL))
    cells = _loaded(context, builder, signature, arguments)
    return builder.bitcast(builder.fcmp_ordered("ord", cells, cells), _MASK)


@_lowered(bits, types.Integer)
def _lower_bits(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    mask = context.cast(builder, arguments[0], signature.args[0], types.int64)
    return builder.ctpop(mask)


@_lowered(first_of, types.Integer)
def _lower_first(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    mask = context.cast(builder, arguments[0], signature.args[0], types.int64)
    return builder.cttz(mask, ir.IntType(1)(0))


@_lowered(repeat, types.Array, types.Integer, types.Number)
def _lower_repeat(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    place, dtype = _place(context, builder, signature, arguments), signature.args[0].dtype
    value = context.cast(builder, arguments[2], signature.args[2], dtype)
    builder.store(_repeated(builder, value), place).align = _alignment(signature)
    return context.get_dummy_value()


@_lowered(sum_where, types.Array, types.Integer, types.Integer)
def _lower_sum(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    cells = _widened(context, builder, signature, arguments)
    return _sum(context, builder, signature, arguments, cells)


@_lowered(quanta_where, types.Array, types.Integer, types.Integer, types.Float)
def _lower_quanta(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    cells = _scaled(context, builder, signature, arguments)
    rounding = ir.Constant(cells.type, [ROUNDING] * CELLS)
    cells = builder.fsub(builder.fadd(cells, rounding), rounding)
    return _sum(context, builder, signature, arguments, cells)


@_lowered(largest_where, types.Array, types.Integer, types.Integer, types.Float)
def _lower_largest(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    def larger(a: Any, b: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", a, b), a, b)

    cells = _scaled(context, builder, signature, arguments)
    sizes = larger(builder.fneg(cells), cells)
    return _folded(context, builder, signature, arguments, sizes, larger)


@_lowered(take, types.Array, types.Integer, types.Array, types.Integer)
def _lower_take(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    cells = _widened(context, builder, signature, arguments)
    to = types.none(*signature.args[2:])
    builder.store(cells, _place(context, builder, to, arguments[2:])).align = _alignment(to)
    return context.get_dummy_value()


@_lowered(pattern, types.Float)
def _lower_pattern(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    number = context.cast(builder, arguments[0], signature.args[0], types.float64)
    return builder.bitcast(number, ir.IntType(64))


_INDEX = ir.IntType(32)
_MASK = ir.IntType(CELLS)


def _wide_type(values: Any) -> Any:
    return types.float64 if isinstance(values.dtype, types.Float) else types.int64


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Point to sixteen cells of the first argument, from the place on that the second one says."""
    kind = signature.args[0]
    if kind.layout != "C":
        raise TypeError("only cells that lie side by side are taken at once")
    array = context.make_array(kind)(context, builder, arguments[0])
    first = context.cast(builder, arguments[1], signature.args[1], types.int64)
    vector = ir.VectorType(context.get_data_type(kind.dtype), CELLS)
    return builder.bitcast(builder.gep(array.data, [first]), vector.as_pointer())


def _loaded(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    cells = builder.load(_place(context, builder, signature, arguments))
    cells.align = _alignment(signature)
    return cells


def _alignment(signature: Any) -> int:
    kind = signature.args[0]
    return kind.dtype.bitwidth // 8 if kind.aligned else 1


def _widened(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    cells, dtype = _loaded(context, builder, signature, arguments), signature.args[0].dtype
    wide = ir.VectorType(context.get_data_type(_wide_type(signature.args[0])), CELLS)
    if cells.type == wide:
        return cells
    if isinstance(dtype, types.Float):
        return builder.fpext(cells, wide)
    return builder.sext(cells, wide) if dtype.signed else builder.zext(cells, wide)


def _scaled(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    cells = _widened(context, builder, signature, arguments)
    if not isinstance(signature.args[0].dtype, types.Float):
        cells = builder.sitofp(cells, ir.VectorType(ir.DoubleType(), CELLS))
    return builder.fmul(cells, _repeated(builder, arguments[3]))


def _repeated(builder: Any, value: Any) -> Any:
    empty = ir.Constant(ir.VectorType(value.type, CELLS), ir.Undefined)
    first = builder.insert_element(empty, value, _INDEX(0))
    return builder.shuffle_vector(first, empty, _places([0] * CELLS))


def _sum(context: Any, builder: Any, signature: Any, arguments: Any, cells: Any) -> Any:
    add = builder.fadd if signature.return_type == types.float64 else builder.add
    return _folded(context, builder, signature, arguments, cells, add)


def _folded(
    context: Any,
    builder: Any,
    signature: Any,
    arguments: Any,
    cells: Any,
    together: Callable[[Any, Any], Any],
) -> Any:
    """Put the cells in the mask together, half with half, the others as zeros."""
    mask = context.cast(builder, arguments[2], signature.args[2], types.uint16)
    kept = builder.bitcast(mask, ir.VectorType(ir.IntType(1), CELLS))
    cells = builder.select(kept, cells, ir.Constant(cells.type, None))
    half = CELLS // 2
    while half:
        low = builder.shuffle_vector(cells, cells, _places(range(half)))
        high = builder.shuffle_vector(cells, cells, _places(range(half, 2 * half)))
        cells, half = together(low, high), half // 2
    return builder.extract_element(cells, _INDEX(0))


def _places(numbers: Sequence[int]) -> Any:
    return ir.Constant(ir.VectorType(_INDEX, len(numbers)), list(numbers))
