"""Puts a store, a collector and the analysis together, without a screen: the Python API."""

from htlctop.service.collecting import collect
from htlctop.service.ingesting import Ingested, ingest
from htlctop.service.session import LocalSession, open_analyst

__all__ = ["Ingested", "LocalSession", "collect", "ingest", "open_analyst"]
