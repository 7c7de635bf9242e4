"""Puts a store, a collector and the analysis together, without a screen: the Python API."""

from htlctop.service.api import OpportunityService
from htlctop.service.collecting import collect
from htlctop.service.events import EventStream
from htlctop.service.ingesting import Ingested, ingest, ingest_played
from htlctop.service.session import LocalSession, open_analyst

__all__ = [
    "EventStream",
    "Ingested",
    "LocalSession",
    "OpportunityService",
    "collect",
    "ingest",
    "ingest_played",
    "open_analyst",
]
