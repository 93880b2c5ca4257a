"""Many tilings at once against the plain evaluator, one mapping at a time, on random layers, machines and tilings."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from simulator.costmodel.loopnest import price_loops
from simulator.costmodel.loopnest_latency import TimedTransfer, union_of_windows
from simulator.costmodel.loopnest_links import Sharing, Transfer
from simulator.costmodel.loopnest_types import (
    DIRECTIONS,
    LOOPS,
    OPERANDS,
    LoopLayer,
    LoopMachine,
    LoopMemory,
    PinnedLoops,
    Port,
)
from simulator.costmodel.tilings import Tilings, price_tilings
from simulator.errors import InputError
from simulator.kernels.tilings_ports import LINK_COLUMNS, MAX_WINDOWS
from simulator.kernels.tilings_ports import union_of_windows as kernel_union

SEEDS = 150
TILINGS = 6


def random_ports(rng: np.random.Generator, operands: tuple[str, ...]) -> tuple[Port, ...]:
    """One port for all, one to read and one to write, or one per operand; links in random order."""
    links = [(operand, direction) for operand in operands for direction in DIRECTIONS]
    rng.shuffle(links)
    kind = int(rng.integers(3))
    groups: dict[object, list[tuple[str, str]]] = {}
    for operand, direction in map(tuple, links):
        groups.setdefault((0, direction.startswith("read"), operand)[kind], []).append((operand, direction))
    width = int(rng.choice([4, 8, 24, 64, 100]))
    return tuple(Port(str(key), width + 4 * i, tuple(own)) for i, (key, own) in enumerate(groups.items()))


def random_machine(rng: np.random.Generator) -> LoopMachine:
    """Up to two memories per element and operand, some shared levels, a memory for all on top."""
    memories = []
    for place, inside in enumerate((True, True, False, False)):
        groups = ([("O",), ("W",), ("I",)], [("O", "I"), ("W",)], [("O", "W", "I")])[int(rng.integers(3))]
        for operands in groups:
            if rng.random() < 0.6:
                capacity = int(rng.choice([64, 512, 2048, 1 << 15]) << (0 if inside else 2))
                prices = [float(n) / 4 for n in rng.integers(1, 80, 2)]
                ports = random_ports(rng, operands)
                memories.append(LoopMemory(f"{operands}{place}", operands, capacity, inside, *prices, ports))
    memories.append(LoopMemory("top", OPERANDS, 1 << 40, False, 100.0, 120.0, random_ports(rng, OPERANDS)))
    return LoopMachine(64, 0.5, tuple(memories))


def random_case(seed: int) -> tuple[LoopLayer, LoopMachine, list[PinnedLoops]]:
    """A layer on a machine under several loop orders and placements with one unrolling."""
    rng = np.random.Generator(np.random.PCG64(seed))
    machine = random_machine(rng)
    factors = [(str(rng.choice(LOOPS)), int(rng.choice([1, 2, 2, 3, 4, 5]))) for _ in range(int(rng.integers(3, 8)))]
    sizes = dict.fromkeys(LOOPS, 1)
    for loop, steps in factors:
        sizes[loop] *= steps
    spatial: dict[str, Fraction] = {}
    for loop in rng.permutation(["K", "C", "OY", "FX", "B"])[: int(rng.integers(3))].tolist():
        fraction = Fraction(int(rng.integers(2, 6)) * sizes[loop], sizes[loop])
        if sizes[loop] > 1 and rng.random() < 0.7:  # such as 64 / 6: whole only together with the temporal loops
            fraction += Fraction(int(rng.integers(1, sizes[loop])), sizes[loop])
        spatial[loop] = fraction
    for loop, unrolled in spatial.items():
        sizes[loop] = int(sizes[loop] * unrolled)
    bits = {"O_partial": 16, "O_final": 8, "W": int(rng.choice([4, 8])), "I": int(rng.choice([1, 8]))}
    layer = LoopLayer("random", sizes, bits, (int(rng.integers(1, 3)), int(rng.integers(1, 3))))
    mappings = []
    for _ in range(TILINGS):
        order = tuple(factors[i] for i in rng.permutation(len(factors)))
        placed = {}
        for operand in OPERANDS:
            inner = len(machine.levels[operand]) - 1
            cuts = np.sort(rng.integers(0, len(order) + 1, inner))
            placed[operand] = tuple(np.diff(cuts, prepend=0, append=len(order)).tolist())
        whole = {loop: int(unrolled) for loop, unrolled in spatial.items()}
        mappings.append(PinnedLoops(order, placed, spatial, whole))
    return layer, machine, mappings


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_count_and_rung_is_equal(seed: int) -> None:
    sharing: Sharing = "distinct" if seed % 3 == 0 else "per_element"
    layer, machine, mappings = random_case(seed)
    found = price_tilings(layer, machine, Tilings.of(mappings), sharing, words=True)
    for i, mapping in enumerate(mappings):
        plain = price_loops(layer, machine, mapping, sharing)
        expected = [[level.words[direction] for direction in DIRECTIONS] for level in plain.levels]
        assert found.words[i].tolist() == expected
        rungs = plain.ladder
        assert found.cycles[i].tolist() == [rungs.ideal_temporal, rungs.total0, rungs.total1, rungs.total2]
        assert found.overfull[i] == len(plain.overfull)
        assert found.energy_pj[i] == plain.total_pj  # prices are quarters: sums are exact


def test_cases_reach_the_rare_branches() -> None:
    """Shared ports without an always-open window, fractions, unrolled reductions, and memories that are too small."""
    small = fractional = reduced = stalls = 0
    for seed in range(SEEDS):
        layer, machine, mappings = random_case(seed)
        found = price_tilings(layer, machine, Tilings.of(mappings))
        small += int((found.overfull > 0).sum())
        stalls += int((found.cycles[:, 1] > found.cycles[:, 0]).sum())
        fractional += any(n.denominator > 1 for n in mappings[0].spatial.values())
        reduced += bool({"C", "FX"} & set(mappings[0].spatial))
    assert min(small, stalls) > 100 and min(fractional, reduced) > 30


@pytest.mark.parametrize("seed", range(60))
def test_union_of_windows_on_one_port(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    spans = np.cumprod(rng.integers(1, 6, 6))
    links = np.zeros((5, LINK_COLUMNS), np.int64)
    links[:, 6] = rng.choice(spans, 5)
    links[:, 7] = [int(rng.integers(1, max(period, 2))) for period in links[:, 6]]
    timed = tuple(
        TimedTransfer(Transfer("O", 0, "", 0, 1, 1, 1, int(period), int(spans[-1] // period), 1), int(window))
        for period, window in links[:, 6:8]
    )
    windows = np.zeros((4, MAX_WINDOWS), np.int64)
    assert kernel_union(links, 5, 0, spans[-1], windows) == union_of_windows(timed)


def test_padding_changes_nothing() -> None:
    layer, machine, mappings = random_case(5)
    one = price_tilings(layer, machine, Tilings.of(mappings), words=True)
    extra = PinnedLoops((*mappings[0].temporal, ("K", 1)),
                        {operand: (*placed[:-1], placed[-1] + 1) for operand, placed in mappings[0].placed.items()},
                        mappings[0].spatial, mappings[0].spatial_latency)  # fmt: skip
    other = price_tilings(layer, machine, Tilings.of([*mappings, extra]), words=True)
    for name in ("words", "cycles", "energy_pj", "overfull"):
        assert (getattr(other, name)[:-1] == getattr(one, name)).all()
        assert (getattr(other, name)[-1] == getattr(one, name)[0]).all()


def test_tilings_that_do_not_fit_are_refused() -> None:
    layer, machine, mappings = random_case(6)
    tilings = Tilings.of(mappings)
    steps = tilings.steps.copy()
    steps[3, 0] += 1
    with pytest.raises(InputError, match=r"tilings\[3\]: a tiling has"):
        price_tilings(layer, machine, replace(tilings, steps=steps))
    with pytest.raises(InputError, match=r"tilings\[0\]: a tiling has"):
        price_tilings(layer, machine, replace(tilings, end=np.where(tilings.end == tilings.end.max(), 0, tilings.end)))
    loop = tilings.loop.copy()
    loop[2, 1] = 7
    with pytest.raises(InputError, match=r"tilings\[2\]: a tiling has"):
        price_tilings(layer, machine, replace(tilings, loop=loop))
    with pytest.raises(InputError, match="do not cover the layer"):
        price_tilings(replace(layer, sizes={**layer.sizes, "K": layer.sizes["K"] + 1}), machine, tilings)
    closed = replace(machine.memories[0], ports=())
    with pytest.raises(InputError, match="no port serves"):
        price_tilings(layer, replace(machine, memories=(closed, *machine.memories[1:])), tilings)
    with pytest.raises(InputError, match="do not go together"):
        price_tilings(layer, machine, replace(tilings, end=tilings.end[:, 1:]))
