"""The memories of a neurosynaptic core: words as the chips store them, and arrays as the kernel has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.components.neurosynaptic_core.registers import SOURCES, TINYODIN
from simulator.errors import InputError

# Field of a neuron word: (row of the kernel's array, lowest bit, bits).  Leak and its enable bit are handled apart.
THRESHOLD, LEAK, DISABLED = 1, 2, 3
NARROW = ((0, 0, 12), (THRESHOLD, 12, 12), (LEAK, 24, 7), (DISABLED, 31, 1))
WIDE = (
    (0, 70, 8), (THRESHOLD, 9, 8), (LEAK, 1, 7), (DISABLED, 127, 1), (4, 17, 1), (5, 18, 8), (6, 26, 3), (7, 29, 3),
    (8, 32, 3), (9, 35, 5), (10, 78, 3), (11, 81, 5),
)  # fmt: skip
LEAKS_BIT = 8
STATE_ROWS = (0, 10, 11)
ROWS = 14
SYNAPSE_WORDS = SOURCES * SOURCES // 8


def decode_neurons(words: Sequence[int], dialect: str, file: object = None) -> np.ndarray:
    """int16 [14, 256] from 256 neuron words of 32 bits (tinyodin) or 128 bits (odin).

    Raises InputError for a word that does not fit and, by name, for Izhikevich neurons.
    """
    fields, bits = (NARROW, 32) if dialect == TINYODIN else (WIDE, 128)
    if len(words) != SOURCES:
        raise InputError("wrong number of neuron words", file=file, found=len(words), allowed=str(SOURCES))
    neurons = np.zeros((ROWS, SOURCES), np.int16)
    for i, word in enumerate(words):
        if not 0 <= word < 1 << bits:
            raise InputError(f"a neuron word has {bits} bits", file=file, key=f"neuron {i}", found=f"{word:x}")
        if bits == 128 and not word & 1:
            raise InputError(
                "Izhikevich neurons are not modelled",
                file=file,
                key=f"neuron {i}",
                found=f"bit 0 is 0 in {word:032x}",
                allowed="leaky integrate-and-fire neurons (bit 0 is 1)",
            )
        for row, low, size in fields:
            neurons[row, i] = word >> low & ((1 << size) - 1)
        if bits == 128 and not word >> LEAKS_BIT & 1:
            neurons[LEAK, i] = 0
    if bits == 32:
        neurons[0] -= (neurons[0] & 0x800) << 1
    return neurons


def encode_neurons(neurons: np.ndarray, words: Sequence[int], dialect: str) -> list[int]:
    """The neuron words with the state of `neurons`; parameters stay as they are in `words`."""
    fields = [field for field in (NARROW if dialect == TINYODIN else WIDE) if field[0] in STATE_ROWS]
    found = []
    for i, word in enumerate(words):
        for row, low, size in fields:
            mask = (1 << size) - 1
            word = word & ~(mask << low) | (int(neurons[row, i]) & mask) << low
        found.append(word)
    return found


def decode_synapses(words: np.ndarray) -> np.ndarray:
    """uint8 [256, 256], row = source, from uint32 [8192] words {source, target / 8} of eight nibbles."""
    if words.shape != (SYNAPSE_WORDS,):
        raise InputError("wrong number of synapse words", found=words.shape, allowed=str(SYNAPSE_WORDS))
    nibbles = words.astype(np.uint32)[:, None] >> np.arange(0, 32, 4, dtype=np.uint32) & np.uint32(15)
    return np.ascontiguousarray(nibbles.astype(np.uint8).reshape(SOURCES, SOURCES))


def encode_synapses(synapses: np.ndarray) -> np.ndarray:
    """uint32 [8192] words from uint8 [256, 256] nibbles."""
    nibbles = synapses.reshape(SYNAPSE_WORDS, 8).astype(np.uint32) << np.arange(0, 32, 4, dtype=np.uint32)
    return np.bitwise_or.reduce(nibbles, axis=1).astype(np.uint32)
