"""Benchmarks: accuracy beside recordings, speed beside peers.  Each module is a command: `python -m benchmarks.NAME`."""
