"""Tests of neurocycle; see CONTRIBUTING.md for the tiers and how each is run."""
