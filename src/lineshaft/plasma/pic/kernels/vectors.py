"""SIMD vectors for numba: a type that LLVM sees as `<16 x float>` or `<8 x double>`, 64 bytes either way.

numba vectorises simple loops by itself, but not one that also records which lanes left their cell. Here a
vector is an ordinary value with + - * /, and LLVM maps it to whatever the processor has: one AVX-512
register, two of AVX2, four of NEON. No instruction of one processor is named.

All arithmetic carries LLVM's fast-math flags, so `reciprocal_root` becomes the hardware's estimate plus a
Newton step where that is faster; `exact_difference` alone does not, since fast-math would cancel it away.
"""

import operator
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

BYTES = 64
FAST = ("nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc")
I32, I64 = ir.IntType(32), ir.IntType(64)
ONE_AS_BITS = {32: 0x3F800000, 64: 0x3FF0000000000000}


class Vector(types.Type):
    """64 bytes of float32 or float64."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.lanes = 8 * BYTES // bits
        super().__init__(name=f"v{self.lanes}f{bits}")

    @property
    def element(self) -> ir.Type:
        return ir.FloatType() if self.bits == 32 else ir.DoubleType()

    @property
    def llvm(self) -> ir.VectorType:
        return ir.VectorType(self.element, self.lanes)

    @property
    def scalar(self) -> types.Float:
        return types.float32 if self.bits == 32 else types.float64


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, vector.llvm)


def call(build: ir.IRBuilder, name: str, returns: ir.Type, args: list, fast: bool = False) -> ir.Value:
    """Call the LLVM intrinsic `name`."""
    signature = ir.FunctionType(returns, [arg.type for arg in args])
    function = cgutils.get_or_insert_function(build.module, signature, name)
    return build.call(function, args, fastmath=FAST if fast else ())


def pointer(context: Any, build: ir.IRBuilder, kind: types.Array, array: ir.Value, i: ir.Value) -> ir.Value:
    """Address of element i of a contiguous array, without numba's wrap-around of negative indices."""
    data = cgutils.create_struct_proxy(kind)(context, build, array).data
    return build.gep(data, [i], inbounds=True)


def arithmetic(symbol: Any, method: str) -> None:
    """Give vectors the operator `symbol`."""

    @intrinsic
    def operate(typing, a, b):
        def emit(context, build, signature, args):
            return getattr(build, method)(*args, flags=FAST)

        return a(a, b), emit

    @overload(symbol)
    def overloaded(a, b):
        if isinstance(a, Vector) and a == b:
            return lambda a, b: operate(a, b)
        return None


for symbol, method in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    arithmetic(symbol, method)


def smaller_or_larger(comparison: str) -> Any:
    @intrinsic
    def choose(typing, a, b):
        def emit(context, build, signature, args):
            return build.select(build.fcmp_ordered(comparison, *args, flags=FAST), *args)

        return a(a, b), emit

    return choose


smaller = smaller_or_larger("<")
larger = smaller_or_larger(">")


@intrinsic
def exact_difference(typing, a, b):
    """a - b without fast-math: (x + d) - x stays the step that rounding left, and is not simplified to d."""

    def emit(context, build, signature, args):
        return build.fsub(*args)

    return a(a, b), emit


@intrinsic
def lanes(typing, array):
    """Vector lanes of the array's type: 16 for float32, 8 for float64; a constant for the compiler."""
    n = 8 * BYTES // array.dtype.bitwidth

    def emit(context, build, signature, args):
        return I64(n)

    return types.int64(array), emit


@intrinsic
def lane_bits(typing, array):
    """log2 of `lanes`."""
    n = (8 * BYTES // array.dtype.bitwidth).bit_length() - 1

    def emit(context, build, signature, args):
        return I64(n)

    return types.int64(array), emit


@intrinsic
def splat(typing, x):
    """The scalar x in every lane."""
    vector = Vector(x.bitwidth)

    def emit(context, build, signature, args):
        undefined = ir.Constant(vector.llvm, ir.Undefined)
        first = build.insert_element(undefined, args[0], I32(0))
        return build.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(I32, vector.lanes), None))

    return vector(x), emit


@intrinsic
def load(typing, array, i):
    """The vector that starts at element i, which lies on a 64-byte boundary."""
    vector = Vector(array.dtype.bitwidth)

    def emit(context, build, signature, args):
        address = pointer(context, build, signature.args[0], *args)
        value = build.load(build.bitcast(address, vector.llvm.as_pointer()))
        value.align = BYTES
        return value

    return vector(array, types.int64), emit


