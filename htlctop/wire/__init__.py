"""LND's language: our own .proto files, a client that can only read, decoding, recordings."""

import os

# gRPC's core writes its log to the terminal; what it has to say comes with the error too.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
