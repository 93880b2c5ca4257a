"""Networks on crossbars: which rows and columns of which array of which processing element hold which weights."""

from simulator.mapping.crossbar.block import RowBlock, Segment
from simulator.mapping.crossbar.layer import CrossbarLayer, Lane
from simulator.mapping.crossbar.part import CrossbarPart
from simulator.mapping.crossbar.plan import CrossbarPlan, crossbar_plan

__all__ = [
    "CrossbarLayer",
    "CrossbarPart",
    "CrossbarPlan",
    "Lane",
    "RowBlock",
    "Segment",
    "crossbar_plan",
]
