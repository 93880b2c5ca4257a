"""The SIA reconstruction against its closed forms: rates, workload tables, and the replays of both networks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from benchmarks import sia, sia_layer, sia_networks
from benchmarks.sia_formula import expected
from benchmarks.sia_tables import PAIRS, TOTALS
from simulator.hardware import load_hardware
from simulator.mapping import place
from simulator.network import Network
from simulator.network.zoo import resnet18, vgg11
from simulator.run import simulate
from simulator.trace.dense import dense_trace
from simulator.trace.synthetic import bernoulli_trace


def misses(checks: Sequence[sia_networks.Check]) -> list[str]:
    return [f"{c.what}: {c.found}, expected {c.expected}" for c in checks if not c.holds]


@pytest.mark.parametrize("ops_per_synapse", [1, 2])
@pytest.mark.parametrize(("clock_mhz", "ops_per_pe_cycle"), PAIRS)
def test_full_layer_computes_at_the_published_rate_and_power(
    clock_mhz: int, ops_per_pe_cycle: int, ops_per_synapse: int
) -> None:
    found = sia_layer.check_layer(clock_mhz, ops_per_pe_cycle, ops_per_synapse)
    assert found.compute == found.expected == found.expected_ops // (64 * ops_per_pe_cycle)
    assert (float(found.gops), float(found.watt)) == (38.4, 1.54)
    assert found.exact
    # The closed form is the array's time alone; what comes on top is listed and adds up to the run.
    parts = found.compute + found.fill + found.wait + found.drain + sum(found.stall.values()) + found.idle
    assert parts == found.total
    assert found.fill > 0 and found.drain > 0 and found.neuron_unit > 0


def test_other_products_of_clock_and_width_are_not_exact() -> None:
    assert not sia_layer.check_layer(100, 8, 2).exact
    assert not sia_layer.check_layer(120, 6, 1).exact


def test_preset_has_the_published_figures() -> None:
    assert misses(sia.preset_checks()) == []


@pytest.mark.parametrize("name", list(sia_networks.NETWORKS))
def test_workload_tables(name: str) -> None:
    checks = sia_networks.workload_checks(name)
    assert len(checks) > 8 * 8
    assert misses(checks) == []


def first_layers(network: Network, count: int) -> Network:
    """The network up to its first `count` layers."""
    kept = {*network.inputs, *network.layers[:count]}
    return replace(
        network,
        populations=tuple(p for p in network.populations if p.name in kept),
        projections=tuple(p for p in network.projections if p.target in kept),
    )


def pooled() -> Network:
    return first_layers(vgg11(), 3)


def residual() -> Network:
    return resnet18((3, 8, 8))


@pytest.mark.parametrize("gating", sia_networks.GATINGS)
@pytest.mark.parametrize("rate", [0.1, 0.7, 1.0])
@pytest.mark.parametrize("build", [pooled, residual])
def test_every_gating_takes_the_cycles_of_the_closed_form(
    build: Callable[[], Network], rate: float, gating: str
) -> None:
    # Above a rate of 1/4 average pooling puts more than one event on most positions, each an operation of its own.
    network = build()
    hardware = load_hardware("sia_pynqz2", [f"core.gather.gating={gating}"])
    gather = hardware.units["core"].gather  # type: ignore[attr-defined]
    trace = dense_trace(network, 2) if rate == 1.0 else bernoulli_trace(network, 2, rate, seed=3)
    mapping = place(network, hardware)
    record = simulate(hardware, network, trace, mapping)
    layers = {layer: expected(network, layer, mapping, gather, trace) for layer in network.layers}
    assert record.cycles["core"].waits["compute"] == sum(x.cycles for x in layers.values())
    assert dict(record.work["synaptic_by_layer"]) == {layer: x.sop for layer, x in layers.items()}
    walked = sum(x.walked if gating == "none" else x.sop for x in layers.values())
    executed = sia_layer.executed_operations(record)
    assert executed == gather.ops_per_synapse * walked
    # No run may execute more than the array can.
    assert executed <= record.cycles["core"].waits["compute"] * 64 * gather.ops_per_pe_cycle


def check_replay(name: str, gating: str, activity: str, ops_per_synapse: int = 2) -> sia_networks.Replay:
    found = sia_networks.replay(name, gating, activity, ops_per_synapse=ops_per_synapse)
    assert misses(found.checks) == []
    assert found.weight_bytes == TOTALS[name].weights + 5_120 + (1_024 if name == "resnet18" else 0)
    assert sum(row["sop"] for row in found.layers) == found.sop
    assert sum(row["weight_bytes"] for row in found.layers) == found.weight_bytes
    assert 0 < found.utilization <= 1
    return found


def test_vgg11_computes_at_nearly_full_use() -> None:
    """Dense time at full use is 31.83 ms with one operation per position; only conv1 and fc do not divide evenly."""
    found = check_replay("vgg11", "none", "dense", ops_per_synapse=1)
    assert 31.83 <= found.compute_ms < 31.83 * 1.005
    assert found.ms > found.compute_ms


@pytest.mark.slow
@pytest.mark.parametrize("gating", sia_networks.GATINGS)
@pytest.mark.parametrize("activity", sia_networks.ACTIVITIES)
@pytest.mark.parametrize("name", list(sia_networks.NETWORKS))
def test_networks_with_every_gating(name: str, activity: str, gating: str) -> None:
    check_replay(name, gating, activity)


@pytest.mark.slow
def test_gating_orders_time_and_energy() -> None:
    none, energy, skip = (check_replay("resnet18", gating, "spikes") for gating in sia_networks.GATINGS)
    assert none.ms == energy.ms > skip.ms
    assert none.energy_mj > energy.energy_mj > skip.energy_mj
    assert none.sop == energy.sop == skip.sop


@pytest.mark.parametrize("hit", [True, False])
def test_command_prints_its_bar_last_and_says_when_it_is_missed(
    hit: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sia, "GATINGS", ("skip",))
    monkeypatch.setattr(sia, "ACTIVITIES", ("spikes",))
    monkeypatch.setattr(sia, "NETWORKS", {"vgg11": vgg11})
    if not hit:
        wrong = TOTALS["vgg11"]._replace(weights=1)
        monkeypatch.setitem(TOTALS, "vgg11", wrong)
    assert sia.main([]) == (0 if hit else 1)
    last = capsys.readouterr().out.splitlines()[-1]
    assert "exact checks hold" in last and last.endswith("passed" if hit else "MISSED")
    assert sia.main(["--json"]) == (0 if hit else 1)
    document = json.loads(capsys.readouterr().out)
    assert (document["passed"], document["label"]) == (hit, "reconstruction")
    assert document["held"] == document["checks"] - (0 if hit else 2)


@pytest.mark.parametrize("argv", [["--rate", "1.5"], ["--seed", "-1"]])
def test_command_refuses_what_is_no_rate_or_seed(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert sia.main(argv) == 2
    assert argv[1] in capsys.readouterr().err
