"""SNASNet: networks of two cells out of a search space for spiking networks.

Source: arXiv 2201.10355 (ECCV 2022) and the code of Intelligent-Computing-Lab-Yale, repository
Neural-Architecture-Search-for-Spiking-Neural-Networks at commit 4980409.  A cell has four nodes (0 its input, 3 its
output); entry (i, j) of its 4 x 4 matrix is the operation on the edge from node i to node j: 0 none, 1 skip, 2 LIF and
1 x 1 convolution, 3 LIF and 3 x 3 convolution, 4 average of 3 x 3.  A node is the sum of its incoming edges; edges that
point back act on the next timestep.

Here a population is what the neurons behind a node send.  All edges that leave a node see the same sum, so their
neurons send the same spikes and are one population.  A skip passes a sum on, not spikes: what ends in its source ends
in its target as well.  Convolutions of the same spikes with kernels of one size into one sum are one, their weights
added.  Operation 4 averages sums over nine positions and has no counterpart.

What differs: the convolution between the cells ends in neurons, whose spikes are pooled by OR (in the source its sums
are averaged, then the neurons follow), so that a wordline carries one bit; the image is a population of spikes.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.errors import InputError
from simulator.network.network import Network
from simulator.network.neuron import Decay, Neuron
from simulator.network.population import Population
from simulator.network.projection import Pool, Projection

Shape = tuple[int, int, int]
NODES = 4
NONE, SKIP, POINT, WINDOW, AVERAGE = range(5)
KERNELS = {POINT: 1, WINDOW: 3}
RELEASED = {"cifar10": "0303 0030 2002 0200", "cifar100": "0302 0030 3003 0000"}
"""Cells that the source released for its best networks, both with edges that point back."""
MEMBRANE_BITS = 16


@dataclass(frozen=True)
class Term:
    """A part of a node's sum: what it comes from, the side of its kernel (0: as it is), pooling, and timesteps late."""

    source: str
    kernel: int
    pool: Pool | None = None
    delay: int = 0


