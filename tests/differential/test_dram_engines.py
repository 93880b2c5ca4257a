"""The DRAM unit on random traffic of several clients: its two engines agree on every time and count."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from benchmarks.dram_data import read_commands
from simulator.components.dram import BankedDram
from simulator.components.dram.banked import REGIONS
from simulator.components.dram.tables import channel_tables
from simulator.engine.banked import Access
from simulator.engine.clock import Clock
from simulator.engine.context import Context
from simulator.engine.environment import Environment
from simulator.engine.statelog import StateLog
from simulator.errors import InvariantError
from simulator.hardware import Hardware, parse_hardware
from simulator.hardware.action import OPERANDS
from simulator.hardware.dram_timing import COMMANDS
from simulator.kernels.bins import add_runs
from simulator.kernels.sweep import paint
from simulator.ledger import Ledger
from simulator.report.dram_commands import write_commands
from tests.oracles.dram_checker import Command, violations
from tests.order.shuffled import ShuffledEnvironment

HERTZ = 700_000_001
LAYERS = ["unattributed", "a", "b"]


def hardware(channels: int, order: str, controller: str, keep: bool = False) -> Hardware:
    """A small memory with short timings, two ranks of two bank groups of two banks."""
    names = ("activate_energy_pj", "read_burst_energy_pj", "write_burst_energy_pj", "refresh_energy_pj",
             "active_energy_pj", "idle_energy_pj", "read_io_energy_pj_per_bit", "write_io_energy_pj_per_bit",
             "leakage_mw", "area_mm2")  # fmt: skip
    prices = "\n".join(f"    {name}: {{value: 0, source: none, grade: assumed}}" for name in names)
    return parse_hardware(f"""\
