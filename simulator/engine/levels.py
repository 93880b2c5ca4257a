"""Order of simultaneous things: the levels of one instant.

An instant has two phases.  Phase 1 (levels 0 and 1): arrivals, completions, releases, requests; their mutual order
must not matter.  Phase 2 (levels 2 and up): grants, level by level; what was granted continues at once at level 1 and
may request only at higher levels in the same instant.  Levels are SimPy priorities, so they cost nothing.
A release and a request of one instant: the release counts.  Ties inside an arbiter fall by (request time, id).
"""

URGENT = 0
PHASE1 = 1
GRANT_BANK = 2
"""Membrane banks inside a core."""
GRANT_ENGINE = 3
"""Synapse engines of a core."""
GRANT_SRAM = 4
"""Ports and banks of a shared SRAM."""
GRANT_DRAM = 5
"""DRAM channels."""
GRANT_LINK = 6
"""Links and routers of a network on chip."""
BARRIER = 7
"""Barriers between timesteps, samples and layers."""
