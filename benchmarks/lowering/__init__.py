"""Benchmarks of several ways to compute one operation: `python -m benchmarks.lowering`."""
