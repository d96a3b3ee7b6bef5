"""What a device does in a compiled program: operations, traffic, memory, launches, collectives."""

import collections
import math
import re
from typing import Any, NamedTuple

import jax
from jaxlib import _hlo, _jax

SIZES = {"pred": 1, "bf16": 2}  # bytes; other types tell theirs in bits
ARRAY = re.compile(r"\b(pred|bf16|[cfsu]\d+)\[([\d,]*)\]")
INSTRUCTION = re.compile(r"^ *(?:ROOT )?%?([\w.-]+) = (.*?) ([a-z-]+)\((.*?)\)(.*)$", re.MULTILINE)
COLLECTIVE = re.compile(r"(all-gather|all-reduce|all-to-all|collective-permute|reduce-scatter)(-done)?")
COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.-]+) \(.*?^\}$", re.MULTILINE | re.DOTALL)
CALLED = re.compile(r"(?:calls|to_apply|body|condition|called_computations)=\{?%([\w.-]+)")
TURNS = re.compile(r'"known_trip_count":\{"n":"(\d+)"')
METADATA = re.compile(r", metadata=\{.*?\}(?=[,\n])")
# What stands in a program and asks nothing of the device by itself.
FREE = {"parameter", "tuple", "get-tuple-element", "bitcast", "constant", "while", "call", "conditional"}
FREE |= {"partition-id", "replica-id", "after-all", "optimization-barrier", "async-update", "domain"}


class Costs(NamedTuple):
    """FLOPs, bytes read and written, launches; of a loop, of all its turns."""

    flops: float
    bytes: float
    launches: float

    def plus(self, other: "Costs", times: float = 1) -> "Costs":
        return Costs(*(one + times * more for one, more in zip(self, other)))


def measure(program) -> dict[str, Any]:
    """What each device does.

    flops, bytes, launches: of all turns of loops, of one turn where the program itself draws how many there
    are; `unknown` says how many such loops there are, and `turn` how many launches a turn of them. memory:
    the bytes held. collectives: of each kind how many there are, and the bytes of the results.
    """
    memory, text = program.memory_analysis(), program.as_text()
    held = memory.argument_size_in_bytes + memory.output_size_in_bytes - memory.alias_size_in_bytes
    counts = Program(text)
    return {
        **counts.entry()._asdict(),
        **counts.unknown(),
        "memory": held + memory.temp_size_in_bytes,
        "collectives": collectives(text),
    }


class Program:
    """The computations of a compiled program, from its text."""

    def __init__(self, text: str):
        text = METADATA.sub("", text)
        self._texts = {found[1]: found[0] for found in COMPUTATION.finditer(text)}
        (self._entry,) = re.findall(r"^ENTRY %?([\w.-]+) \(", text, re.MULTILINE)

    def entry(self) -> Costs:
        """Those of the whole program."""
        return self._costs(self._entry)

    def unknown(self) -> dict[str, float]:
        """The loops whose number of turns nobody knows ahead of time, and the launches of a turn of them."""
        bodies = [loop for name in self._texts for loop, turns in self._loops(name) if turns is None]
        return {"unknown": len(bodies), "turn": sum(self._costs(body).launches for body in bodies)}

    def _costs(self, name: str) -> Costs:
        once = self._once(name)
        costs = once._replace(launches=self._launches(name))
        for body, turns in self._loops(name):
            # XLA counts a loop's body once.
            costs = costs.plus(self._once(body)._replace(launches=0), -1).plus(self._costs(body), turns or 1)
        return costs

    def _loops(self, name: str) -> list[tuple[str, int | None]]:
        """(body, how many turns) of each loop of a computation."""
        lines = [line for line in self._texts[name].splitlines() if " while(" in line]
        return [(re.search(r"body=%([\w.-]+)", line)[1], self._turns(line)) for line in lines]

    def _turns(self, line: str) -> int | None:
        """As XLA notes them for CUDA; for TPU it does not, but loops count from 0 to a constant."""
        condition = self._texts[re.search(r"condition=%([\w.-]+)", line)[1]]
        found = TURNS.findall(line) or re.findall(r"= s32\[\]\S* constant\((\d+)\)", condition)
        return int(found[0]) if len(found) == 1 else None

    def _once(self, name: str) -> Costs:
        """XLA's own count of a computation and of all that it calls, a loop's body once."""
        needed = self._needed(name)
        texts = [text.removeprefix("ENTRY ") for text in map(self._texts.get, needed)]
        module = _hlo.hlo_module_from_text(
            "\n\n".join(["HloModule counted", *texts[1:], "ENTRY " + texts[0]])
        )
        # Compiled.cost_analysis() knows nothing of CUDA without a device.
        told = _jax.hlo_module_cost_analysis(jax.devices("cpu")[0].client, module)
        return Costs(told["flops"] + sum(map(library_operations, texts)), told["bytes accessed"], 0)

    def _needed(self, name: str) -> list[str]:
        """A computation and all that it calls, itself first, then callees before callers."""
        found = {}

        def visit(one):
            for other in CALLED.findall(self._texts[one]):
                if other not in found:
                    visit(other)
            found[one] = None

        visit(name)
        return [name, *(other for other in found if other != name)]

    def _launches(self, name: str) -> int:
        opcodes = [found[3] for found in INSTRUCTION.finditer(self._texts[name])]
        called = re.findall(r" call\(.*?to_apply=%([\w.-]+)", self._texts[name])
        own = sum(opcode not in FREE and not opcode.endswith("-done") for opcode in opcodes)
        return own + sum(map(self._launches, called))


def library_operations(text: str) -> int:
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


def collectives(text: str) -> dict[str, list[int]]:
    """Of each kind how many there are, and the bytes that each device has of their results."""
    found = collections.defaultdict(lambda: [0, 0])
    for _, result, opcode, _, _ in INSTRUCTION.findall(text):
        if kind := COLLECTIVE.fullmatch(opcode):
            found[kind[1]][0] += 1
            found[kind[1]][1] += sum(_bytes(kind) * math.prod(shape) for kind, shape in _shapes(result))
    return dict(sorted(found.items()))


def _shapes(text) -> list[tuple]:
    return [(kind, [int(side) for side in sides.split(",") if side]) for kind, sides in ARRAY.findall(text)]


def _bytes(kind):
    return SIZES.get(kind) or int(kind[1:]) // 8
