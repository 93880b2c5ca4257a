"""Main memory: a simple server, and channels with banks, rows and refresh behind their controllers.

`server.py` is the simple form.  Of the other, `plain.py` is the definition of a channel and `stepped.py` puts it to
use; `tables.py` makes the arrays of the kernel, `island.py` runs it ahead and back, `banked.py` is the unit; `trace.py`
drives a channel without a machine, `schedule.py` writes its commands down.
"""

from simulator.components.dram.banked import BankedDram
from simulator.components.dram.server import Dram

__all__ = ["BankedDram", "Dram"]
