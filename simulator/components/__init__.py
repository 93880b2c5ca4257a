"""Hardware units: one per file, specification in, SimPy processes out.  `machine` wires them; none imports another."""
