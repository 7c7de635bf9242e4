"""What to do about it: opportunities, as values with the figures they came from."""
