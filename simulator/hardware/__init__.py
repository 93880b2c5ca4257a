"""Machines: clocks, units and constants with their sources, and the YAML files they come from."""

from simulator.hardware.action import Action
from simulator.hardware.constant import Constant
from simulator.hardware.hardware import Hardware
from simulator.hardware.load import load_hardware, parse_hardware
from simulator.hardware.registry import unit_type, unit_types
from simulator.hardware.schema import json_schema
from simulator.hardware.specs.base import UnitSpec

__all__ = [
    "Action",
    "Constant",
    "Hardware",
    "UnitSpec",
    "json_schema",
    "load_hardware",
    "parse_hardware",
    "unit_type",
    "unit_types",
]
