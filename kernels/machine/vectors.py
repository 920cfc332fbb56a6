"""Straight-line vector code emitted as LLVM IR: the vocabulary of the micro-kernel and of Winograd's transforms.

LLVM's vectorisers turn plain loops over contiguous numbers into vector code well, and everything else badly. What must
be vectors is emitted as vectors, one method here for each instruction.
"""

from llvmlite import ir
from numba.core import cgutils

from .processor import lanes

RELU, LEAKY_RELU = 4, 8
"""Bits of a kernel's mode: the activation that it applies before it stores."""

_LINE_BYTES = 64

_I64, _I32 = ir.IntType(64), ir.IntType(32)


class Vectors:
    """Emits instructions on vectors of the processor's full width, of float32 or float64."""

    def __init__(self, builder: ir.IRBuilder, itemsize: int) -> None:
        self.b = builder
        self.lanes = lanes(itemsize)
        self.scalar = ir.DoubleType() if itemsize == 8 else ir.FloatType()
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.suffix = f"v{self.lanes}f{8 * itemsize}"
        self.align = itemsize

    def intrinsic(self, name: str, result: ir.Type, *arguments: ir.Type) -> ir.Function:
        return cgutils.get_or_insert_function(self.b.module, ir.FunctionType(result, arguments), name)

    def pointer(self, address: ir.Value) -> ir.Value:
        """A 64-bit address as a pointer to numbers."""
        return self.b.inttoptr(address, self.scalar.as_pointer())

    def at(self, base: ir.Value, offset: ir.Value) -> ir.Value:
        return self.b.gep(base, [offset])

    def times(self, stride: ir.Value, count: int) -> ir.Value:
        return self.b.mul(stride, _I64(count))

    def load(self, address: ir.Value) -> ir.Value:
        loaded = self.b.load(self.b.bitcast(address, self.vector.as_pointer()))
        loaded.align = self.align
        return loaded

    def store(self, value: ir.Value, address: ir.Value) -> None:
        self.b.store(value, self.b.bitcast(address, self.vector.as_pointer())).align = self.align

    def stream(self, value: ir.Value, address: ir.Value) -> None:
        """Store past the caches, at an address that is a multiple of the vector's size.

        An ordinary store first fetches the line that it writes into. For arrays too large to stay near by that traffic
        is wasted, and where others use the shared cache it takes several times as long as the arithmetic around it.
        Other threads see the value after the next locked instruction, of which every launch ends with one.

        Vectors narrower than a line of the cache are stored as usual: parts of a line that come at different times
        would travel to memory one by one.
        """
        if self.lanes * self.align < _LINE_BYTES:
            self.store(value, address)
            return
        stored = self.b.store(value, self.b.bitcast(address, self.vector.as_pointer()))
        stored.align = self.lanes * self.align
        stored.set_metadata("nontemporal", self.b.module.add_metadata([_I32(1)]))

    def splat(self, number: ir.Value) -> ir.Value:
        """A vector of one number in every lane."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.b.insert_element(undefined, number, _I32(0))
        return self.b.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_I32, self.lanes), [0] * self.lanes))

    def broadcast(self, address: ir.Value) -> ir.Value:
        number = self.b.load(address)
        number.align = self.align
        return self.splat(number)

    def constant(self, value: float) -> ir.Constant:
        return ir.Constant(self.vector, [value] * self.lanes)

    def add(self, x: ir.Value, y: ir.Value) -> ir.Value:
        return self.b.fadd(x, y)

    def sub(self, x: ir.Value, y: ir.Value) -> ir.Value:
        return self.b.fsub(x, y)

    def scale(self, factor: float, x: ir.Value) -> ir.Value:
        return self.b.fmul(self.constant(factor), x)

    def fma(self, x: ir.Value | float, y: ir.Value, z: ir.Value) -> ir.Value:
        """``x * y + z`` with one rounding; ``x`` may be a number."""
        factor = self.constant(x) if isinstance(x, int | float) else x
        function = self.intrinsic(f"llvm.fma.{self.suffix}", self.vector, self.vector, self.vector, self.vector)
        return self.b.call(function, [factor, y, z])

    def activate(self, value: ir.Value, mode: ir.Value, slope: ir.Value) -> ir.Value:
        """``value`` where it is positive or NaN; below zero 0 (relu), slope * value (leaky) or itself."""
        b = self.b
        relu = b.icmp_signed("!=", b.and_(mode, _I64(RELU)), _I64(0))
        leaky = b.icmp_signed("!=", b.and_(mode, _I64(LEAKY_RELU)), _I64(0))
        below = b.select(relu, self.constant(0.0), b.select(leaky, b.fmul(value, slope), value))
        return b.select(b.fcmp_ordered("<", value, self.constant(0.0)), below, value)
