"""Flow of positions at mean times, by the definition: a time asks for the times that it depends on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache


@dataclass
class Stream:
    """Times by timestep; windows: (source, delay, need per position, read by the home)."""

    positions: int
    copies: int
    lanes: bool
    times: list[dict[str, float]]
    windows: list[tuple[int, int, list[int], bool]] = field(default_factory=list)
    readers: list[tuple[int, int]] = field(default_factory=list)


def ends(streams: list[Stream], depth: int, buffered: int, steps: int) -> list[list[float]]:
    """End of each timestep [T][stream]."""

    def before(n: int, t: int, p: int, back: int = 1) -> tuple[int, int] | None:
        s = streams[n]
        mine = [(a, b) for a in range(t + 1) for b in range(p % s.copies, s.positions, s.copies) if (a, b) < (t, p)]
        return mine[-back] if len(mine) >= back else None

    def window(n: int, t: int, p: int, home: bool) -> float:
        return max(
            (available(source, t - delay, need[p] - 1)
             for source, delay, need, own in streams[n].windows if own == home and t >= delay and need[p]),
            default=0.0,
        )  # fmt: skip

    @cache
    def gate(n: int, t: int) -> float:
        made = [(reader, t - buffered + delay) for reader, delay in streams[n].readers]
        return max((available(r, a, streams[r].positions - 1) for r, a in made if 0 <= a < t), default=0.0)

    @cache
    def start(n: int, t: int, p: int) -> float:
        times, one, far = streams[n].times[t], before(n, t, p), before(n, t, p, depth)
        register = start(n, *one) if one else 0.0
        found = max(window(n, t, p, False), register) + times["fetch"]
        if one:
            found = max(found, start(n, *one) + times["period"])
        return max(found, take(n, *far)) if far else found

    @cache
    def take(n: int, t: int, p: int) -> float:
        s, one = streams[n], before(n, t, p)
        result = start(n, t, p) + s.times[t]["late"] if s.lanes else 0.0
        free = take(n, *one) + s.times[one[0]]["home"] if one else 0.0
        return max(result, window(n, t, p, True), gate(n, t), free)

    @cache
    def available(n: int, t: int, p: int) -> float:
        times = streams[n].times[t]
        ahead = available(n, t, p - 1) if p else 0.0
        return max(ahead, take(n, t, p) + times["home"] + times["after"])

    return [[available(n, t, s.positions - 1) for n, s in enumerate(streams)] for t in range(steps)]
