"""Memory images, registers and stimuli of the tick-driven recurrent core: what a file means, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulator.components.reckon_core.image import read_image, read_stimulus
from simulator.errors import InputError

PLAIN = {9: 0, 94: 3, 95: 5, 96: 1}


def write_case(folder: Path, registers: dict[int, int] = PLAIN, neurons: list[int] | None = None) -> Path:
    """A case with all memories 0 but the neuron words given."""
    (folder / "config.txt").write_text("".join(f"{a} {v}\n" for a, v in registers.items()))
    words = {"neurons": neurons or [], "winp": [], "wrec": [], "wout": []}
    for name, values in words.items():
        (folder / f"{name}_init.hex").write_text("".join(f"{value:032x}\n" for value in values))
    return folder


def test_sizes_are_one_more_than_their_registers_and_reset_values_hold(tmp_path: Path) -> None:
    image = read_image(write_case(tmp_path))
    assert (image.inputs, image.recurrent, image.outputs) == (4, 6, 2)
    assert (image.kappa, image.reset_to_zero, image.shifts) == (0x7A, False, (0, 0, 0))
    full = read_image(write_case(tmp_path, {9: 0}))
    assert (full.inputs, full.recurrent, full.outputs) == (256, 256, 16)


def test_registers_of_the_datapath(tmp_path: Path) -> None:
    image = read_image(write_case(tmp_path, PLAIN | {8: 1, 12: 3, 13: 1, 14: 9, 69: 0x1FF}))
    assert (image.reset_to_zero, image.shifts, image.kappa) == (True, (3, 1, 1), 0xFF), "only the bits kept count"


def test_a_neuron_word_holds_threshold_and_leak_of_a_pair(tmp_path: Path) -> None:
    """Bits 127:116 are the low part of alpha, 115:100 the signed threshold; registers 65 to 68 hold its high part."""
    neurons = [0] * 128
    neurons[1] = 0xABC << 116 | 0xFFFE << 100 | (1 << 100) - 1
    neurons[40] = 0x001 << 116 | 0x7FFF << 100
    image = read_image(write_case(tmp_path, PLAIN | {65: 1 << 1, 66: 1 << 9, 68: 1 << 31}, neurons))
    assert image.alphas[[0, 1, 40, 127]].tolist() == [0x7000, 0x8ABC, 0x7001, 0x8000]
    assert image.alphas[41] == 0x8000, "register 66, bit 9: pair 32 + 9"
    assert image.thresholds[[0, 1, 40]].tolist() == [0, -2, 0x7FFF]


def test_weights_lie_by_source_then_target_lowest_byte_first(tmp_path: Path) -> None:
    write_case(tmp_path)
    words = [0] * 40
    words[2 * 16 + 1] = 0x80 << 8 * 5 | 0x7F
    (tmp_path / "winp_init.hex").write_text("".join(f"{word:032x}\n" for word in words))
    (tmp_path / "wout_init.hex").write_text("\n".join(["0" * 32, "ff" + "0" * 30]))
    image = read_image(tmp_path)
    assert image.input_weights[2, 16 + 5] == -128 and image.input_weights[2, 16] == 127
    assert np.count_nonzero(image.input_weights) == 2
    assert image.output_weights[1, 15] == -1 and np.count_nonzero(image.output_weights) == 1


@pytest.mark.parametrize(
    ("registers", "message"),
    [
        ({94: 3}, r"DO_EPROP: learning is on after reset"),
        ({9: 1}, r"DO_EPROP \(register 9\): .*inference only; found 1"),
        ({9: 0, 32: 1}, r"NOISE_EN \(register 32\): .*found 1"),
        ({9: 0, 31: 0}, r"SEND_LABEL_ONLY \(register 31\): .*found 0"),
        ({9: 0, 97: 0}, r"register 97: no such register"),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(tmp_path: Path, registers: dict[int, int], message: str) -> None:
    with pytest.raises(InputError, match=r"config\.txt.*" + message):
        read_image(write_case(tmp_path, registers))


@pytest.mark.parametrize(("text", "message"), [
    ("9", "config.txt:1: not an address and a value"), ("9 0\n8 x", "config.txt:2: not an address"),
    ("9 0\n8 4294967296", "config.txt:2: not a 32-bit value")])  # fmt: skip
def test_broken_registers_name_their_line(tmp_path: Path, text: str, message: str) -> None:
    write_case(tmp_path)
    (tmp_path / "config.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        read_image(tmp_path)


@pytest.mark.parametrize(("text", "message"), [
    ("0" * 33, "neurons_init.hex:1: not one 128-bit word"), ("0\nxy", "neurons_init.hex:2: not a hexadecimal word"),
    ("é", "neurons_init.hex: not a text file")])  # fmt: skip
def test_broken_memories_name_their_line(tmp_path: Path, text: str, message: str) -> None:
    write_case(tmp_path)
    (tmp_path / "neurons_init.hex").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_image(tmp_path)


def test_a_stimulus_is_letters_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "stimulus.txt"
    path.write_text("S 0\nE 255\nT 0\nD 0\nV 1\nI 1\nL 3\nG 7\nX 0\n\n")
    kind, value = read_stimulus(path)
    assert kind.tolist() == [0, 1, 2, 7, 4, 5, 6, 8, 3]
    assert value.tolist() == [0, 255, 0, 0, 1, 1, 3, 7, 0]


@pytest.mark.parametrize(("text", "message"), [
    ("T 0", ":1: T?.*a tick outside a sample"), ("S 0\nX 0", ":2: .*a last tick without a first"),
    ("S 0\nT 0\nX 0\nT 0", ":4: .*a tick outside a sample"), ("S 0\nD 0", ":2: .*a dump before the first tick"),
    ("S 0\nE 256", ":2: E: out of range; found 256"), ("S 0\nG -1", ":2: G: out of range; found -1"),
    ("s 0", ":1: .*not a letter.*'S'"), ("S zero", ":1: S: not a whole number"), ("S", ":1:")])  # fmt: skip
def test_a_stimulus_that_cannot_run_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "stimulus.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=r"stimulus\.txt" + message):
        read_stimulus(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"stimulus\.txt: no such file"):
        read_stimulus(tmp_path / "stimulus.txt")
