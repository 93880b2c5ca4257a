"""An array of processing elements that works through computation nodes from one global buffer."""

from simulator.components.pe_array.array import PeArray

__all__ = ["PeArray"]
