"""Reader + (as_of, window, filter) -> frozen view models; the formulas behind every number."""
