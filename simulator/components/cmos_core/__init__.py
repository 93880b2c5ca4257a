"""The event-driven CMOS core: scatter and gather dataflows, each as a kernel and as a plain definition.

`core.py` runs tasks; `port.py` moves blocks of spikes between the shared spike memory and the core; a datapath
(`scatter.py`, `gather.py`, and their `_reference` twins) turns the blocks of one timestep into cycles and counts.
"""

from simulator.components.cmos_core.core import CmosCore

__all__ = ["CmosCore"]
