"""Main memory: a simple server, and channels with banks, rows and refresh behind their controllers."""

from simulator.components.dram.server import Dram

__all__ = ["Dram"]
