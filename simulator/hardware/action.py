"""What a unit can be charged for: one action, one price, one category."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Category = Literal["compute", "memory", "interconnect", "control"]
Counted = Literal[
    "operation", "bit", "spike", "cycle", "neuron", "burst", "command", "packet",
    "row", "column", "cell", "array", "vector", "conversion", "milli-microsiemens",
]  # fmt: skip
CATEGORIES: tuple[str, ...] = get_args(Category)
OPERANDS = ("weight", "state", "spike", "partial_sum")
"""The four things that move through memories; ledgers and movement tables use these names."""


@dataclass(frozen=True)
class Action:
    """A (verb, operand) that a run counts, such as read:weight.

    counts_in: what one count stands for.
    price: name of the field of the unit's spec that holds the energy of one count, in pJ; a dotted path where the
    field lies in a group ("prices.drive_row_energy_pj").
    category: where reports put the energy.
    instead: path of a second price that takes the place of the first where the spec's `price_of` says so.
    """

    verb: str
    operand: str
    counts_in: Counted
    price: str
    category: Category
    instead: str = ""

    @property
    def name(self) -> str:
        """Name in ledgers and reports, "verb:operand"."""
        return f"{self.verb}:{self.operand}"


def moves(verbs_and_prices: Iterable[tuple[str, str]], category: Category) -> tuple[Action, ...]:
    """One action in bits per (verb, price field) and operand: what a memory or a mover of tensors declares."""
    return tuple(
        Action(verb, operand, "bit", price, category) for verb, price in verbs_and_prices for operand in OPERANDS
    )
