"""Screens: they compose widgets and hand each its painter."""
