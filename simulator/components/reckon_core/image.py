"""What is loaded into a ReckOn core before a run: registers, neuron parameters and weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from simulator.errors import InputError, nearest

NEURONS, OUTPUTS, PAIRS = 256, 16, 128

REGISTERS = {
    "EN_CONF": (0, 1, 0), "RO_STAGE_SEL": (1, 9, 0), "GET_CLKINT_OUT": (2, 1, 0), "GET_TAR_REQ_OUT": (3, 1, 1),
    "RST_MODE": (8, 1, 0), "DO_EPROP": (9, 3, 7), "LOCAL_TICK": (10, 1, 0), "ERROR_HALT": (11, 1, 1),
    "FP_LOC_WINP": (12, 3, 0), "FP_LOC_WREC": (13, 3, 0), "FP_LOC_WOUT": (14, 3, 0), "FP_LOC_TINP": (15, 3, 0),
    "FP_LOC_TREC": (16, 3, 0), "FP_LOC_TOUT": (17, 3, 0), "LEARN_SIG_SCALE": (18, 4, 0), "REGUL_MODE": (19, 3, 0),
    "REGUL_W": (20, 2, 0), "EN_STOCH_ROUND": (21, 1, 0), "SRAM_SPEEDMODE": (22, 8, 0), "TIMING_MODE": (23, 1, 0),
    "REGRESSION": (25, 1, 0), "SINGLE_LABEL": (26, 1, 1), "NO_OUT_ACT": (27, 1, 0), "SEND_PER_TIMESTEP": (30, 1, 0),
    "SEND_LABEL_ONLY": (31, 1, 1), "NOISE_EN": (32, 1, 0), "FORCE_TRACES": (33, 1, 0),
    "CYCLES_PER_TICK": (64, 32, 0), "ALPHA_CONF_0": (65, 32, 0), "ALPHA_CONF_1": (66, 32, 0),
    "ALPHA_CONF_2": (67, 32, 0), "ALPHA_CONF_3": (68, 32, 0), "KAPPA": (69, 8, 0x7A),
    "THR_H_0": (70, 16, 0), "THR_H_1": (71, 16, 0), "THR_H_2": (72, 16, 0), "THR_H_3": (73, 16, 0), "H_0": (74, 5, 0),
    "H_1": (75, 5, 0), "H_2": (76, 5, 0), "H_3": (77, 5, 0), "H_4": (78, 5, 0), "LR_R_WINP": (79, 5, 0),
    "LR_P_WINP": (80, 5, 0), "LR_R_WREC": (81, 5, 0), "LR_P_WREC": (82, 5, 0), "LR_R_WOUT": (83, 5, 0),
    "LR_P_WOUT": (84, 5, 0), "SEED_INP": (85, 25, 0), "SEED_REC": (86, 25, 0), "SEED_OUT": (87, 22, 0),
    "SEED_STRND_NEUR": (88, 30, 0), "SEED_STRND_ONEUR": (89, 15, 0), "SEED_STRND_TINP": (90, 30, 0),
    "SEED_STRND_TREC": (91, 30, 0), "SEED_STRND_TOUT": (92, 30, 0), "SEED_NOISE_NEUR": (93, 17, 0),
    "NUM_INP_NEUR": (94, 8, 255), "NUM_REC_NEUR": (95, 8, 255), "NUM_OUT_NEUR": (96, 4, 15), "REGUL_F0": (98, 12, 0),
    "REGUL_K_INP_R": (99, 5, 0), "REGUL_K_INP_P": (100, 5, 0), "REGUL_K_REC_R": (101, 5, 0),
    "REGUL_K_REC_P": (102, 5, 0), "REGUL_K_MUL": (103, 5, 0), "NOISE_STR": (104, 4, 0),
}  # fmt: skip
"""Register -> address, bits kept of a written value, value after reset (ReckOn 5e5c0be, doc/README.md, section 3)."""

INFERENCE = {
    "EN_CONF": 0, "DO_EPROP": 0, "LOCAL_TICK": 0, "EN_STOCH_ROUND": 0, "REGRESSION": 0, "SEND_PER_TIMESTEP": 0,
    "SEND_LABEL_ONLY": 1, "NOISE_EN": 0, "FORCE_TRACES": 0,
}  # fmt: skip
"""Registers that switch on what this core does not model (learning, noise, stochastic rounding, ticks of its own,
regression output), and the only value they may have."""


@dataclass
class Image:
    """A loaded core.

    inputs, recurrent, outputs: neurons in use.  shifts: left shift of input, recurrent and output weights.
    kappa: 2^7 x leak factor of the output neurons.  reset_to_zero: else reset by subtraction.
    thresholds, alphas int64 [128]: threshold and 2^15 x leak factor of each neuron pair.
    input_weights, recurrent_weights int8 [256, 256], output_weights int8 [256, 16]: from source to target.
    """

    inputs: int = NEURONS
    recurrent: int = NEURONS
    outputs: int = OUTPUTS
    shifts: tuple[int, int, int] = (0, 0, 0)
    kappa: int = 0x7A
    reset_to_zero: bool = False
    thresholds: np.ndarray = field(default_factory=lambda: np.full(PAIRS, 32767, np.int64))
    alphas: np.ndarray = field(default_factory=lambda: np.full(PAIRS, 0x7000, np.int64))
    input_weights: np.ndarray = field(default_factory=lambda: np.zeros((NEURONS, NEURONS), np.int8))
    recurrent_weights: np.ndarray = field(default_factory=lambda: np.zeros((NEURONS, NEURONS), np.int8))
    output_weights: np.ndarray = field(default_factory=lambda: np.zeros((NEURONS, OUTPUTS), np.int8))

    @property
    def sizes(self) -> np.ndarray:
        """The vector `cfg` of the kernels."""
        values = (self.inputs, self.recurrent, self.outputs, *self.shifts, self.kappa, int(self.reset_to_zero))
        return np.array(values, np.int64)

    @property
    def pairs(self) -> int:
        """Neuron pairs that a pass reads and writes."""
        return (self.recurrent + 1) // 2


def read_image(folder: Path) -> Image:
    """The image in `config.txt` (address and value per line) and the four `*_init.hex` files of a folder."""
    registers = read_registers(folder / "config.txt")
    neurons = read_words(folder / "neurons_init.hex", PAIRS)
    high = [registers[f"ALPHA_CONF_{pair // 32}"] >> pair % 32 & 1 for pair in range(PAIRS)]
    parts = neurons[:, 14].astype(np.int64) | neurons[:, 15].astype(np.int64) << 8  # bits 127:112
    low = parts >> 4
    thresholds = np.array([int.from_bytes(word.tobytes(), "little") >> 100 & 0xFFFF for word in neurons], np.int64)
    return Image(
        inputs=registers["NUM_INP_NEUR"] + 1,
        recurrent=registers["NUM_REC_NEUR"] + 1,
        outputs=registers["NUM_OUT_NEUR"] + 1,
        shifts=(registers["FP_LOC_WINP"], registers["FP_LOC_WREC"], registers["FP_LOC_WOUT"]),
        kappa=registers["KAPPA"],
        reset_to_zero=bool(registers["RST_MODE"]),
        thresholds=(thresholds ^ 0x8000) - 0x8000,
        alphas=np.where(np.array(high) == 1, 0x8000, 0x7000) | low,
        input_weights=read_words(folder / "winp_init.hex", 4096).view(np.int8).reshape(NEURONS, NEURONS),
        recurrent_weights=read_words(folder / "wrec_init.hex", 4096).view(np.int8).reshape(NEURONS, NEURONS),
        output_weights=read_words(folder / "wout_init.hex", NEURONS).view(np.int8),
    )


def read_registers(path: Path) -> dict[str, int]:
    """Register -> value after the writes of `config.txt`; InputError for a value the core does not model."""
    written: dict[int, int] = {}
    for number, words in enumerate(_lines(path), 1):
        try:
            address, value = (int(word, 0) for word in words)
        except ValueError:
            raise InputError("not an address and a value", file=path, line=number, found=" ".join(words)) from None
        if not 0 <= value < 1 << 32:
            raise InputError("not a 32-bit value", file=path, line=number, found=value)
        written[address] = value
    return settle_registers(written, path)


def settle_registers(written: Mapping[int, int], path: object) -> dict[str, int]:
    """Register name -> value, from address -> value; `path` is named where one cannot be used."""
    known = {address: name for name, (address, _, _) in REGISTERS.items()}
    for address in written:
        if address not in known:
            raise InputError("no such register", file=path, key=f"register {address}", allowed="addresses of ReckOn",
                             nearest=str(min(known, key=lambda a: abs(a - address))))  # fmt: skip
    registers = {name: written[address] & ((1 << bits) - 1) if address in written else reset
                 for name, (address, bits, reset) in REGISTERS.items()}  # fmt: skip
    if REGISTERS["DO_EPROP"][0] not in written:
        raise InputError("learning is on after reset and must be switched off", file=path, key="DO_EPROP", allowed=[0])
    for name, needed in INFERENCE.items():
        if registers[name] != needed:
            raise InputError(
                "the core is modelled for inference only",
                file=path,
                key=f"{name} (register {REGISTERS[name][0]})",
                found=registers[name],
                allowed=[needed],
            )
    return registers


def read_words(path: Path, count: int) -> np.ndarray:
    """The first `count` 128-bit words of a memory file, a word of 32 hexadecimal digits per line: uint8 [count, 16],
    byte 0 the lowest.  Words that the file does not hold are 0."""
    words = np.zeros((count, 16), np.uint8)
    for number, parts in enumerate(_lines(path)):
        if len(parts) != 1 or len(parts[0]) > 32:
            raise InputError("not one 128-bit word", file=path, line=number + 1, found=" ".join(parts))
        try:
            value = bytes.fromhex(parts[0].zfill(32))
        except ValueError:
            raise InputError("not a hexadecimal word", file=path, line=number + 1, found=parts[0]) from None
        if number < count:
            words[number] = np.frombuffer(value, np.uint8)[::-1]
    return words


LINES = "SETXVILDG"
"""Letters of a stimulus; a letter's place is its kind in the kernel."""


