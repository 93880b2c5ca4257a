"""Closed form of a neurosynaptic core (ODIN class): a sweep over all neurons per event and per timestep.

In cycles, with N neurons of a sweep, request delay q of the sender, and o = 6 + the receiver's delays:

first word of a timestep   q + 2          its request passes two flip-flops
event from outside         q + 5          decision, push, handshake; then the sweep of its neurons
sweep of an event          2 N + 1        a cycle of decision, a read and a write cycle per neuron
                           + 1            tinyODIN pops the FIFO in a cycle of its own
time reference             2 N + q + 4    a sweep of its own, then the end of its handshake
spike                      o              the sweep stands while its address leaves
spike in a closed loop                    one more sweep

They add up: one controller does everything, and queued events wait for it.  Spikes that a full FIFO would lose are
priced as if it had room.  With source addresses on the output, it is neuron events instead of spikes that leave.
"""

from __future__ import annotations

from typing import Any

from simulator.costmodel.chip import Term
from simulator.costmodel.tally import REPETITION
from simulator.costmodel.whole import WholeChip, refuse_image
from simulator.mapping.neurosynaptic import Place, addresses, biased, check_shapes

PER_WORD = 8
"""Synapses of a word of the synapse memory."""
SYNCHRONISED, PUSHED, RETURNED, SENT = 2, 5, 4, 6
"""Cycles of handshakes, each plus the neighbour's delays: until a request is seen; of an event pushed; after a time
reference; of an address that leaves."""


class NeurosynapticChip(WholeChip):
    """A network on a `neurosynaptic_core`; see `chip.Chip`.

    The spikes of the activity are those that the core itself fires: it decides within a timestep, event by event.
    """

    parts = (
        Term("neurosynaptic_core.events", 1.0, "sweeps over all neurons for events from outside"),
        Term("neurosynaptic_core.recurrent", 1.0, "sweeps for spikes that came back through the FIFO"),
        Term("neurosynaptic_core.ticks", 1.0, "sweeps of time references"),
        Term("neurosynaptic_core.handshake", 1.0, "input handshakes that no sweep hides"),
        Term("neurosynaptic_core.output", 1.0, "sweeps that stand while an address leaves"),
    )
    active = "clock:cycle"

    def __init__(self, schedule: Any, hardware: Any, network: Any, unit: str, actions: tuple[str, ...]) -> None:
        spec = hardware.units[unit]
        refuse_image(unit, spec)
        check_shapes(unit, spec, network)
        super().__init__(schedule, hardware, network, unit, actions)

    def fill(self) -> None:
        """Timesteps, then events of the inputs and biases, then spikes of the layers."""
        spec, live = self.spec, self.stream(None)
        self.neurons = spec.last_neuron + 1
        self.wide = spec.dialect == "odin"
        self.busy = SENT + spec.acknowledge_delay_cycles + spec.release_delay_cycles
        q = spec.request_delay_cycles
        layer = self.layer
        # The first word of a sample finds no handshake before it: its request is raised in cycle 1.
        self._clocked("handshake", REPETITION, 1 - q)
        self._clocked("handshake", live, q + SYNCHRONISED + q + RETURNED)
        self._clocked("ticks", live, 2 * self.neurons)
        self.count(0, "clock:cycle", REPETITION, self.launch_cycles)
        self.count(layer, "accept:spike", live, 1)
        self.count(layer, "update:state", live, self.neurons)
        for verb in ("read", "write"):
            self.count(layer, f"{verb}:state", live, self.neurons * spec.state_word_bits)
        places = addresses(self.network)
        for name, place in places.items():
            stream = self.stream(name)
            if self.network.population(name).is_input:
                self._pushed(stream, place)
            else:
                # It fires in the sweeps of events for it, which are charged to one layer each.
                fired = min(places[p.source].charged for p in self.network.incoming(name))
                self._fires(stream, place, self.layer + fired if fired else 0)
        if biased(self.network):
            self._pushed(live, Place(0, 1, 0))

    def _clocked(self, part: str, stream: int, cycles: float, layer: int = 0) -> None:
        """Cycles of the controller; the clock runs in all of them."""
        self.charge(part, stream, cycles, layer, active=True)

    def _pushed(self, stream: int, place: Place) -> None:
        """Events from outside, one per neuron of a place and event of its stream."""
        times = place.size
        self._clocked("handshake", stream, times * (self.spec.request_delay_cycles + PUSHED))
        self.count(self.layer, "accept:spike", stream, times)
        self._swept("events", stream, place)

    def _fires(self, stream: int, place: Place, row: int) -> None:
        """Spikes of a layer: on the output, and back through the FIFO where the loop is closed.

        row: of the ledger, of the layer in whose sweeps it fires; 0 for the one that works all the time.
        """
        spec, times = self.spec, place.size
        if not spec.source_addresses:
            self.count(self.layer, "send:spike", stream, times)
            self._clocked("output", stream, times * self.busy, row)
            last = place.first <= spec.last_neuron < place.first + place.size
            self.count(self.layer, "read:state", stream, (times - last) * self.busy * spec.state_word_bits)
            # While a sweep stands, the memory of the next neuron's weights is read again if a word begins there.
            ends = sum((n + 1) % PER_WORD == 0 for n in range(place.first, place.first + times)) - (
                last and self.neurons % PER_WORD == 0
            )
            self.count(self.layer, "read:weight", stream, ends * self.busy * spec.weight_word_bits)
        if not spec.open_loop:
            self._swept("recurrent", stream, place)

    def _swept(self, part: str, stream: int, place: Place) -> None:
        """Sweeps of neuron events that went through the FIFO."""
        spec, times = self.spec, place.size
        row = self.layer + place.charged if place.charged else 0
        self.count(self.layer, "fifo:spike", stream, times)
        self.count(self.layer + place.charged, "accumulate:partial_sum", stream, times * self.neurons)
        for verb in ("read", "write"):
            self.count(self.layer, f"{verb}:state", stream, times * self.neurons * spec.state_word_bits)
        words = -(-self.neurons // PER_WORD) * spec.weight_word_bits
        self.count(self.layer, "read:weight", stream, times * words * (1 if self.wide else 2))
        if self.wide:
            self.count(self.layer, "write:weight", stream, times * words)
        self._clocked(part, stream, times * 2 * self.neurons, row)
        self._clocked(part, stream, times * (1 if self.wide else 2))
        monitored = spec.monitored <= spec.last_neuron
        if spec.source_addresses and (monitored or not self.wide):
            self.count(self.layer, "send:spike", stream, times)
            self._clocked("output", stream, times * self.busy, row if self.wide else 0)
            if self.wide and spec.monitored < spec.last_neuron:
                self.count(self.layer, "read:state", stream, times * self.busy * spec.state_word_bits)
                again = (spec.monitored + 1) % PER_WORD == 0
                self.count(self.layer, "read:weight", stream, times * again * self.busy * spec.weight_word_bits)