@intrinsic
def store(typing, array, i, vector):
    """Write a vector at element i, which lies on a 64-byte boundary."""

    def emit(context, build, signature, args):
        address = pointer(context, build, signature.args[0], *args[:2])
        build.store(args[2], build.bitcast(address, vector.llvm.as_pointer())).align = BYTES
        return context.get_dummy_value()

    return types.none(array, types.int64, vector), emit


@intrinsic
def load_at(typing, array, i):
    """The vector that starts at element i, wherever that lies."""
    vector = Vector(array.dtype.bitwidth)

    def emit(context, build, signature, args):
        address = pointer(context, build, signature.args[0], *args)
        value = build.load(build.bitcast(address, vector.llvm.as_pointer()))
        value.align = vector.bits // 8
        return value

    return vector(array, types.int64), emit


@intrinsic
def store_at(typing, array, i, vector):
    """Write a vector at element i, wherever that lies."""

    def emit(context, build, signature, args):
        address = pointer(context, build, signature.args[0], *args[:2])
        build.store(args[2], build.bitcast(address, vector.llvm.as_pointer())).align = vector.bits // 8
        return context.get_dummy_value()

    return types.none(array, types.int64, vector), emit


@intrinsic
def whole(typing, a):
    """The largest integers not above, as a vector of the same type."""

    def emit(context, build, signature, args):
        return call(build, f"llvm.floor.{a.name}", a.llvm, list(args))

    return a(a), emit


@intrinsic
def store_whole(typing, array, i, a):
    """Write a vector of whole numbers as int32 or int64 from element i on."""
    integers = ir.VectorType(ir.IntType(array.dtype.bitwidth), a.lanes)

    def emit(context, build, signature, args):
        address = build.bitcast(pointer(context, build, signature.args[0], *args[:2]), integers.as_pointer())
        build.store(build.fptosi(args[2], integers), address).align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.none(array, types.int64, a), emit


def permutes() -> bool:
    """Whether the processor can pick the lanes of a vector by another one."""
    return bool(binding.get_host_cpu_features().get("avx512f", False))


@intrinsic
def pick(typing, table, index):
    """table[index], lane by lane; index holds whole numbers from 0 to lanes - 1."""
    integers = ir.VectorType(ir.IntType(table.bits), table.lanes)

    def emit(context, build, signature, args):
        lane = build.fptosi(args[1], integers)
        if permutes():
            kind = "sf" if table.bits == 32 else "df"
            return call(build, f"llvm.x86.avx512.permvar.{kind}.512", table.llvm, [args[0], lane])
        found = ir.Constant(table.llvm, ir.Undefined)
        for k in range(table.lanes):
            one = build.extract_element(args[0], build.extract_element(lane, I32(k)))
            found = build.insert_element(found, one, I32(k))
        return found

    return table(table, index), emit


@intrinsic
def store_rows(typing, array, i, vectors):
    """Write four vectors lane by lane: rows of four numbers, one a lane, from element i on."""
    vector = vectors.dtype
    half = vector.lanes // 2

    def interleaved(build, a, b, start):
        order = [k for j in range(start, start + half) for k in (j, vector.lanes + j)]
        return build.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, vector.lanes), order))

    def emit(context, build, signature, args):
        a, b, c, d = (build.extract_value(args[2], k) for k in range(4))
        for k in range(2):
            outer, inner = interleaved(build, a, c, k * half), interleaved(build, b, d, k * half)
            for j in range(2):
                at = build.add(args[1], I64((2 * k + j) * vector.lanes))
                address = pointer(context, build, signature.args[0], args[0], at)
                rows = interleaved(build, outer, inner, j * half)
                build.store(rows, build.bitcast(address, vector.llvm.as_pointer())).align = vector.bits // 8
        return context.get_dummy_value()

    return types.none(array, types.int64, vectors), emit


@intrinsic
def add_row(typing, to, i, rows, j):
    """to[i : i + 4] += rows[j : j + 4]."""
    four = ir.VectorType(ir.FloatType() if to.dtype.bitwidth == 32 else ir.DoubleType(), 4)

    def emit(context, build, signature, args):
        target = build.bitcast(pointer(context, build, signature.args[0], *args[:2]), four.as_pointer())
        source = build.bitcast(pointer(context, build, signature.args[2], *args[2:]), four.as_pointer())
        values = [build.load(target), build.load(source)]
        for value in values:
            value.align = to.dtype.bitwidth // 8
        build.store(build.fadd(*values), target).align = to.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.none(to, types.int64, rows, types.int64), emit


