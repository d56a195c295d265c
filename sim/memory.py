"""Memory of kernels: vectors in and out of arrays, and what a vector runs over.

A pass holds either `Arms`, a vector of up to 16 arms of one stakeholder, or `People`, a vector of
16 stakeholders of one arm, whichever leaves fewer lanes empty. Kernels are written once: what
differs is said below by pairs of functions, of which the type of `across` chooses one when a kernel
is compiled. Nothing else knows, and no bit of a result depends on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from sim.lanes import (
    F32,
    I8,
    I16,
    I32,
    Lanes,
    any_bits,
    as_mask,
    law,
    scalar_for,
    select,
    splat,
)

AHEAD = 3  # vectors of people
LINE = 64  # bytes of a cache line: a vector that straddles two costs twice


class Arms(NamedTuple):
    """Vectors run over the arms of one stakeholder.

    Attributes
    ----------
    rows : int
        Stakeholders from one field of a table by fields to the next.
    """

    rows: int


class People(NamedTuple):
    """Vectors run over as many stakeholders of one arm as they have lanes.

    Attributes
    ----------
    rows : int
        Stakeholders from one field of a table by fields to the next.
    """

    rows: int


# ---- vectors and arrays -------------------------------------------------------------------------


def _address(
    context: Any, builder: Any, kind: Any, array: Any, offset_kind: Any, offset: Any
) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [context.cast(builder, offset, offset_kind, types.int64)])


@intrinsic
def prefetch(typing: Any, array: Any, offset: Any) -> Any:
    """Ask for the cache line of array[offset] ahead of its use."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = _address(context, builder, signature.args[0], args[0], signature.args[1], args[1])
        pointer = builder.bitcast(at, I8.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [I8.as_pointer(), I32, I32, I32])
        builder.call(
            builder.module.declare_intrinsic("llvm.prefetch.p0", fnty=kind),
            [pointer, ir.Constant(I32, 0), ir.Constant(I32, 3), ir.Constant(I32, 1)],
        )
        return context.get_dummy_value()

    return types.void(array, offset), generate


def _width(token: Any) -> int:
    """Return the number of lanes that a kernel's `width` argument stands for."""
    return len(token)


def _loader(source: Any, element: str) -> Any:
    @intrinsic
    def load(typing: Any, width: Any, array: Any, offset: Any) -> Any:
        if not isinstance(array, types.Array):
            return None
        result = Lanes(element, _width(width))

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            vector = ir.VectorType(source, result.width)
            at = _address(context, builder, signature.args[1], args[1], signature.args[2], args[2])
            value = builder.load(
                builder.bitcast(at, vector.as_pointer()), align=array.dtype.bitwidth // 8
            )
            return value if vector == result.llvm else builder.sext(value, result.llvm)

        return result(width, array, offset), generate

    return load


def _storer(target: Any) -> Any:
    @intrinsic
    def store(typing: Any, array: Any, offset: Any, value: Any) -> Any:
        if not isinstance(array, types.Array) or not isinstance(value, Lanes):
            return None

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            vector = ir.VectorType(target, value.width)
            at = _address(context, builder, signature.args[0], args[0], signature.args[1], args[1])
            narrow = args[2] if args[2].type == vector else builder.trunc(args[2], vector)
            builder.store(
                narrow, builder.bitcast(at, vector.as_pointer()), align=array.dtype.bitwidth // 8
            )
            return context.get_dummy_value()

        return types.void(array, offset, value), generate

    return store


def _filler(element: str) -> Any:
    @intrinsic
    def fill(typing: Any, width: Any, x: Any) -> Any:
        result = Lanes(element, _width(width))

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            scalar = context.cast(builder, args[1], x, scalar_for(result))
            return splat(builder, scalar, result.width)

        return result(width, x), generate

    return fill


# load(width, array, offset), store(array, offset, value), fill(width, number); `width` is a kernel
# argument made by `width_of`, whose type alone says how many lanes a vector has.
load, load_int, load_short = _loader(F32, "f32"), _loader(I32, "i32"), _loader(I16, "i32")
store, store_int, store_short = _storer(F32), _storer(I32), _storer(I16)
fill, fill_int = _filler("f32"), _filler("i32")


def width_of(n_lanes: int) -> tuple[int, ...]:
    """Return the kernel argument that stands for vectors of `n_lanes` lanes."""
    return (0,) * n_lanes


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return zeros that begin with a cache line."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + LINE, np.uint8)
    skip = -raw.ctypes.data % LINE
    return raw[skip : skip + size].view(dtype).reshape(shape)


