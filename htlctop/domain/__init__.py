"""What the numbers mean. Pure: standard library only, no I/O."""
