"""Published cost models, each in its own file with its source; none of them is corrected or calibrated.

`MODELS` asks them all the same question: the time and the energy of a run.  What a source says nothing about is None.
"""

from simulator.costmodel.published import lemaire, operations, roofline, spikesim_ela, stems_zigzag
from simulator.costmodel.published.model import PublishedModel

MODELS: tuple[PublishedModel, ...] = (
    operations.MODEL,
    lemaire.MODEL,
    spikesim_ela.MODEL,
    stems_zigzag.MODEL,
    roofline.MODEL,
)

__all__ = ["MODELS", "PublishedModel"]