def read_stimulus(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(kind uint8 [n], value int64 [n]) of `stimulus.txt`; see `check_stimulus`."""
    kinds, values = [], []
    for number, words in enumerate(_lines(path), 1):
        if len(words) != 2 or words[0] not in LINES or len(words[0]) != 1:
            raise InputError("not a letter and a number", file=path, line=number, found=" ".join(words),
                             allowed=list(LINES), nearest=nearest(words[0].upper(), LINES))  # fmt: skip
        try:
            number_given = int(words[1])
        except ValueError:
            raise InputError("not a whole number", file=path, line=number, key=words[0], found=words[1]) from None
        kinds.append(LINES.index(words[0]))
        values.append(number_given)
    kind, value = np.array(kinds, np.uint8), np.array(values, np.int64)
    check_stimulus(kind, value, path)
    return kind, value


def check_stimulus(kind: np.ndarray, value: np.ndarray, path: object) -> None:
    """InputError unless addresses fit, gaps are not negative, every tick lies in a sample and a sample's last tick
    has a tick before it."""
    begun = ticked = False
    limits = {"E": NEURONS, "L": NEURONS, "V": 2, "I": 2, "G": 1 << 40}
    for line, (code, amount) in enumerate(zip(kind, value, strict=True), 1):
        letter = LINES[int(code)]
        if letter in limits and not 0 <= int(amount) < limits[letter]:
            raise InputError("out of range", file=path, line=line, key=letter, found=int(amount),
                             allowed=f"0 .. {limits[letter] - 1}")  # fmt: skip
        if letter == "S":
            begun = True
        elif letter == "T" and not begun:
            raise InputError("a tick outside a sample", file=path, line=line, found="T", allowed="S first")
        elif letter == "D" and not ticked:
            raise InputError("a dump before the first tick", file=path, line=line, found="D", allowed="T first")
        elif letter == "X":
            if not ticked:
                raise InputError("a last tick without a first", file=path, line=line, found="X", allowed="T first")
            begun = ticked = False
        ticked |= letter == "T"


def _lines(path: Path) -> list[list[str]]:
    """Words of each line of a text file without its empty lines at the end."""
    if not path.is_file():
        raise InputError("no such file", file=path)
    try:
        text = path.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise InputError("not a text file", file=path) from None
    return [line.split() for line in text.rstrip().splitlines()]
