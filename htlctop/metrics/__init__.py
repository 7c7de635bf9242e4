"""What a store holds as Prometheus metrics, and whether its collector is well, over HTTP."""
