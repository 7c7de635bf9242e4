"""A simulated LND that plays a recording over real gRPC, with TLS and a macaroon."""
