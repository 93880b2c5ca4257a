"""Mappings: where each layer lives, how it is cut into tiles, and the schedule of tasks that follows from it."""

from simulator.mapping.capacity import check_mapping
from simulator.mapping.crossbar.entry import CrossbarMapping
from simulator.mapping.file import dump_mapping, load_mapping
from simulator.mapping.lower import lower
from simulator.mapping.mapping import LayerMapping, Mapping
from simulator.mapping.place import place
from simulator.mapping.schedule import Schedule

__all__ = [
    "CrossbarMapping",
    "LayerMapping",
    "Mapping",
    "Schedule",
    "check_mapping",
    "dump_mapping",
    "load_mapping",
    "lower",
    "place",
]
