"""Vectors of lanes for numba: their type and what is done with them; see sim.memory for arrays.

A law is written once with ordinary operators and the functions below (`exp`, `select`, `fma` ...).
On plain floats it runs without the compiler (the oracle of the tests); in a kernel its arguments
are explicit LLVM vectors of L lanes, for any L, which LLVM legalizes for the processor at hand. No
fast-math flag is set and every fused multiply-add is written out, so that the bits of a lane depend
neither on L nor on the processor.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_jitable, register_model

I1, I8, I16, I32, I64 = (ir.IntType(n) for n in (1, 8, 16, 32, 64))
F32 = ir.FloatType()
ELEMENTS = {"f32": F32, "i32": I32, "i1": I1}


class Lanes(types.Type):
    """Numba type: a vector of `width` float32, int32 or truth values."""

    def __init__(self, element: str, width: int) -> None:
        self.element, self.width = element, width
        super().__init__(name=f"lanes{width}x{element}")

    @property
    def llvm(self) -> Any:
        """The LLVM vector type."""
        return ir.VectorType(ELEMENTS[self.element], self.width)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Lanes) -> None:
        super().__init__(manager, fe_type, fe_type.llvm)


# A law: plain Python for floats, inlined when a kernel calls it.
law = register_jitable(forceinline=True, error_model="numpy")


# ---- what plain floats do -----------------------------------------------------------------------


def exp(x: float) -> float:
    """Return e to the power of x (relative error below 5e-7 in lanes, |x| <= 87)."""
    return math.exp(x)


def log(x: float) -> float:
    """Return the natural logarithm of x > 0 (error below 3e-7 of max(1, |log x|))."""
    return math.log(x)


def sqrt(x: float) -> float:
    """Return the square root of x >= 0."""
    return math.sqrt(x)


def select(condition: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where the condition holds, else `no`."""
    return yes if condition else no


def fma(x: Any, y: Any, z: Any) -> Any:
    """Return x * y + z (rounded once in lanes)."""
    return x * y + z


def rotate(x: Any, n: int) -> Any:
    """Return 32-bit words rotated left by n."""
    return (x << n) | (x >> (32 - n))


def word(x: Any) -> Any:
    """Return a sum of 32-bit words as a 32-bit word (numba widens sums of single words)."""
    return x


def to_float(x: Any) -> Any:
    """Return an integer as float."""
    return float(x)


def to_int(x: Any) -> Any:
    """Return a float truncated to an integer."""
    return int(x)


def as_mask(condition: Any) -> Any:
    """Return the bits of a truth vector as an integer, lane 0 lowest."""
    return int(condition)


# ---- how vectors do the same --------------------------------------------------------------------


def splat(builder: Any, value: Any, width: int) -> Any:
    """Return LLVM code for a vector of one value."""
    vector = ir.VectorType(value.type, width)
    empty = ir.Constant(vector, ir.Undefined)
    one = builder.insert_element(empty, value, ir.Constant(I32, 0))
    return builder.shuffle_vector(one, empty, ir.Constant(ir.VectorType(I32, width), [0] * width))


def _call(builder: Any, name: str, result: Any, *args: Any) -> Any:
    kind = ir.FunctionType(result, [a.type for a in args])
    return builder.call(builder.module.declare_intrinsic(name, fnty=kind), args)


def _is_lanes(x: Any, *elements: str) -> bool:
    return isinstance(x, Lanes) and (not elements or x.element in elements)


def scalar_for(lanes: Lanes) -> Any:
    """Return the type of one lane."""
    return types.float32 if lanes.element == "f32" else types.int32


def _operands(a: Any, b: Any) -> Lanes | None:
    """Return the common vector type of two operands, one of which may be a plain number."""
    if _is_lanes(a) and a == b:
        return a
    if _is_lanes(a, "f32", "i32") and isinstance(b, types.Number | types.Boolean):
        return a
    if _is_lanes(b, "f32", "i32") and isinstance(a, types.Number | types.Boolean):
        return b
    return None


def _widened(context: Any, builder: Any, signature: Any, args: Any, lanes: Lanes) -> list[Any]:
    """Return the operands as vectors of type `lanes`."""
    out = []
    for kind, value in zip(signature.args, args, strict=True):
        if isinstance(kind, Lanes):
            out.append(value)
        else:
            scalar = context.cast(builder, value, kind, scalar_for(lanes))
            out.append(splat(builder, scalar, lanes.width))
    return out