def snasnet(
    cell: str = RELEASED["cifar10"],
    *,
    channels: int = 256,
    input_shape: Shape = (3, 32, 32),
    hidden: int = 1024,
    outputs: int = 100,
    pool: int = 4,
    weight_bits: int = 4,
) -> Network:
    """Stem, cell of `channels`, convolution and pooling, the same cell of twice as many, pooling, two linear layers.

    cell     rows of the matrix, 16 digits; node 3 must be reached from node 0 directly, nodes off all ways are dropped
    hidden, outputs, pool   neurons of the linear layers (ten outputs vote for a class of CIFAR-10), pooling before them

    Topology only.  Neurons: v := v / 4 + input, as the source's leak with tau = 4/3 but for a factor on weights; reset
    to zero.
    """
    matrix = parse_cell(cell)
    net = _Cells(matrix, weight_bits, f"snasnet_{''.join(cell.split())}_{channels}")
    net.population("input", input_shape)
    _, height, width = input_shape
    last = net.cell("c1", (channels, height, width), Term("input", 3))
    net.population("reduce", (2 * channels, height, width))
    net.project("reduce", last, "reduce", 3)
    last = net.cell("c2", (2 * channels, height // 2, width // 2), Term("reduce", 0, Pool("or", (2, 2), (2, 2))))
    for name, neurons, window in (("fc1", hidden, Pool("or", (pool, pool), (pool, pool))), ("fc2", outputs, None)):
        net.population(name, (neurons, 1, 1))
        net.projections.append(Projection(name, last, name, "linear", pool=window, weight_bits=weight_bits))
        last = name
    source = "arXiv 2201.10355; matrix " + " ".join("".join(map(str, row)) for row in matrix)
    return Network(net.name, tuple(net.populations), tuple(net.projections), "int", source)


def parse_cell(cell: str) -> tuple[tuple[int, ...], ...]:
    """The matrix of 16 digits, without the edges of nodes that lie on no way from node 0 to node 3."""
    digits = "".join(cell.split())
    if len(digits) != NODES * NODES or set(digits) - set("01234"):
        raise InputError("a cell is 16 digits 0 .. 4, row by row", key="cell", found=cell)
    rows = [[int(d) for d in digits[NODES * i : NODES * (i + 1)]] for i in range(NODES)]
    if any(rows[i][i] for i in range(NODES)):
        raise InputError("a node has no edge to itself", key="cell", found=cell)
    if AVERAGE in (op for row in rows for op in row):
        raise InputError("an average of sums has no counterpart in integer networks", key="cell", found=cell,
                         allowed="operations 0 .. 3")  # fmt: skip
    if not rows[0][NODES - 1]:
        raise InputError("the edge from node 0 to node 3 must be there", key="cell", found=cell)
    back = [[rows[j][i] for j in range(NODES)] for i in range(NODES)]
    live = _reached(rows, 0) & _reached(back, NODES - 1)
    return tuple(
        tuple(op if i in live and j in live else NONE for j, op in enumerate(row)) for i, row in enumerate(rows)
    )


def _reached(rows: list[list[int]], start: int) -> set[int]:
    """Nodes that a way of edges leads to from `start`, which counts as reached."""
    found, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        for other, op in enumerate(rows[node]):
            if op and other not in found:
                found.add(other)
                waiting.append(other)
    return found


class _Cells:
    """Collects populations and projections of a network whose cells have the same matrix."""

    def __init__(self, matrix: tuple[tuple[int, ...], ...], weight_bits: int, name: str) -> None:
        self.matrix, self.weight_bits, self.name = matrix, weight_bits, name
        self.populations: list[Population] = []
        self.projections: list[Projection] = []

    def population(self, name: str, shape: Shape) -> None:
        """Neurons, or the input where it is the first."""
        leak = Decay("multiply", numerator=1, bits=2)
        neuron = Neuron("lif", reset="zero", decay_v=leak, membrane_bits=MEMBRANE_BITS)
        self.populations.append(Population(name, shape, neuron if self.populations else Neuron("input")))

    def project(self, name: str, source: str, target: str, kernel: int, delay: int = 0) -> None:
        """A padded convolution."""
        self.projections.append(
            Projection(
                name, source, target, "conv", kernel=(kernel, kernel), padding=(kernel // 2, kernel // 2),
                delay=delay, weight_bits=self.weight_bits,
            )
        )  # fmt: skip

    def cell(self, name: str, shape: Shape, entry: Term) -> str:
        """A cell whose node 0 is the sum `entry`; the population of its node 3."""
        sums = [self._sum(name, node, entry, ()) for node in range(NODES)]
        for node in range(NODES):
            fires = node == NODES - 1 or any(op in KERNELS for op in self.matrix[node])
            if fires:
                self.population(f"{name}.n{node}", shape)
        for node, terms in enumerate(sums):
            own = f"{name}.n{node}"
            if all(p.name != own for p in self.populations):
                continue
            for n, term in enumerate(dict.fromkeys(terms)):
                way = own if n == 0 else f"{own}.{n}"
                if term.kernel:
                    self.project(way, term.source, own, term.kernel, term.delay)
                else:
                    self.projections.append(
                        Projection(way, term.source, own, "one_to_one", pool=term.pool, delay=term.delay, weight_bits=0)
                    )
        return f"{name}.n{NODES - 1}"

    def _sum(self, name: str, node: int, entry: Term, behind: tuple[int, ...]) -> list[Term]:
        """The terms of a node's sum; `behind`: nodes whose sums wait for it."""
        if node in behind:
            raise InputError("skips that run in a circle have no counterpart", key="cell", found=[*behind, node])
        terms = [entry] if node == 0 else []
        for source in range(NODES):
            op = self.matrix[source][node]
            late = int(source > node)
            if op == SKIP:
                found = self._sum(name, source, entry, (*behind, node))
                terms += [Term(t.source, t.kernel, t.pool, t.delay + late) for t in found]
            elif op in KERNELS:
                terms.append(Term(f"{name}.n{source}", KERNELS[op], None, late))
        return terms
