"""The bank of RRAM compute-in-memory tiles: what its vectors cost, and when they, partial sums and spikes flow.

`tile.py` runs the jobs of a segment; `vectors.py` says what each input vector takes and counts; `assembly.py` puts
vectors, windows and spikes of the layers together into a `segment.py`; `flow.py` and its plain twin
`flow_reference.py` run that.  `function.py` makes the spikes of a computing run, `program.py` writes the weights.
"""

from simulator.components.cim_tile.tile import CimTile

__all__ = ["CimTile"]
