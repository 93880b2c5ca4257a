"""Named timings of a DRAM and the rows of minimum distances between commands that follow from them.

The rows are data: the controller, its plain definition and the tables of a report read them, none of them knows a
constraint of its own.  Formulas: JESD79-4 (DDR4) and JESD209-4 (LPDDR4) as DRAMsim3 (umd-memsys/DRAMsim3 2981759)
applies them, which departs from the standards in two places: RDA -> ACT contains an extra burst, and every command
takes one cycle of the command bus.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from simulator.hardware.field_types import Cycles, PositiveCycles
from simulator.hardware.specs.base import Part

Command = Literal["ACT", "PRE", "RD", "WR", "RDA", "WRA", "REF", "REFB"]
"""Activate, precharge, read, write, both with auto-precharge, refresh of a rank, refresh of one bank."""
Scope = Literal["bank", "group", "other_group", "rank", "other_rank"]
"""Whom a row binds: the same bank; every bank of its group; of the rank's other groups; of the rank; of other ranks."""
COMMANDS: tuple[Command, ...] = ("ACT", "PRE", "RD", "WR", "RDA", "WRA", "REF", "REFB")
SCOPES: tuple[Scope, ...] = ("bank", "group", "other_group", "rank", "other_rank")


class Row(NamedTuple):
    """`then` may follow `first` in `scope` after `cycles` at the earliest."""

    first: Command
    then: Command
    scope: Scope
    cycles: int


class Window(NamedTuple):
    """Of `number` + 1 commands in a rank, the last follows the first after `cycles` at the earliest."""

    command: Command
    number: int
    cycles: int


class DramTiming(Part):
    """Timings in cycles of the memory clock, by the names of data sheets; RL = tAL + tCL, WL = tAL + tCWL."""

    tal_cycles: Annotated[Cycles, Field(description="additive latency of column commands")] = 0
    tcl_cycles: Annotated[PositiveCycles, Field(description="read command to its first data")]
    tcwl_cycles: Annotated[PositiveCycles, Field(description="write command to its first data")]
    burst_cycles: Annotated[PositiveCycles, Field(description="cycles of the data bus per burst")]
    trcd_cycles: Annotated[PositiveCycles, Field(description="activate to column command, same bank")]
    trp_cycles: Annotated[PositiveCycles, Field(description="precharge to activate, same bank")]
    tras_cycles: Annotated[PositiveCycles, Field(description="activate to precharge, same bank")]
    trc_cycles: Annotated[
        PositiveCycles | None, Field(description="activate to activate, same bank; left out: tRAS + tRP")
    ] = None
    trrd_s_cycles: Annotated[PositiveCycles, Field(description="activate to activate, other bank group")]
    trrd_l_cycles: Annotated[PositiveCycles, Field(description="activate to activate, same bank group")]
    tfaw_cycles: Annotated[Cycles, Field(description="window of at most four activates of a rank; 0: none")]
    tccd_s_cycles: Annotated[PositiveCycles, Field(description="column command to column command, other bank group")]
    tccd_l_cycles: Annotated[PositiveCycles, Field(description="column command to column command, same bank group")]
    twr_cycles: Annotated[PositiveCycles, Field(description="end of write data to precharge")]
    trtp_cycles: Annotated[PositiveCycles, Field(description="read command to precharge")]
    twtr_s_cycles: Annotated[PositiveCycles, Field(description="end of write data to read, other bank group")]
    twtr_l_cycles: Annotated[PositiveCycles, Field(description="end of write data to read, same bank group")]
    trtrs_cycles: Annotated[Cycles, Field(description="gap on the data bus at a change of rank or direction")] = 1
    tppd_cycles: Annotated[Cycles, Field(description="precharge to precharge of a rank; 0: none")] = 0
    trfc_cycles: Annotated[PositiveCycles, Field(description="refresh of a rank to its next command")]
    trefi_cycles: Annotated[Cycles, Field(description="mean interval of the refreshes of a rank; 0: no refresh")]
    trfc_bank_cycles: Annotated[
        PositiveCycles | None, Field(description="refresh of one bank to its next command; left out: none such")
    ] = None
    trefi_bank_cycles: Annotated[
        PositiveCycles | None, Field(description="mean interval of the bank refreshes of a rank; left out: none such")
    ] = None


