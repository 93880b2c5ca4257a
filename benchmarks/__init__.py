"""Benchmarks: accuracy beside recordings, speed beside peers.  Each is a command: `python -m benchmarks.NAME`."""