@intrinsic
def reciprocal_root(typing, a):
    """1 / sqrt(a), by the hardware's estimate and a Newton step where it has one."""

    def emit(context, build, signature, args):
        root = call(build, f"llvm.sqrt.{a.name}", a.llvm, list(args), fast=True)
        return build.fdiv(ir.Constant(a.llvm, [1.0] * a.lanes), root, flags=FAST)

    return a(a), emit


@intrinsic
def quick_root(typing, a):
    """1 / sqrt(a) of float64 between 1e-36 and 1e36, to 1e-13: float32's estimate and a Newton step.

    The square root and the division of float64 would take three times as long.
    """
    narrow = ir.VectorType(ir.FloatType(), a.lanes)

    def emit(context, build, signature, args):
        root = call(build, f"llvm.sqrt.v{a.lanes}f32", narrow, [build.fptrunc(args[0], narrow)], fast=True)
        inverse = build.fdiv(ir.Constant(narrow, [1.0] * a.lanes), root, flags=FAST)
        guess = build.fpext(inverse, a.llvm)
        half, more = (ir.Constant(a.llvm, [x] * a.lanes) for x in (0.5, 1.5))
        square = build.fmul(build.fmul(args[0], guess, flags=FAST), guess, flags=FAST)
        step = build.fsub(more, build.fmul(half, square, flags=FAST), flags=FAST)
        return build.fmul(guess, step, flags=FAST)

    return a(a), emit


@intrinsic
def keep(typing, a, mask):
    """Lanes whose bit is set in the mask; 0 in the others."""

    def emit(context, build, signature, args):
        bits = build.trunc(args[1], ir.IntType(a.lanes))
        chosen = build.bitcast(bits, ir.VectorType(ir.IntType(1), a.lanes))
        return build.select(chosen, args[0], ir.Constant(a.llvm, None))

    return a(a, types.int64), emit


@intrinsic
def outside(typing, a):
    """Bit mask of the lanes not in [0, 1): as unsigned integers, negative floats lie above 1.0 too."""

    def emit(context, build, signature, args):
        integers = ir.VectorType(ir.IntType(a.bits), a.lanes)
        one = ir.Constant(integers, [ONE_AS_BITS[a.bits]] * a.lanes)
        out = build.icmp_unsigned(">=", build.bitcast(args[0], integers), one)
        return build.zext(build.bitcast(out, ir.IntType(a.lanes)), I64)

    return types.int64(a), emit


@intrinsic
def total(typing, a):
    """Sum over the lanes."""

    def emit(context, build, signature, args):
        zero = ir.Constant(a.element, -0.0)
        return call(build, f"llvm.vector.reduce.fadd.{a.name}", a.element, [zero, args[0]], fast=True)

    return a.scalar(a), emit


@intrinsic
def get(typing, array, i):
    """array[i] without wrap-around of negative indices."""

    def emit(context, build, signature, args):
        return build.load(pointer(context, build, signature.args[0], *args))

    return array.dtype(array, types.int64), emit


@intrinsic
def put(typing, array, i, value):
    """array[i] = value without wrap-around of negative indices."""

    def emit(context, build, signature, args):
        build.store(args[2], pointer(context, build, signature.args[0], *args[:2]))
        return context.get_dummy_value()

    return types.none(array, types.int64, array.dtype), emit


@intrinsic
def prefetch(typing, array, i):
    """Ask for the cache line of array[i]."""

    def emit(context, build, signature, args):
        byte = ir.IntType(8).as_pointer()
        address = build.bitcast(pointer(context, build, signature.args[0], *args), byte)
        call(build, "llvm.prefetch.p0", ir.VoidType(), [address, I32(0), I32(3), I32(1)])
        return context.get_dummy_value()

    return types.none(array, types.int64), emit


@intrinsic
def highest_bit(typing, mask):
    """Index of the highest bit that is set; the mask is not 0."""

    def emit(context, build, signature, args):
        return build.sub(I64(63), build.ctlz(args[0], ir.IntType(1)(1)))

    return types.int64(types.int64), emit


@intrinsic
def bits_set(typing, mask):
    """How many bits are set."""

    def emit(context, build, signature, args):
        return build.ctpop(args[0])

    return types.int64(types.int64), emit