name: memory
description: main memory alone
price_set: none
main_clock: dram
clocks: {{dram: {HERTZ}}}
units:
  dram:
    type: banked_dram
    clock: dram
    geometry: {{channels: {channels}, ranks: 2, bank_groups: 2, banks_per_group: 2, rows: 64, columns: 4,
               burst_bytes: 16, address_order: {order}}}
    timing: {{tcl_cycles: 5, tcwl_cycles: 4, burst_cycles: 2, trcd_cycles: 5, trp_cycles: 4, tras_cycles: 9,
             trrd_s_cycles: 2, trrd_l_cycles: 3, tfaw_cycles: 13, tccd_s_cycles: 2, tccd_l_cycles: 3, twr_cycles: 5,
             trtp_cycles: 3, twtr_s_cycles: 2, twtr_l_cycles: 4, trfc_cycles: 20, trefi_cycles: 300}}
    controller: {controller}
    keep_schedule: {str(keep).lower()}
{prices}
""")


def memory(chip: Hardware, env: Environment, engine: str) -> BankedDram:
    """The unit alone, in a context that has only what it uses."""
    spec = chip.unit("dram")
    ledger = Ledger(["dram"], LAYERS, [action.name for action in spec.ACTIONS])
    nothing = cast(Any, None)
    ctx = Context(name="dram", number=0, env=env, clock=Clock("dram", HERTZ), ledger=ledger,
                  log=StateLog((), paint, add_runs), board=nothing, queue=nothing, work=nothing,
                  reference=engine == "reference", first_id=0, plain={})  # fmt: skip
    return BankedDram(ctx, spec)


Job = tuple[int, int, int, bool, int, str]
"""Wait before it in ps, number of the chunk, bursts, True for a write, layer, operand."""


def jobs(seed: int) -> list[list[Job]]:
    """What each client asks for, one after another; some instants are shared by several clients."""
    rng = np.random.Generator(np.random.PCG64([7, seed]))
    clients = []
    for _ in range(int(rng.integers(1, 12))):
        mine = []
        for chunk in range(int(rng.integers(1, 12))):
            wait = int(rng.choice((0, 10_000, 123_457, 2_000_000)))
            bursts = int(rng.integers(1, 24))
            mine.append((wait, chunk, bursts, bool(rng.integers(0, 2)), int(rng.integers(1, 3)),
                         OPERANDS[int(rng.integers(0, 4))]))  # fmt: skip
        clients.append(mine)
    return clients


def run(unit: BankedDram, env: Environment, clients: list[list[Job]]) -> list[tuple[int, int, int, int, int]]:
    """Client, job, and the times of its acceptance, release and completion in ps."""
    found: list[tuple[int, int, int, int, int]] = []

    def client(number: int, mine: list[Job]) -> Generator[Any, Any, None]:
        for i, (wait, chunk, bursts, write, layer, operand) in enumerate(mine):
            yield env.timeout(wait)
            bits = bursts * unit.burst_bits - i
            grant, release = yield unit.access(Access(number, chunk, unit.words(bits), write, layer, operand, bits))
            found.append((number, i, grant, release, env.now))

    finished = [env.process(client(number, mine)) for number, mine in enumerate(clients)]
    for process in finished:
        env.run(until=process)
    unit.ctx.log.commit(0)
    return sorted(found)


CASES = [
    (1, "[row, rank, bank, bank_group, column, channel]", "{}"),
    (2, "[row, rank, bank, bank_group, column, channel]", "{read_queue: 4, write_queue: 4, bank_queue: 2}"),
    (4, "[row, column, rank, channel, bank, bank_group]", "{page: close, outstanding_limit: 3, refresh: none}"),
    (2, "[channel, row, rank, bank, bank_group, column]", "{scheduler: fcfs, drain_above: 2}"),
]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("case", CASES, ids=["one", "two", "four", "apart"])
def test_engines_agree_on_every_time_and_count(case: tuple[int, str, str], seed: int) -> None:
    results = []
    for engine in ("kernel", "reference"):
        env = Environment()
        unit = memory(hardware(*case), env, engine)
        times = run(unit, env, jobs(seed))
        log = unit.ctx.log
        results.append((times, unit.ctx.ledger.counts.tolist(), unit.served_elsewhere(), log.busy, log.waits))
    assert results[0] == results[1]


def test_background_refresh_and_bursts_add_up() -> None:
    chip = hardware(*CASES[1])
    env = Environment()
    unit = memory(chip, env, "kernel")
    clients = jobs(1)
    run(unit, env, clients)
    cycles = unit.ctx.cycle()

    def count(action: str) -> int:
        return int(unit.ctx.ledger.counts[0, :, unit.ctx.ledger.index(action)].sum())

    assert count("active:rank") + count("idle:rank") == 2 * 2 * cycles
    assert count("active:rank") > 0 and count("idle:rank") > 0
    asked = sum(bursts for mine in clients for _, _, bursts, write, _, _ in mine if not write)
    served = sum(count(f"read_burst:{operand}") for operand in OPERANDS)
    elsewhere = unit.served_elsewhere()
    assert served + elsewhere["forwarded"] + elsewhere["joined"] == asked
    table = {action: unit.ctx.ledger.counts[0, :, unit.ctx.ledger.index(action)] for action in unit.ctx.ledger.actions}
    for operand in OPERANDS:
        rows = sum(table[f"{verb}:{operand}"] for verb in ("row_hit", "row_closed", "row_conflict"))
        assert (rows == table[f"read_burst:{operand}"] + table[f"write_burst:{operand}"]).all() and rows.sum() > 0
    assert sum(count(f"refresh_wait:{operand}") for operand in OPERANDS) > 0
    assert sum(count(f"turnaround:{operand}") for operand in OPERANDS) > 0
    bits = sum(count(f"{verb}:{operand}") for verb in ("read", "overfetch", "write") for operand in OPERANDS)
    assert bits == unit.burst_bits * sum(bursts for mine in clients for _, _, bursts, *_ in mine)
    due = 2 * (cycles // (300 // 2))
    assert due - 4 <= count("refresh:rank") <= due


@pytest.mark.parametrize("seed", range(8))
def test_ties_do_not_matter(seed: int) -> None:
    chip = hardware(*CASES[1])
    env, shuffled = Environment(), ShuffledEnvironment(seed)
    plain, other = memory(chip, env, "kernel"), memory(chip, shuffled, "kernel")
    assert run(plain, env, jobs(3)) == run(other, shuffled, jobs(3))
    assert plain.ctx.ledger.counts.tolist() == other.ctx.ledger.counts.tolist()


def test_the_command_schedule_is_kept_once_and_is_legal(tmp_path: Path) -> None:
    """Running ahead and going back leaves no trace in it; keeping it changes nothing; it can be written out."""
    env, quiet, other = Environment(), Environment(), Environment()
    unit, silent = memory(hardware(*CASES[0], keep=True), env, "kernel"), memory(hardware(*CASES[0]), quiet, "kernel")
    plain = memory(hardware(*CASES[0], keep=True), other, "reference")
    assert run(unit, env, jobs(2)) == run(silent, quiet, jobs(2)) == run(plain, other, jobs(2))
    rows = unit.commands()
    assert rows.tolist() == plain.commands().tolist() and silent.commands().size == 0
    commands: list[Command] = [(c[1], COMMANDS[c[2]], c[3], c[4], c[5], c[6], c[7]) for c in rows.tolist()]
    t = {"AL": 0, "CL": 5, "CWL": 4, "B": 2, "RCD": 5, "RP": 4, "RAS": 9, "RRD_S": 2, "RRD_L": 3, "FAW": 13, "CCD_S": 2,
         "CCD_L": 3, "WR": 5, "RTP": 3, "WTR_S": 2, "WTR_L": 4, "RTRS": 1, "PPD": 0, "RFC": 20}  # fmt: skip
    assert violations(commands, t, 2, 2, 2) == []
    ledger = unit.ctx.ledger
    activates = sum(int(ledger.counts[0, :, ledger.index(f"activate:{operand}")].sum()) for operand in OPERANDS)
    assert activates == sum(name == "ACT" for _, name, *_ in commands) > 0
    write_commands(tmp_path / "commands.csv.gz", rows)
    assert read_commands(tmp_path / "commands.csv.gz").tolist() == rows[:, 1:].tolist()


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_a_known_place_in_the_tensor_is_where_the_bursts_lie(engine: str) -> None:
    """Columns are the lowest two bits of a burst's number, then bank group, bank and rank, one bit each."""
    env = Environment()
    unit = memory(hardware(*CASES[0], keep=True), env, engine)
    places = {(1, "weight"): (17, 30), (2, "state"): (5, 0)}  # two bursts each; the second has a region of its own

    def client() -> Generator[Any, Any, None]:
        for i in range(2):
            for (layer, operand), blocks in places.items():
                bits = 2 * unit.burst_bits
                yield unit.access(Access(0, 7 + i, 2, False, layer, operand, bits, 0, blocks[i]))

    env.run(until=env.process(client()))
    region = unit.spec.capacity_bytes // unit.spec.geometry.burst_bytes // REGIONS
    asked = [n * region + blocks[i] + k for i in range(2) for n, blocks in enumerate(places.values()) for k in range(2)]
    reads = [command[3:] for command in unit.commands().tolist() if COMMANDS[command[2]] == "RD"]
    found = [row << 5 | rank << 4 | bank << 3 | group << 2 | column for rank, group, bank, row, column in reads]
    assert found == asked


