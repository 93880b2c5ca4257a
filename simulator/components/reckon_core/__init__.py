"""The tick-driven recurrent core of ReckOn: its memory image, its two engines and its SimPy process."""