@law
def scratch(n: Any, dtype: Any) -> Any:
    """Return n zeros of 4 bytes that begin with a cache line."""
    raw = np.zeros(n + LINE // 4, dtype)
    skip = (LINE - np.int64(raw.ctypes.data) % LINE) // 4
    return raw[skip : skip + n]


# ---- what differs between arms and people -------------------------------------------------------


def either(arms: Callable[..., Any], people: Callable[..., Any]) -> Any:
    """Return a function for kernels whose first argument says by its type which one it is."""

    def chosen(across: Any, *args: Any) -> Any:
        raise NotImplementedError("exists in kernels only")

    @overload(chosen, strict=False, jit_options={"forceinline": True})
    def _(across: Any, *args: Any) -> Any:
        return {Arms: arms, People: people}[across.instance_class]

    return chosen


# Vectors that a block of n stakeholders takes; stakeholders in a vector.
vectors_of = either(lambda across, n: n, lambda across, n: 1)
people_in = either(lambda across, width: 1, lambda across, width: len(width))
# Distance of a stakeholder's and of a field's numbers from those of the next, of n fields.
row_step = either(lambda across, width, n: n * len(width), lambda across, width, n: 1)
field_step = either(lambda across, width: len(width), lambda across, width: across.rows)
# What arms share: a number of stakeholder i, or of it and those that follow, as a vector.
own = either(
    lambda across, width, array, i: fill(width, array[i]),
    lambda across, width, array, i: load(width, array, i),
)
own_int = either(
    lambda across, width, array, i: fill_int(width, array[i]),
    lambda across, width, array, i: load_int(width, array, i),
)


def _ahead_of_people(across: Any, width: Any, table: Any, i: Any, n: Any) -> None:
    for field in range(n):
        prefetch(table, i + AHEAD * len(width) + field * across.rows)


# Ask for the n fields of those whose turn comes soon. What arms hold lies in one piece, which the
# processor fetches ahead by itself.
fetch_ahead = either(lambda across, width, table, i, n: None, _ahead_of_people)

# One listener's numbers: a vector over arms, or the plain number of the lane it has among people.
whole = either(lambda across, width, x: fill_int(width, x), lambda across, width, x: np.int64(x))
said_at = either(
    lambda across, width, message, at: load_short(width, message, at),
    lambda across, width, message, at: np.int64(message[np.uintp(at)]),
)
whole_at = either(
    lambda across, width, array, at, lane: load_int(width, array, at),
    lambda across, width, array, at, lane: np.int64(array[np.uintp(at + lane)]),
)


# One bit per stakeholder of a vector: of whom something is true in any arm.
who_of = either(
    lambda across, truths: np.int64(as_mask(truths) != 0), lambda across, truths: as_mask(truths)
)


def _add_vector(across: Any, width: Any, array: Any, at: Any, lane: Any, x: Any) -> None:
    store_int(array, at, load_int(width, array, at) + x)


def _add_number(across: Any, width: Any, array: Any, at: Any, lane: Any, x: Any) -> None:
    array[np.uintp(at + lane)] += x


add_at = either(_add_vector, _add_number)


def _keep_bits_of_arms(across: Any, width: Any, array: Any, i: Any, bits: Any) -> None:
    array[i] = any_bits(bits)


def _keep_bits_of_people(across: Any, width: Any, array: Any, i: Any, bits: Any) -> None:
    store_short(array, i, bits)


# Bits that any arm has; truths as one bit per arm, kept and taken back.
keep_bits = either(_keep_bits_of_arms, _keep_bits_of_people)


def _keep_truths_of_arms(across: Any, width: Any, array: Any, i: Any, truths: Any) -> None:
    array[i] = as_mask(truths)


def _keep_truths_of_people(across: Any, width: Any, array: Any, i: Any, truths: Any) -> None:
    store_int(array, i, select(truths, fill_int(width, 1), 0))


keep_truths = either(_keep_truths_of_arms, _keep_truths_of_people)


def _drop_truths_of_arms(across: Any, width: Any, array: Any, i: Any, truths: Any) -> None:
    array[i] &= ~np.uint32(as_mask(truths))


def _drop_truths_of_people(across: Any, width: Any, array: Any, i: Any, truths: Any) -> None:
    store_int(array, i, select(truths, 0, load_int(width, array, i)))


drop_truths = either(_drop_truths_of_arms, _drop_truths_of_people)