def test_events_follow_transfers_not_bursts() -> None:
    """A hundred times the bursts in the same transfers are as many events."""
    counts = []
    for bursts in (10, 1000):
        env = CountingEnvironment()
        unit = memory(hardware(*CASES[0]), env, "kernel")
        run(unit, env, [[(0, chunk, bursts, False, 1, "weight") for chunk in range(20)] for _ in range(2)])
        counts.append(env.events)
    assert counts[0] == counts[1] < 40 * 12


class CountingEnvironment(Environment):
    """Counts what is put on the heap."""

    events = 0

    def schedule(self, event: Any, priority: int = 1, delay: int = 0) -> None:
        self.events += 1
        super().schedule(event, priority, delay)


def test_tables_of_a_channel_do_not_depend_on_the_number_of_channels() -> None:
    one, two = (hardware(n, *CASES[0][1:]).unit("dram") for n in (1, 2))
    a, b = (channel_tables(s.timing, s.geometry, s.controller) for s in cast(Any, (one, two)))
    assert (a.gaps == b.gaps).all() and (a.limits == b.limits).all()


def test_a_requester_with_two_accesses_is_a_fault_of_the_machine() -> None:
    env = Environment()
    unit = memory(hardware(*CASES[0]), env, "kernel")
    for chunk in range(2):
        unit.access(Access(5, chunk, 3, False, 1, "weight", 300))
    with pytest.raises(InvariantError, match="requester 5 has 2 accesses"):
        env.run()
