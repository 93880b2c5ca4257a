"""The time engine: integer picoseconds, two-phase cycles, levels, arbiters, links with credits.

The contract that every part here obeys stands in `levels.py`.
"""
