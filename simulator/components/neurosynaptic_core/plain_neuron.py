"""One neuron and one synapse of a neurosynaptic core in Python integers: the readable definition of their updates."""

from __future__ import annotations

from simulator.components.neurosynaptic_core.registers import ODIN

MEMBRANE, THRESHOLD, LEAK, DISABLED, CA_ENABLED, THETA, TH1, TH2, TH3, CA_LEAK, CALCIUM, COUNTER, UP, DOWN = range(14)
CA_MAX = 7
HALF = 4
MAPPED = 8


def update_neuron(n: list[int], dialect: str, weight: int, leaks: bool) -> bool:
    """Adds `weight`, or leaks; then fires at 0 <= V >= threshold, resets V and follows the spike in calcium.

    n: the fields of the neuron, in the order of the constants above; changed.  True where it fires inside, which
    a disabled neuron does too.
    """
    v = n[MEMBRANE]
    if leaks:
        v = min(v + n[LEAK], 0) if v < 0 else max(v - n[LEAK], 0)
    elif dialect == ODIN:
        v = min(max(v + weight, 0), 255)
    else:
        v = min(max(v + weight, -2048), 2047)
    fires = v >= 0 and v >= n[THRESHOLD]
    n[MEMBRANE] = 0 if fires else v
    if n[CA_ENABLED]:
        follow_calcium(n, fires, leaks)
    return fires


def follow_calcium(n: list[int], fires: bool, leaks: bool) -> None:
    """Calcium counts spikes and leaks every CA_LEAK time references; the flags say how synapses will learn next."""
    lost = False
    if leaks and n[CA_LEAK]:
        lost = n[COUNTER] == n[CA_LEAK] - 1
        n[COUNTER] = 0 if lost else (n[COUNTER] + 1) % 32
    if fires and not lost:
        n[CALCIUM] = min(n[CALCIUM] + 1, CA_MAX)
    elif lost and not fires:
        n[CALCIUM] = max(n[CALCIUM] - 1, 0)
    above = n[MEMBRANE] >= n[THETA]
    n[UP] = int(above and n[TH1] <= n[CALCIUM] < n[TH3])
    n[DOWN] = int(not above and n[TH1] <= n[CALCIUM] < n[TH2])


def signed_weight(nibble: int, dialect: str, inhibits: bool, propagate_unmapped: bool) -> int:
    """What a stored nibble adds to a membrane."""
    if dialect != ODIN:
        return nibble - 16 if nibble >= 8 else nibble
    if not (nibble & MAPPED or propagate_unmapped):
        return 0
    return -(nibble & 7) if inhibits else nibble & 7


def moved(nibble: int, up: bool, down: bool, update_unmapped: bool) -> int:
    """The nibble after a step of learning: weight + 1 (at most 7) or - 1 (at least 0), mapping bit kept."""
    if not (nibble & MAPPED or update_unmapped):
        return nibble
    weight = nibble & 7
    if up:
        weight = min(weight + 1, 7)
    elif down:
        weight = max(weight - 1, 0)
    return nibble & MAPPED | weight


def polarised(nibble: int, update_unmapped: bool) -> int:
    """The nibble after a bistability event: up from the upper half, down from the lower."""
    strong = (nibble & 7) >= HALF
    return moved(nibble, strong, not strong, update_unmapped)
