"""Measurements, run by hand: `python -m tests.bench [NAME…] [--quick]` prints one table."""
