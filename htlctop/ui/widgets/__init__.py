"""Widgets: they paint lines of text and touch only the lines that changed."""