def constraint_rows(timing: DramTiming, bank_groups: int) -> list[Row]:
    """The minimum distances of all pairs of commands, in the order of the table they come from.

    With one bank group the _S timings hold everywhere.  A distance of at most one cycle is no row: the command bus
    carries one command per cycle.
    """
    t = timing
    rl, wl, burst = t.tal_cycles + t.tcl_cycles, t.tal_cycles + t.tcwl_cycles, t.burst_cycles
    one = bank_groups == 1
    rrd_l = t.trrd_s_cycles if one else t.trrd_l_cycles
    ccd_l = t.tccd_s_cycles if one else t.tccd_l_cycles
    wtr_l = t.twtr_s_cycles if one else t.twtr_l_cycles
    turn = rl + burst - wl + t.trtrs_cycles
    rows = [
        Row("ACT", "ACT", "bank", t.trc_cycles or t.tras_cycles + t.trp_cycles),
        Row("ACT", "ACT", "group", rrd_l),
        Row("ACT", "ACT", "other_group", t.trrd_s_cycles),
        Row("ACT", "PRE", "bank", t.tras_cycles),
        Row("PRE", "ACT", "bank", t.trp_cycles),
        Row("PRE", "REF", "bank", t.trp_cycles),
        Row("PRE", "PRE", "rank", t.tppd_cycles),
        Row("RD", "PRE", "bank", t.trtp_cycles),
        Row("WR", "PRE", "bank", wl + burst + t.twr_cycles),
        Row("RDA", "ACT", "bank", burst + t.trtp_cycles + t.trp_cycles),
        Row("RDA", "REF", "bank", t.trtp_cycles + t.trp_cycles),
        Row("WRA", "ACT", "bank", wl + burst + t.twr_cycles + t.trp_cycles),
        Row("WRA", "REF", "bank", wl + burst + t.twr_cycles + t.trp_cycles),
        Row("REF", "ACT", "rank", t.trfc_cycles),
        Row("REF", "REF", "rank", t.trfc_cycles),
    ]
    reads: tuple[Command, ...] = ("RD", "RDA")
    writes: tuple[Command, ...] = ("WR", "WRA")
    rows += [Row("ACT", column, "bank", t.trcd_cycles) for column in (*reads, *writes)]
    between: list[tuple[tuple[Command, ...], tuple[Command, ...], Scope, int]] = [
        (reads, reads, "group", max(burst, ccd_l)),
        (reads, reads, "other_group", max(burst, t.tccd_s_cycles)),
        (reads, reads, "other_rank", burst + t.trtrs_cycles),
        (writes, writes, "group", max(burst, ccd_l)),
        (writes, writes, "other_group", max(burst, t.tccd_s_cycles)),
        (writes, writes, "other_rank", burst),
        (reads, writes, "rank", turn),
        (reads, writes, "other_rank", turn),
        (writes, reads, "group", wl + burst + wtr_l),
        (writes, reads, "other_group", wl + burst + t.twtr_s_cycles),
        (writes, reads, "other_rank", wl + burst + t.trtrs_cycles - rl),
    ]
    rows += [Row(a, b, scope, cycles) for froms, tos, scope, cycles in between for a in froms for b in tos]
    return [row for row in rows + _bank_refresh_rows(t, rrd_l) if row.cycles > 1]


def _bank_refresh_rows(t: DramTiming, rrd_l: int) -> list[Row]:
    """Refresh of single banks (JESD209-4): to the others of the rank it counts as an activate, to its own bank as a
    row cycle of tRFCpb; two of them in a rank do not overlap."""
    if t.trfc_bank_cycles is None:
        return []
    recovery = t.tcwl_cycles + t.tal_cycles + t.burst_cycles + t.twr_cycles
    return [
        Row("PRE", "REFB", "bank", t.trp_cycles),
        Row("RDA", "REFB", "bank", t.trtp_cycles + t.trp_cycles),
        Row("WRA", "REFB", "bank", recovery + t.trp_cycles),
        Row("REF", "REFB", "rank", t.trfc_cycles),
        Row("REFB", "ACT", "bank", t.trfc_bank_cycles),
        Row("REFB", "REFB", "rank", t.trfc_bank_cycles),
        Row("REFB", "REF", "rank", t.trfc_bank_cycles),
        Row("REFB", "ACT", "group", rrd_l),
        Row("REFB", "ACT", "other_group", t.trrd_s_cycles),
        Row("ACT", "REFB", "group", rrd_l),
        Row("ACT", "REFB", "other_group", t.trrd_s_cycles),
    ]


def windows(timing: DramTiming) -> list[Window]:
    """Windows of a rank: at most four activates in tFAW."""
    return [Window("ACT", 4, timing.tfaw_cycles)] if timing.tfaw_cycles > 1 else []