def _binary(op: Any, on_float: Any, on_int: Callable[..., Any], truth: bool = False) -> None:
    @intrinsic
    def implementation(typing: Any, a: Any, b: Any) -> Any:
        lanes = _operands(a, b)
        if lanes is None:
            return None
        result = Lanes("i1", lanes.width) if truth else lanes

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x, y = _widened(context, builder, signature, args, lanes)
            return (on_float if lanes.element == "f32" else on_int)(builder, x, y)

        return result(a, b), generate

    @overload(op, strict=False)
    def _(a: Any, b: Any) -> Any:
        lanes = _operands(a, b)
        if lanes is None or (lanes.element == "f32" and on_float is None):
            return None
        return lambda a, b: implementation(a, b)


_binary(operator.add, lambda b, x, y: b.fadd(x, y), lambda b, x, y: b.add(x, y))
_binary(operator.sub, lambda b, x, y: b.fsub(x, y), lambda b, x, y: b.sub(x, y))
_binary(operator.mul, lambda b, x, y: b.fmul(x, y), lambda b, x, y: b.mul(x, y))
_binary(operator.truediv, lambda b, x, y: b.fdiv(x, y), lambda b, x, y: b.sdiv(x, y))
_binary(operator.and_, None, lambda b, x, y: b.and_(x, y))
_binary(operator.or_, None, lambda b, x, y: b.or_(x, y))
_binary(operator.xor, None, lambda b, x, y: b.xor(x, y))
_binary(operator.lshift, None, lambda b, x, y: b.shl(x, y))
_binary(operator.rshift, None, lambda b, x, y: b.ashr(x, y))
for _op, _symbol in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
    (operator.ne, "!="),
):
    _binary(
        _op,
        functools.partial(lambda s, b, x, y: b.fcmp_ordered(s, x, y), _symbol),
        functools.partial(lambda s, b, x, y: b.icmp_signed(s, x, y), _symbol),
        truth=True,
    )


@intrinsic
def _invert(typing: Any, x: Any) -> Any:
    return x(x), lambda context, builder, signature, args: builder.not_(args[0])


@overload(operator.invert, strict=False)
def _(x: Any) -> Any:
    return (lambda x: _invert(x)) if _is_lanes(x) else None


@intrinsic
def _negate(typing: Any, x: Any) -> Any:
    return x(x), lambda context, builder, signature, args: builder.fneg(args[0])


@overload(operator.neg, strict=False)
def _(x: Any) -> Any:
    return (lambda x: _negate(x)) if _is_lanes(x, "f32") else None


@intrinsic
def _select(typing: Any, condition: Any, yes: Any, no: Any) -> Any:
    lanes = _operands(yes, no)
    if lanes is None:
        return None
    vector = lanes

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        inner = vector(*signature.args[1:])
        x, y = _widened(context, builder, inner, args[1:], vector)
        return builder.select(args[0], x, y)

    return vector(condition, yes, no), generate


@overload(select, strict=False)
def _(condition: Any, yes: Any, no: Any) -> Any:
    if _is_lanes(condition):
        return lambda condition, yes, no: _select(condition, yes, no)
    return lambda condition, yes, no: yes if condition else no


@intrinsic
def _fma(typing: Any, x: Any, y: Any, z: Any) -> Any:
    lanes = next(v for v in (x, y, z) if isinstance(v, Lanes))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = _widened(context, builder, signature, args, lanes)
        return _call(builder, f"llvm.fma.v{lanes.width}f32", lanes.llvm, *vectors)

    return lanes(x, y, z), generate


@overload(fma, strict=False)
def _(x: Any, y: Any, z: Any) -> Any:
    if any(_is_lanes(v) for v in (x, y, z)):
        return lambda x, y, z: _fma(x, y, z)
    return lambda x, y, z: x * y + z


