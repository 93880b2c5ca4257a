"""Layers cut into computation nodes that share one global buffer: time batching, fusion by columns, evictions."""

from simulator.mapping.fusion.entry import FUSED_CHOICES, FusedMapping, Fusion
from simulator.mapping.fusion.lower import lower_fused
from simulator.mapping.fusion.place import blocks_of, fused_entries

__all__ = ["FUSED_CHOICES", "FusedMapping", "Fusion", "blocks_of", "fused_entries", "lower_fused"]
