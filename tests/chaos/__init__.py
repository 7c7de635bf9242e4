"""Faults at random against a collector in its own process, and a judge who knows what was told."""
