"""A made-up routing node: its channels, the people who pay through it, and all that it says.

A discrete-event simulation on a seed alone: no wall clock, no I/O, the same bytes every time.
"""
