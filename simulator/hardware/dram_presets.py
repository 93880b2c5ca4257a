"""DRAM devices that ship with the product: geometry, timings and, where a source states them, currents.

One file per device in `presets/dram/`; each row has a source and a grade, its own or those of the file.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from simulator.errors import InputError, unknown
from simulator.hardware.dram_energy import DramCurrents, command_energy
from simulator.hardware.dram_geometry import DramGeometry
from simulator.hardware.dram_timing import DramTiming

FOLDER = Path(__file__).with_name("presets") / "dram"
BITS_PER_BYTE = 8


@dataclass(frozen=True)
class PresetRow:
    """One number of a device."""

    value: float
    source: str
    grade: str


@dataclass(frozen=True)
class DramPreset:
    """A device: rows by key ("timing.tcl_cycles"), what they amount to; `currents` is None where none are stated."""

    name: str
    description: str
    rows: dict[str, PresetRow]
    geometry: DramGeometry
    timing: DramTiming
    cycle_ns: float
    devices: int
    currents: DramCurrents | None

    def prices(self) -> dict[str, dict[str, Any]]:
        """Price fields of a unit with this device, as plain constants.

        Raises InputError for a device whose source states no currents: its energy is not known.
        """
        if self.currents is None:
            raise InputError(
                f"{self.name} is known by its timing only: its source states no currents, so its energy is refused",
                allowed=f"prices of your own with their sources, or one of {', '.join(priced_presets())}",
            )
        energy = command_energy(self.currents, self.timing, self.devices, self.cycle_ns)
        source = f"preset {self.name}: {self.rows['currents.idd0_ma'].source}"
        per_command = {
            "activate_energy_pj": (energy.activate, "VDD (IDD0 tRC - IDD3N tRAS - IDD2N tRP) tCK"),
            "read_burst_energy_pj": (energy.read, "VDD (IDD4R - IDD3N) burst cycles tCK"),
            "write_burst_energy_pj": (energy.write, "VDD (IDD4W - IDD3N) burst cycles tCK"),
            "refresh_energy_pj": (energy.refresh, "VDD (IDD5B - IDD3N) tRFC tCK"),
            "active_energy_pj": (energy.active, "VDD IDD3N tCK"),
            "idle_energy_pj": (energy.idle, "VDD IDD2N tCK"),
        }
        grade = "derived" if self.rows["currents.idd0_ma"].grade != "assumed" else "assumed"
        found: dict[str, dict[str, Any]] = {
            name: {"value": value, "source": f"{source}; {formula} x {self.devices} devices", "grade": grade}
            for name, (value, formula) in per_command.items()
        }
        for name, key in (("read_io_energy_pj_per_bit", "io.read_pj_per_bit"),
                          ("write_io_energy_pj_per_bit", "io.write_pj_per_bit")):  # fmt: skip
            row = self.rows[key]
            found[name] = {"value": row.value, "source": f"preset {self.name}: {row.source}", "grade": row.grade}
        return found


def dram_presets() -> list[str]:
    """Names of the devices, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def priced_presets() -> list[str]:
    """Names of the devices whose energy is known."""
    return [name for name in dram_presets() if dram_preset(name).currents is not None]


@functools.cache
def dram_preset(name: str) -> DramPreset:
    """The device called `name`; InputError with the nearest name when there is none such."""
    if name not in dram_presets():
        raise unknown("DRAM preset", name, dram_presets())
    content: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    rows: dict[str, PresetRow] = {}
    for key, value in content.items():
        if isinstance(value, dict) and "value" not in value:
            rows |= {f"{key}.{inner}": _row(content, row) for inner, row in value.items()}
        elif key not in ("description", "source", "grade"):
            rows[key] = _row(content, value)
    parts: dict[str, dict[str, float]] = {}
    for key, row in rows.items():
        group, _, inner = key.rpartition(".")
        parts.setdefault(group, {})[inner] = row.value
    currents = parts.get("currents")
    return DramPreset(
        name=name,
        description=content["description"],
        rows=rows,
        geometry=DramGeometry.model_validate(parts["geometry"]),
        timing=DramTiming.model_validate(parts["timing"]),
        cycle_ns=float(parts[""]["cycle_ns"]),
        devices=int(parts[""]["devices"]),
        currents=DramCurrents(**currents) if currents else None,
    )


def _row(content: dict[str, Any], row: Any) -> PresetRow:
    if isinstance(row, dict):
        return PresetRow(row["value"], row["source"], row["grade"])
    return PresetRow(row, content["source"], content["grade"])
