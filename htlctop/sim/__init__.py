"""A simulated LND, made up or recorded, over real gRPC with TLS and a macaroon."""
