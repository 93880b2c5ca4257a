"""A reader of DRAM command schedules that knows the distances between commands by itself.

It shares no code with the simulator: the table below was keyed from the published one (reference behaviour of DRAMsim3
2981759), it works on names and plain numbers, and besides distances it checks what no distance says: rows are open when
they are used, banks are closed when they are refreshed, and bursts never meet on the data bus.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

Command = tuple[int, str, int, int, int, int, int]
"""Cycle, name, rank, bank group, bank, row, column; -1 where it has none."""
READS, WRITES = {"RD", "RDA"}, {"WR", "WRA"}


def distances(t: dict[str, int], groups: int) -> dict[tuple[str, str], dict[str, int]]:
    """(earlier, later) -> scope -> cycles; scopes: same bank, same group, other group, other rank."""
    s = "S" if groups == 1 else "L"
    rl, wl, b = t["AL"] + t["CL"], t["AL"] + t["CWL"], t["B"]
    table: dict[tuple[str, str], dict[str, int]] = {
        ("ACT", "ACT"): {"bank": t["RAS"] + t["RP"], "group": t["RRD_" + s], "other group": t["RRD_S"]},
        ("ACT", "PRE"): {"bank": t["RAS"]},
        ("PRE", "ACT"): {"bank": t["RP"]},
        ("PRE", "REF"): {"bank": t["RP"]},
        ("PRE", "PRE"): {"group": t["PPD"], "other group": t["PPD"]},
        ("REF", "ACT"): {"bank": t["RFC"], "group": t["RFC"], "other group": t["RFC"]},
        ("REF", "REF"): {"bank": t["RFC"], "group": t["RFC"], "other group": t["RFC"]},
    }
    rd_rd = {"group": max(b, t["CCD_" + s]), "other group": max(b, t["CCD_S"]), "other rank": b + t["RTRS"]}
    wr_wr = {**rd_rd, "other rank": b}
    rd_wr = dict.fromkeys(("group", "other group", "other rank"), rl + b - wl + t["RTRS"])
    wr_rd = {"group": wl + b + t["WTR_" + s], "other group": wl + b + t["WTR_S"], "other rank": wl + b + t["RTRS"] - rl}
    for first in READS | WRITES:
        for then in READS | WRITES:
            row = {(True, True): rd_rd, (False, False): wr_wr, (True, False): rd_wr, (False, True): wr_rd}
            table[first, then] = row[first in READS, then in READS]
        table["ACT", first] = {"bank": t["RCD"]}
    table["RD", "PRE"] = {"bank": t["RTP"]}
    table["WR", "PRE"] = {"bank": wl + b + t["WR"]}
    table["RDA", "ACT"] = {"bank": b + t["RTP"] + t["RP"]}
    table["RDA", "REF"] = {"bank": t["RTP"] + t["RP"]}
    table["WRA", "ACT"] = table["WRA", "REF"] = {"bank": wl + b + t["WR"] + t["RP"]}
    return table


def violations(
    commands: Iterable[Command], t: dict[str, int], ranks: int, groups: int, banks: int, most: int = 5
) -> list[str]:
    """The first `most` breaches in a schedule, in words; `banks` counts those of one group."""
    table = distances(t, groups)
    before: dict[str, list[str]] = defaultdict(list)
    for first, then in table:
        before[then].append(first)
    last: dict[tuple, int] = {}  # by (name, rank), (name, rank, group), (name, rank, group, bank)
    acts: dict[int, deque[int]] = defaultdict(lambda: deque(maxlen=4))
    rows: dict[tuple[int, int, int], int] = {}
    found: list[str] = []
    cycle_before = bus_free = -1
    for command in commands:
        cycle, name, rank, group, bank, row, _ = command
        if cycle <= cycle_before:
            found.append(f"{command}: two commands in a cycle, or out of order")
        cycle_before = cycle
        places = [(group, bank)] if name != "REF" else [(g, b) for g in range(groups) for b in range(banks)]
        for first in before[name]:
            for scope, cycles in table[first, name].items():
                seen: list[tuple] = []
                if scope == "bank":
                    seen = [(first, rank, g, b) for g, b in places] if first != "REF" else [(first, rank)]
                elif scope == "group":
                    seen = [(first, rank, group)] if first != "REF" else [(first, rank)]
                elif scope == "other group":
                    seen = [(first, rank, g) for g in range(groups) if g != group] if first != "REF" else []
                else:
                    seen = [(first, r) for r in range(ranks) if r != rank]
                for key in seen:
                    if key in last and cycle - last[key] < cycles:
                        found.append(f"{command}: {cycle - last[key]} cycles after {key}, {scope}: {cycles}")
        if name == "ACT" and len(acts[rank]) == 4 and cycle - acts[rank][0] < t["FAW"]:
            found.append(f"{command}: {cycle - acts[rank][0]} cycles after the fourth last activate")
        key = (rank, group, bank)
        if name == "ACT":
            acts[rank].append(cycle)
            if key in rows:
                found.append(f"{command}: the bank is open")
            rows[key] = row
        elif name == "PRE":
            if rows.pop(key, None) is None:
                found.append(f"{command}: the bank is closed")
        elif name == "REF":
            if any(place[0] == rank for place in rows):
                found.append(f"{command}: a bank is open")
        else:
            if rows.get(key) != row:
                found.append(f"{command}: the row is not open")
            begin = cycle + t["AL"] + t["CL" if name in READS else "CWL"]
            if begin < bus_free:
                found.append(f"{command}: its data meet the burst before")
            bus_free = begin + t["B"]
            if name.endswith("A"):
                rows.pop(key, None)
        for mark in ((name, rank), (name, rank, group), (name, rank, group, bank)):
            last[mark] = cycle
        if len(found) >= most:
            break
    return found[:most]