@intrinsic
def _rotate(typing: Any, x: Any, n: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        amount = context.cast(builder, args[1], signature.args[1], types.int32)
        by = splat(builder, amount, x.width)
        return _call(builder, f"llvm.fshl.v{x.width}i32", x.llvm, args[0], args[0], by)

    return x(x, n), generate


@overload(rotate, strict=False)
def _(x: Any, n: Any) -> Any:
    if _is_lanes(x):
        return lambda x, n: _rotate(x, n)
    return lambda x, n: numba.uint32((x << numba.uint32(n)) | (x >> numba.uint32(32 - n)))


@overload(word, strict=False)
def _(x: Any) -> Any:
    return (lambda x: x) if _is_lanes(x) else (lambda x: numba.uint32(x))


def _unary(
    function: Callable[..., Any],
    result: str,
    generate: Callable[..., Any],
    plain: Callable[..., Any],
) -> None:
    @intrinsic
    def implementation(typing: Any, x: Any) -> Any:
        lanes = Lanes(result, x.width)
        return lanes(x), lambda c, builder, s, args: generate(builder, args[0], x, lanes)

    @overload(function, strict=False)
    def _(x: Any) -> Any:
        return (lambda x: implementation(x)) if _is_lanes(x) else plain


_unary(to_float, "f32", lambda b, v, x, r: b.sitofp(v, r.llvm), lambda x: numba.float32(x))
_unary(to_int, "i32", lambda b, v, x, r: b.fptosi(v, r.llvm), lambda x: numba.int32(x))
_unary(
    sqrt,
    "f32",
    lambda b, v, x, r: _call(b, f"llvm.sqrt.v{x.width}f32", r.llvm, v),
    lambda x: math.sqrt(x),
)


def round_even(x: float) -> float:
    """Return x rounded to the nearest whole number, ties to even."""
    return float(round(x))


def float_of_bits(x: Any) -> Any:
    """Return the float32 with these 32 bits (lanes only)."""
    raise NotImplementedError("bits of floats exist in lanes only")


def bits_of_float(x: Any) -> Any:
    """Return the 32 bits of a float32 (lanes only)."""
    raise NotImplementedError("bits of floats exist in lanes only")


_unary(
    round_even,
    "f32",
    lambda b, v, x, r: _call(b, f"llvm.rint.v{x.width}f32", r.llvm, v),
    lambda x: numba.float32(round(x)),
)
_unary(float_of_bits, "f32", lambda b, v, x, r: b.bitcast(v, r.llvm), lambda x: x)
_unary(bits_of_float, "i32", lambda b, v, x, r: b.bitcast(v, r.llvm), lambda x: x)


@intrinsic
def _mask_bits(typing: Any, x: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(builder.bitcast(args[0], ir.IntType(x.width)), I64)

    return types.int64(x), generate


@overload(as_mask, strict=False)
def _(condition: Any) -> Any:
    if _is_lanes(condition, "i1"):
        return lambda condition: _mask_bits(condition)
    return lambda condition: int(condition)


@intrinsic
def any_bits(typing: Any, x: Any) -> Any:
    """Return the bits that any lane of a vector of integers has, as an integer (lanes only)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = _call(builder, f"llvm.vector.reduce.or.v{x.width}i32", I32, args[0])
        return builder.zext(found, I64)

    return types.int64(x), generate


@intrinsic
def lowest_bit(typing: Any, x: Any) -> Any:
    """Return the place of the lowest bit of an integer that is not 0 (kernels only)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(context.cast(builder, args[0], x, types.int64), ir.Constant(I1, 1))

    return types.int64(x), generate


@register_jitable(forceinline=True)
def _exp_lanes(x: Any) -> Any:
    """Cody-Waite reduction and a degree-6 polynomial (Cephes expf), saturating beyond +-87."""
    x = select(x > 87.0, 87.0, select(x < -87.0, -87.0, x))
    k = round_even(x * 1.44269504)
    f = fma(k, -0.693359375, x)
    f = fma(k, 2.12194440e-4, f)
    p = fma(f, 1.9875691500e-4, 1.3981999507e-3)
    p = fma(p, f, 8.3334519073e-3)
    p = fma(p, f, 4.1665795894e-2)
    p = fma(p, f, 1.6666665459e-1)
    p = fma(p, f, 5.0000001201e-1)
    p = fma(p, f * f, f) + 1.0
    return float_of_bits(bits_of_float(p) + (to_int(k) << 23))


@register_jitable(forceinline=True)
def _log_lanes(x: Any) -> Any:
    """Exponent bits and a degree-8 polynomial (Cephes logf), for x >= 1e-37."""
    bits = bits_of_float(x)
    e = to_float((bits >> 23) - 126)
    m = float_of_bits((bits & 0x007FFFFF) | 0x3F000000)
    small = m < 0.707106781
    e = select(small, e - 1.0, e)
    m = select(small, m + m, m) - 1.0
    z = m * m
    p = fma(m, 7.0376836292e-2, -1.1514610310e-1)
    p = fma(p, m, 1.1676998740e-1)
    p = fma(p, m, -1.2420140846e-1)
    p = fma(p, m, 1.4249322787e-1)
    p = fma(p, m, -1.6668057665e-1)
    p = fma(p, m, 2.0000714765e-1)
    p = fma(p, m, -2.4999993993e-1)
    p = fma(p, m, 3.3333331174e-1)
    y = fma(e, -2.12194440e-4, p * m * z)
    y = fma(z, -0.5, y)
    return fma(e, 0.693359375, m + y)


@overload(exp, strict=False)
def _(x: Any) -> Any:
    return (lambda x: _exp_lanes(x)) if _is_lanes(x, "f32") else (lambda x: math.exp(x))


@overload(log, strict=False)
def _(x: Any) -> Any:
    return (lambda x: _log_lanes(x)) if _is_lanes(x, "f32") else (lambda x: math.log(x))
