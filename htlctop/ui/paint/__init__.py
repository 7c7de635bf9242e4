"""Painters: pure functions from a view model and a size to lines of text."""
