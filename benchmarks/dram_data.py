"""Reference runs of a DRAM simulator: their configurations, requests and commands, as `benchmarks.dram` needs them."""

from __future__ import annotations

import csv
import gzip
import io
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.command import read_table
from simulator.components.dram.trace import BurstTrace
from simulator.errors import InputError
from simulator.hardware.dram_energy import DramCurrents
from simulator.hardware.dram_geometry import DramController, DramGeometry
from simulator.hardware.dram_timing import COMMANDS, DramTiming

ADDRESS_FIELDS = ("column", "bank_group", "bank", "rank", "row", "channel")


@dataclass(frozen=True)
class Configuration:
    """What a reference run was configured with; `currents` is None where its device states none."""

    name: str
    timing: DramTiming
    geometry: DramGeometry
    controller: DramController
    devices: int
    cycle_ns: float
    currents: DramCurrents | None


@dataclass(frozen=True)
class Requests:
    """Bursts of a run, and where they are recorded int64 [n] accepted and done."""

    trace: BurstTrace
    accepted: np.ndarray | None
    done: np.ndarray | None


def read_configurations(data: Path) -> dict[str, Configuration]:
    """Every configuration (column) of configs.csv, with the timings and currents of its device."""
    path = data / "configs.csv"
    rows = read_table(path, "field")
    devices: dict[str, dict[str, float]] = {}
    for row in read_table(data / "timing_currents.csv", "device", "parameter", "value"):
        value = _number(row["value"], data / "timing_currents.csv", f"{row['device']}.{row['parameter']}")
        devices.setdefault(row["device"], {})[row["parameter"]] = value
    names = [name for name in (rows[0] if rows else {}) if name not in ("field", "note")]
    found = {}
    for name in names:
        facts = {row["field"]: (row[name] or "").strip() for row in rows}
        device = facts.get("timing_set", "").split(" ")[0]
        if device not in devices:
            raise InputError("unknown device", file=path, key=f"{name}.timing_set", found=device, allowed=list(devices))
        found[name] = _configuration(name, _Facts(path, name, facts), _Facts(path, device, devices[device]))
    return found


class _Facts:
    """Named values of one configuration or device, with messages that say what is missing."""

    def __init__(self, path: Path, name: str, values: dict) -> None:
        self.path, self.name, self.values = path, name, values

    def number(self, *keys: str, default: float | None = None) -> float:
        """The first of `keys` that has a value."""
        for key in keys:
            if self.values.get(key) not in (None, "", "-"):
                return _number(self.values[key], self.path, f"{self.name}.{key}")
        if default is None:
            raise InputError("a value is missing", file=self.path, key=f"{self.name}.{keys[0]}")
        return default

    def whole(self, *keys: str, default: int | None = None) -> int:
        """The same as a whole number."""
        value = self.number(*keys, default=default)
        if value != int(value):
            raise InputError("not a whole number", file=self.path, key=f"{self.name}.{keys[0]}", found=value)
        return int(value)

    def text(self, key: str) -> str:
        """A text in lower case, empty where there is none."""
        return str(self.values.get(key) or "").lower()


def _number(text: object, path: Path, key: str) -> float:
    try:
        return float(str(text))
    except ValueError:
        raise InputError("not a number", file=path, key=key, found=text) from None


