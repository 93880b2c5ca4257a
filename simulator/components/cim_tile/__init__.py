"""The bank of RRAM compute-in-memory tiles: what its vectors cost, and when they, partial sums and spikes flow."""
