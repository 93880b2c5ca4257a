"""Registers, memory images and case directories of neurosynaptic cores: what is read, and what wrong input says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import rtl
from benchmarks.rtl_case import core_of, find_cases, read_case, read_config, read_hex
from simulator.components.neurosynaptic_core import (
    Core,
    Registers,
    decode_neurons,
    decode_synapses,
    encode_neurons,
    encode_synapses,
    named_registers,
)
from simulator.errors import InputError

# V -7 (ff9), threshold 10, leak 9, enabled; the fields of an ODIN neuron with all of them different from 0.
NARROW = 0x0900AFF9
FIELDS = ((0, 1), (1, 5), (8, 1), (9, 99), (17, 1), (18, 77), (26, 1), (29, 3), (32, 6), (35, 17), (70, 44), (78, 2))
WIDE = sum(value << low for low, value in (*FIELDS, (81, 9), (127, 1)))


def write_case(folder: Path, config: str = "open_loop 1\nmax_neur 7\n", events: str = "0,0,5\n") -> Path:
    """A tinyODIN case without recordings: silent neurons, weights of 0."""
    folder.mkdir()
    (folder / "case.json").write_text(json.dumps({"core": "tinyODIN"}))
    (folder / "config.txt").write_text(config)
    (folder / "stimulus.csv").write_text("idx,t_due,addr\n" + events)
    (folder / "neurons_init.hex").write_text("00fff000\n" * 256)
    (folder / "synapses_init.hex").write_text("00000000\n" * 8192)
    return folder


def test_neuron_words_are_fields_and_back() -> None:
    neurons = decode_neurons([NARROW] * 256, "tinyodin")
    assert neurons[:4, 0].tolist() == [-7, 10, 9, 0]
    neurons[0] = -2048
    assert encode_neurons(neurons, [NARROW] * 256, "tinyodin") == [0x0900A800] * 256
    neurons = decode_neurons([WIDE] * 256, "odin")
    assert neurons[:, 0].tolist() == [44, 99, 5, 1, 1, 77, 1, 3, 6, 17, 2, 9, 0, 0]
    assert encode_neurons(neurons, [WIDE] * 256, "odin") == [WIDE] * 256
    neurons[[0, 10, 11]] = np.array([[255], [7], [31]])
    changed = encode_neurons(neurons, [WIDE] * 256, "odin")[0] ^ WIDE
    assert changed == (44 ^ 255) << 70 | (2 ^ 7) << 78 | (9 ^ 31) << 81
    assert decode_neurons([WIDE & ~(1 << 8)] * 256, "odin")[2].tolist() == [0] * 256


def test_synapse_words_are_nibbles_of_a_source_and_back() -> None:
    words = np.random.Generator(np.random.PCG64(0)).integers(0, 1 << 32, 8192).astype(np.uint32)
    nibbles = decode_synapses(words)
    assert nibbles[3, 17] == words[3 * 32 + 2] >> 4 & 15
    assert encode_synapses(nibbles).tolist() == words.tolist()


@pytest.mark.parametrize(
    ("words", "dialect", "message"),
    [
        ([WIDE] * 255 + [WIDE - 1], "odin", "neuron 255: Izhikevich neurons are not modelled"),
        ([NARROW] * 255, "tinyodin", "wrong number of neuron words"),
        ([1 << 32] * 256, "tinyodin", "a neuron word has 32 bits"),
    ],
)
def test_wrong_neuron_words_are_refused(words: list[int], dialect: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decode_neurons(words, dialect)


def test_registers_by_their_names() -> None:
    registers = named_registers("odin", {"open_loop": 1, "sdsp_on_syn": 1, "syn_sign2": 0b1000_0000_0000_0001})
    assert registers == Registers("odin", open_loop=True, learn_on_synapse=True, inhibits=frozenset((32, 47)))
    assert registers.fifo_depth == 32 and named_registers("tinyodin", {}).fifo_depth == 128
    assert named_registers("tinyodin", {"max_neur": 9, "req_delay": 3}).last_neuron == 9


@pytest.mark.parametrize(
    ("dialect", "values", "message"),
    [
        ("tinyodin", {"sdsp_on_syn": 1}, "unknown register"),
        ("odin", {"burst_timeref": 3}, "burst FIFOs are not modelled"),
        ("odin", {"open_loop": 2}, "the register is a flag"),
        ("odin", {"syn_sign1": 1 << 16}, "out of range"),
        ("odin", {"syn_sign16": 1}, "unknown register"),
        ("tinyodin", {"max_neur": 256}, "out of range"),
        ("tinyodin", {"ack_delay": -1}, "out of range"),
        ("nobody", {}, "unknown dialect"),
    ],
)
def test_wrong_registers_are_refused(dialect: str, values: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        named_registers(dialect, values)


def test_a_word_that_is_too_wide_is_refused() -> None:
    core = Core(Registers("tinyodin"), np.zeros((14, 256), np.int16), np.zeros((256, 256), np.uint8))
    with pytest.raises(InputError, match="event 1: an input word of tinyodin has 10 bits"):
        core.run(np.array([0, 1]), np.array([3, 1 << 10]))


def test_a_case_directory_is_read(tmp_path: Path) -> None:
    case = read_case(write_case(tmp_path / "case", "open_loop 0\nmax_neur 7\nmax_cycles 900\nbench_only 3\n"))
    registers = case.registers()
    assert (case.dialect, registers.last_neuron, case.due.tolist(), case.words.tolist()) == ("tinyodin", 7, [0], [5])
    assert not registers.open_loop and not case.cut_off
    log = case.core(registers).run(case.due, case.words)
    assert log.done == 1 and log.counts["synaptic_operations"] == 8
    assert find_cases([tmp_path, tmp_path / "case"]) == [tmp_path / "case"]
    (tmp_path / "case" / "case.json").unlink()
    assert core_of(tmp_path / "case") == "tinyodin"


def test_damaged_cases_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert rtl.main([str(tmp_path / "empty")]) == 2
    assert "no case in this directory" in capsys.readouterr().err
    assert rtl.main([str(tmp_path / "none")]) == 2
    assert "no such directory" in capsys.readouterr().err
    assert rtl.main([str(write_case(tmp_path / "case"))]) == 2
    out = capsys.readouterr().out.splitlines()
    assert "cannot be run" in out[0] and "events_in.csv" in out[0] and out[-1] == "0 of 1 cases exact"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("case.json", '{"core": "ODINN"}', "unknown core.*did you mean 'ODIN'"),
        ("case.json", "[]", "not a JSON object"),
        ("case.json", "{", "not JSON"),
        ("config.txt", "open_loop\n", "not a name and a number"),
        ("config.txt", "open_loop x\n", "not a name and a number"),
        ("neurons_init.hex", "0g\n", "not a hexadecimal number"),
        ("synapses_init.hex", "00000000\n", "not 8192 words"),
        ("stimulus.csv", "idx,t_due,addr\n0,1,x\n", "not a whole number"),
        ("stimulus.csv", "idx,addr\n0,1\n", "lacks a column"),
    ],
)
def test_damaged_files_are_input_errors(tmp_path: Path, file: str, text: str, message: str) -> None:
    case = write_case(tmp_path / "case")
    (case / file).write_text(text)
    with pytest.raises(InputError, match=message):
        read_case(case)


def test_readers_of_missing_files_name_them(tmp_path: Path) -> None:
    for reader in (read_config, read_hex):
        with pytest.raises(InputError, match=r"nothing\.txt"):
            reader(tmp_path / "nothing.txt")
