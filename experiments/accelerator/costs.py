"""What a device does in a compiled program: operations, traffic, memory, collectives. Loops count once."""

import collections
import math
import re

import jax
from jaxlib import _jax

SIZES = {"pred": 1, "bf16": 2}  # bytes; other types tell theirs in bits
ARRAY = re.compile(r"\b(pred|bf16|[cfsu]\d+)\[([\d,]*)\]")
INSTRUCTION = re.compile(r"^ *(?:ROOT )?%?([\w.-]+) = (.*?) ([a-z-]+)\((.*?)\)(.*)$", re.MULTILINE)
COLLECTIVE = re.compile(r"(all-gather|all-reduce|all-to-all|collective-permute|reduce-scatter)(-done)?")


def measure(program) -> list[str]:
    """GFLOP, megabytes read and written, megabytes of memory, and `collectives`."""
    (module,) = program.runtime_executable().hlo_modules()
    # Compiled.cost_analysis() knows nothing of CUDA without a device.
    costs = _jax.hlo_module_cost_analysis(jax.devices()[0].client, module)
    memory, text = program.memory_analysis(), program.as_text()
    held = memory.argument_size_in_bytes + memory.output_size_in_bytes - memory.alias_size_in_bytes
    numbers = [
        (costs["flops"] + library_operations(text)) / 1e9,
        costs["bytes accessed"] / 1e6,
        (held + memory.temp_size_in_bytes) / 1e6,
    ]
    return [*(f"{number:.2f}" for number in numbers), collectives(text)]


def library_operations(text) -> int:
    """Those of the convolutions that a program's text has of NVIDIA's library, which XLA does not count.

    Images [n, h, w, c], kernel [k, k, c, d] and result [n, h', w', d] take 2 n h' w' k k c d, whichever of
    the three is sought.
    """
    numbers, total = {}, 0
    for name, result, opcode, operands, rest in INSTRUCTION.findall(text):
        shapes = _shapes(result)
        numbers[name] = math.prod(shapes[0][1]) if shapes else 0
        if opcode == "custom-call" and "__cudnn$conv" in rest:
            first, second = re.findall(r"%([\w.-]+)", operands)[:2]
            arrays = numbers[name] * numbers[first] * numbers[second]
            total += round(2 * math.sqrt(arrays * _window(rest, "size") / _window(rest, "stride")))
    return total


def _window(text, field):
    """The product of a field of a convolution's window, as size=3x3; 1 where it is not told."""
    found = re.search(rf"window={{[^}}]*\b{field}=([\dx]+)", text)
    return math.prod(map(int, found[1].split("x"))) if found else 1


def collectives(text) -> str:
    """How many of each kind, and the megabytes that each device has of them."""
    count, size = collections.Counter(), collections.Counter()
    for _, result, opcode, _, _ in INSTRUCTION.findall(text):
        if found := COLLECTIVE.fullmatch(opcode):
            count[found[1]] += 1
            size[found[1]] += sum(_bytes(kind) * math.prod(shape) for kind, shape in _shapes(result))
    return ", ".join(f"{count[kind]} {kind} {size[kind] / 1e6:.2f}" for kind in sorted(count)) or "none"


def _shapes(text) -> list[tuple]:
    return [(kind, [int(side) for side in sides.split(",") if side]) for kind, sides in ARRAY.findall(text)]


def _bytes(kind):
    return SIZES.get(kind) or int(kind[1:]) // 8
