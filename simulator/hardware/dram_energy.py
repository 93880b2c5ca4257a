"""Energy of DRAM commands from the currents of a data sheet: V x mA x cycles x ns of a cycle = pJ, per device.

Formulas: Micron TN-40-07 as DRAMsim3 (umd-memsys/DRAMsim3 2981759) applies them.  That tool prints V mA cycle and calls
it pJ; here the product is multiplied by the cycle time.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.hardware.dram_timing import DramTiming


@dataclass(frozen=True)
class DramCurrents:
    """Supply in V and currents of one device in mA, by the names of data sheets: one bank active and precharged in turn
    (IDD0), all banks precharged (IDD2N), a bank open (IDD3N), read and write bursts (IDD4R, IDD4W), refresh (IDD5B)."""

    vdd_v: float
    idd0_ma: float
    idd2n_ma: float
    idd3n_ma: float
    idd4r_ma: float
    idd4w_ma: float
    idd5b_ma: float


@dataclass(frozen=True)
class CommandEnergy:
    """What one command costs on one rank, and one cycle of one rank with a bank open (`active`) or none (`idle`).

    In pJ where made by `command_energy` with the cycle time in ns, in V mA cycle with 1.
    """

    activate: float
    read: float
    write: float
    refresh: float
    active: float
    idle: float


def command_energy(currents: DramCurrents, timing: DramTiming, devices: int, cycle_ns: float) -> CommandEnergy:
    """Energies of a rank of `devices` devices; an activate contains the precharge that follows it.

    activate  VDD (IDD0 tRC - IDD3N tRAS - IDD2N tRP), tRC = tRAS + tRP
    read      VDD (IDD4R - IDD3N) burst cycles; write with IDD4W
    refresh   VDD (IDD5B - IDD3N) tRFC
    active    VDD IDD3N; idle VDD IDD2N
    """
    c, scale = currents, currents.vdd_v * devices * cycle_ns
    ras, rp = timing.tras_cycles, timing.trp_cycles
    return CommandEnergy(
        activate=scale * (c.idd0_ma * (ras + rp) - c.idd3n_ma * ras - c.idd2n_ma * rp),
        read=scale * (c.idd4r_ma - c.idd3n_ma) * timing.burst_cycles,
        write=scale * (c.idd4w_ma - c.idd3n_ma) * timing.burst_cycles,
        refresh=scale * (c.idd5b_ma - c.idd3n_ma) * timing.trfc_cycles,
        active=scale * c.idd3n_ma,
        idle=scale * c.idd2n_ma,
    )
