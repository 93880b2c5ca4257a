"""The tick-driven recurrent core of ReckOn: its memory image, its two engines and its SimPy process."""

from simulator.components.reckon_core.core import ReckonCore

__all__ = ["ReckonCore"]