def _configuration(name: str, facts: _Facts, device: _Facts) -> Configuration:
    ranks = facts.whole("ranks")
    timing = DramTiming(
        tal_cycles=device.whole("AL", default=0),
        tcl_cycles=device.whole("CL"),
        tcwl_cycles=device.whole("CWL"),
        burst_cycles=facts.whole("burst_cycles"),
        trcd_cycles=device.whole("tRCD"),
        trp_cycles=device.whole("tRP"),
        tras_cycles=device.whole("tRAS"),
        trrd_s_cycles=device.whole("tRRD_S", "tRRD"),
        trrd_l_cycles=device.whole("tRRD_L", "tRRD"),
        tfaw_cycles=device.whole("tFAW"),
        tccd_s_cycles=device.whole("tCCD_S", "tCCD"),
        tccd_l_cycles=device.whole("tCCD_L", "tCCD"),
        twr_cycles=device.whole("tWR"),
        trtp_cycles=device.whole("tRTP"),
        twtr_s_cycles=device.whole("tWTR_S", "tWTR"),
        twtr_l_cycles=device.whole("tWTR_L", "tWTR"),
        trtrs_cycles=device.whole("tRTRS"),
        tppd_cycles=device.whole("tPPD", default=0),
        trfc_cycles=facts.whole("t_rfc_cycles", default=device.whole("tRFC", "tRFCab")),
        trefi_cycles=ranks * facts.whole("refresh_interval_cycles", default=device.whole("tREFI") // ranks),
    )
    columns = facts.whole("row_bytes") // facts.whole("request_bytes")
    geometry = DramGeometry(
        ranks=ranks,
        bank_groups=facts.whole("bank_groups"),
        banks_per_group=facts.whole("banks_per_group"),
        rows=facts.whole("rows_per_bank"),
        columns=columns,
        burst_bytes=facts.whole("request_bytes"),
        address_order=_order(facts),
    )
    geometry.address_fields()
    drain = re.search(r">\s*(\d+)", facts.text("write_drain_start"))
    controller = DramController(
        refresh="none" if facts.text("refresh_policy").startswith(("none", "never")) else "rank",
        page="close" if facts.text("page_policy").startswith("close") else "open",
        read_queue=facts.whole("read_queue_entries"),
        write_queue=facts.whole("write_buffer_entries"),
        bank_queue=facts.whole("bank_queue_entries"),
        row_hit_cap=facts.whole("row_hit_cap"),
        drain_above=int(drain.group(1)) if drain else 8,
    )
    cycle_ns = device.number("tCK")
    return Configuration(
        name, timing, geometry, controller, facts.whole("devices_per_rank"), cycle_ns, _currents(device)
    )


def _order(facts: _Facts) -> tuple[str, ...]:
    """Parts of an address from the most significant on, with their bits, from the addr_bits_* ranges "high:low"."""
    parts = []
    for field in ADDRESS_FIELDS:
        text = facts.text(f"addr_bits_{field}")
        if text and text != "-":
            high, _, low = text.partition(":")
            top = int(_number(high, facts.path, f"{facts.name}.addr_bits_{field}"))
            bottom = int(_number(low or high, facts.path, f"{facts.name}.addr_bits_{field}"))
            parts.append((bottom, top, field))
    parts.sort(reverse=True)
    for above, below in pairwise(parts):
        if above[0] != below[1] + 1:
            raise InputError("address bits overlap or are unused", file=facts.path, key=f"{facts.name}.addr_bits_*",
                             found=f"{above[2]} begins at bit {above[0]}, {below[2]} ends at {below[1]}")  # fmt: skip
    return tuple(f"{field}:{top - bottom + 1}" for bottom, top, field in parts)


def _currents(device: _Facts) -> DramCurrents | None:
    """Currents of a device; those of several rails where they are given folded into one."""
    names = ("IDD0", "IDD2N", "IDD3N", "IDD4R", "IDD4W", "IDD5B")
    suffix = ""
    if "IDD0" not in device.values:
        folded = [key for key in device.values if key.startswith("IDD0_folded_")]
        if not folded:
            return None
        suffix = folded[0].removeprefix("IDD0")
        volt = float(suffix.removeprefix("_folded_").replace("V", "."))
    else:
        volt = device.number("VDD")
    return DramCurrents(volt, *(device.number(name + suffix) for name in names))


def read_requests(path: Path, burst_bytes: int) -> Requests:
    """Requests of a run, or the requests of a trace (`.trace.gz`), which were not run."""
    text = _unpacked(path)
    accepted = done = None
    if path.name.endswith(".trace.gz"):
        rows = [line.split() for line in text.splitlines() if line.strip()]
        if any(len(row) != 3 for row in rows):
            raise InputError("a line of a trace has three words", file=path)
        addresses, kinds, arrivals = ([row[i] for row in rows] for i in range(3))
    else:
        table = list(csv.DictReader(io.StringIO(text)))
        for column in ("addr", "op", "arrival", "accepted", "done"):
            if not table or column not in table[0]:
                raise InputError("the table lacks a column or is empty", file=path, key=column)
        addresses, kinds, arrivals = ([row[key] for row in table] for key in ("addr", "op", "arrival"))
        accepted = np.array([_number(row["accepted"], path, "accepted") for row in table]).astype(np.int64)
        done = np.array([_number(row["done"], path, "done") for row in table]).astype(np.int64)
    try:
        block = np.array([int(a, 16) for a in addresses], np.int64) // burst_bytes
    except (ValueError, OverflowError):
        raise InputError("an address is no hexadecimal number", file=path, key="addr") from None
    write = np.array([kind.upper().startswith("W") for kind in kinds], bool)
    arrival = np.array([_number(a, path, "arrival") for a in arrivals]).astype(np.int64)
    return Requests(BurstTrace(block, write, arrival), accepted, done)


def read_commands(path: Path) -> np.ndarray:
    """Commands of a run: int64 [n, 7] as `ChannelRun.commands`, auto-precharge not told apart (the tables do not)."""
    table = list(csv.DictReader(io.StringIO(_unpacked(path))))
    rows = []
    for row in table:
        name = (row.get("command") or "").strip().upper()
        if name not in COMMANDS:
            raise InputError("unknown command", file=path, key="command", found=name, allowed=COMMANDS)
        places = [row.get(key) or "-1" for key in ("cycle", "rank", "bank_group", "bank", "row", "column")]
        numbers = [int(_number(place, path, "commands")) for place in places]
        rows.append((numbers[0], COMMANDS.index(name), *numbers[1:]))  # type: ignore[arg-type]
    return np.array(rows, np.int64).reshape(-1, 7)


def _unpacked(path: Path) -> str:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return file.read()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", file=path) from None
