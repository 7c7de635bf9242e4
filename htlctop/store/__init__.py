"""SQL and nothing else: the local store of one node's HTLCs, written by one, read by many."""
