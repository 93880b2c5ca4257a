"""Suites: the points at which closed forms are calibrated and validated, as cases of one chip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulator.costmodel.case import Case
from simulator.costmodel.sources import GENERATED
from simulator.costmodel.suite_file import CHIPS, Group, read_suite
from simulator.costmodel.wishes import DEFAULT
from simulator.errors import InputError
from simulator.hardware.load import load_hardware
from simulator.trace.load import load_trace

BLIND = "nothing is gated on this chip, so that spikes change neither time nor energy"


@dataclass(frozen=True)
class Suite:
    """The cases of a suite on one chip, and what of it the chip cannot run: (network and mapping, reason)."""

    name: str
    hardware: str
    cases: tuple[Case, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def architectures(self) -> tuple[str, ...]:
        """The architectures in the order in which they come first."""
        return tuple(dict.fromkeys(case.architecture for case in self.cases))


def load_suite(
    name: str, hardware: str, directory: str | None = None, *, seed: int = 0, overrides: Sequence[str] = ()
) -> Suite:
    """The cases of suite `name` (a bundled one or the path of a suite file) on the chip `hardware`.

    directory: where recordings lie, for suites that have some.  `seed` draws other architectures and other spikes.
    Networks are placed here: a suite holds what fits, and no run twice.  InputError for an unknown suite, a defect
    of its file, or a suite of which nothing fits.
    """
    title, groups = read_suite(name)
    chip = load_hardware(hardware, list(overrides))
    types = sorted({spec.type for spec in chip.units.values()})
    kind = next((each for each in CHIPS if each in types), "")
    arrays: list[Any] = [spec for spec in chip.units.values() if spec.type == "pe_array"]
    blind = bool(arrays) and all(spec.gating == "none" for spec in arrays)
    known = {name for group in groups if _suits(group, kind) for name in _titles(group)}
    cases: list[Case] = []
    left_out: list[tuple[str, str]] = []
    for number, group in enumerate(groups):
        if not _suits(group, kind):
            lacking = [name for name in _titles(group) if name not in known]
            left_out += [(name, f"the suite has no mappings for a chip of {', '.join(types)}") for name in lacking]
            continue
        plain = Case(title, "", "drawn", hardware, tuple(overrides), seed=(seed * 64 + number) * 65536)
        for at, (network, architecture, where) in enumerate(_networks(group, kind, seed, directory, left_out)):
            one = replace(plain, network=network, architecture=architecture, directory=where)
            one = replace(one, steps=_steps(group, one, at))
            seen: dict[tuple[str, str], str] = {}
            for turn, mapping in enumerate(group.mappings[kind]):
                settings = group.settings[(at + turn) % len(group.settings)]
                placed = replace(
                    one,
                    mapping=mapping,
                    overrides=(*overrides, *(settings.split() if settings != DEFAULT else ())),
                    seed=plain.seed + (at * len(group.mappings[kind]) + turn) * 16,
                )
                try:
                    ready = placed.prepare()
                except InputError as error:
                    left_out.append((f"{network}, mapping {mapping}", str(error)))
                    continue
                twin = seen.setdefault((ready.mapping.sha256, ready.hardware.sha256), mapping)
                if twin != mapping:
                    left_out.append((f"{network}, mapping {mapping}", f"it is the same as mapping {twin}"))
                    continue
                found = list(_spikes(placed, group, at + turn))
                if blind and len(found) > 1:
                    left_out.append((f"{network}, mapping {mapping}, {len(found) - 1} other traces", BLIND))
                cases += found[:1] if blind else found
    if not cases:
        reason = left_out[0][1] if left_out else "it has no cases"
        raise InputError(f"nothing of this suite fits the chip: {reason}", key=f"suite {title}", found=hardware)
    return Suite(title, hardware, tuple(cases), tuple(left_out))


def _suits(group: Group, kind: str) -> bool:
    """True when a group has mappings, and drawn architectures, for a kind of chip."""
    return kind in group.mappings and (not group.family or kind in group.family)


def _titles(group: Group) -> tuple[str, ...]:
    """What a group is made of."""
    return group.networks or group.recorded or ("drawn architectures",)


def _networks(
    group: Group, kind: str, seed: int, directory: str | None, left_out: list[tuple[str, str]]
) -> Iterator[tuple[str, str, str | None]]:
    """(network, architecture, directory) of a group; recordings that are not there are left out."""
    if group.family:
        family = group.family[kind]
        for index in range(group.count):
            yield f"{GENERATED}{family}/{seed}/{index}", f"{family}{index:02d}", None
    for name in group.networks:
        yield name, group.architecture or name, None
    if group.recorded:
        from simulator.costmodel.recorded import recordings

        for name, architecture in recordings(group.recorded, directory, left_out):
            yield name, group.architecture or architecture, directory


def _steps(group: Group, case: Case, turn: int) -> int:
    """Timesteps of a case: the group's, in turn; a trace may have fewer."""
    steps = group.steps[turn % len(group.steps)]
    if group.recorded:
        from simulator.costmodel.recorded import recording

        return min(steps, recording(case.network, case.directory).length)
    return int(load_trace(case.network).steps.max()) if group.trained else steps


def _spikes(placed: Case, group: Group, turn: int) -> Iterator[Case]:
    """The kinds of spikes of a group; of its lists of densities it is the turn of number `turn`."""
    plain = replace(placed, samples=group.samples)
    if group.recorded:
        yield replace(placed, kind="recorded", seed=0)
    for first in group.trained:
        yield replace(plain, kind="trained", seed=first)
    drawn = group.drawn[turn % len(group.drawn)] if group.drawn else ()
    for n, density in enumerate(drawn):
        yield replace(plain, kind="drawn", density=density, seed=placed.seed + n)
    clustered = group.clustered[turn % len(group.clustered)] if group.clustered else ()
    for n, density in enumerate(clustered):
        yield replace(plain, kind="clustered", density=density, seed=placed.seed + len(drawn) + n)
