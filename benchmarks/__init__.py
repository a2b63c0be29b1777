"""Side-by-side measurements: `python -m benchmarks attention | inference | metrics`."""
