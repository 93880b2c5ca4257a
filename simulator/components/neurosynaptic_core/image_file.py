"""Memory images of a neurosynaptic core out of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.components.neurosynaptic_core.core import Image
from simulator.components.neurosynaptic_core.image import SYNAPSE_WORDS, decode_neurons, decode_synapses
from simulator.components.neurosynaptic_core.registers import ODIN, named_registers
from simulator.errors import InputError


def read_image(folder: Path, dialect: str) -> Image:
    """The image in `neurons_init.hex` and `synapses_init.hex` of a folder; on `odin` the signs of its sources come from
    `syn_sign` registers in `config.txt` (name and value per line), the only ones that are used."""
    neurons = decode_neurons(_words(folder / "neurons_init.hex"), dialect, folder / "neurons_init.hex")
    file = folder / "synapses_init.hex"
    synapses = _words(file)
    if len(synapses) != SYNAPSE_WORDS or max(synapses) >> 32:
        raise InputError(f"not {SYNAPSE_WORDS} words of 32 bits", file=file, found=len(synapses))
    signs: dict[str, int] = {}
    config = folder / "config.txt"
    if dialect == ODIN and config.is_file():
        for number, line in enumerate(_lines(config), 1):
            parts = line.split()
            if len(parts) == 2 and parts[0].startswith("syn_sign"):
                try:
                    signs[parts[0]] = int(parts[1], 0)
                except ValueError:
                    raise InputError("not a number", file=config, line=number, found=parts[1]) from None
    inhibits = named_registers(dialect, signs, config).inhibits
    return Image(neurons, decode_synapses(np.array(synapses, np.uint32)), inhibits)


def _words(path: Path) -> list[int]:
    """The hexadecimal words of a memory file, one per line."""
    words = []
    for number, line in enumerate(_lines(path), 1):
        try:
            words.append(int(line, 16))
        except ValueError:
            raise InputError("not a hexadecimal word", file=path, line=number, found=line[:40]) from None
    return words


def _lines(path: Path) -> list[str]:
    """Lines of a small text file that are not empty."""
    if not path.is_file():
        raise InputError("no such file", file=path)
    try:
        return [line.strip() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise InputError("not a text file", file=path) from None
