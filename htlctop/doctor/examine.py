"""Every check in the order in which things can go wrong; what follows a failure is skipped."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from htlctop.config import Connection
from htlctop.doctor.check import Check, Verdict, skip
from htlctop.doctor.files import check_certificate, check_macaroon
from htlctop.doctor.local import check_store, check_terminal
from htlctop.doctor.node import check_node
from htlctop.doctor.reach import check_way


async def examine(
    connection: Connection, store: Path, environ: Mapping[str, str]
) -> AsyncIterator[Check]:
    """The checks one by one, each as soon as it is known. Nothing is changed anywhere."""
    certificate = check_certificate(connection)
    yield certificate
    for check in check_macaroon(connection):
        yield check
    way = await asyncio.to_thread(lambda: list(check_way(connection, environ)))
    for check in way:
        yield check
    if any(check.verdict is Verdict.FAIL for check in (certificate, *way)):
        yield skip("node", "not asked, since it is not reached safely")
    else:
        async for check in check_node(connection):
            yield check
    for check in check_store(store):
        yield check
    yield check_terminal(environ)
