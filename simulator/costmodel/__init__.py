"""Closed-form estimates: what a chip would do, without running it."""
