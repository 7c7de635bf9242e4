"""Log lines for a person at a terminal, or for the journal when that is what stderr leads to."""

import logging
import os
import sys

_PRIORITY = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}


class _ForTheJournal(logging.Formatter):
    """One line each, with the priority in front as sd-daemon(3) has it; the journal adds time."""

    def format(self, record: logging.LogRecord) -> str:
        text = " ".join(super().format(record).split())
        return f"<{_PRIORITY.get(record.levelno, 7)}>{text}"


def log_to_stderr() -> None:
    """Our own lines, from INFO on; gRPC's and asyncio's chatter stays out."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    handler = logging.StreamHandler(sys.stderr)
    if leads_to_journal(sys.stderr.fileno()):
        handler.setFormatter(_ForTheJournal("%(message)s"))
    else:
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname).1s %(message)s", "%Y-%m-%d %H:%M:%S")
        )
    logger = logging.getLogger("htlctop")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def leads_to_journal(descriptor: int) -> bool:
    """Whether the descriptor is the one that the service manager named in JOURNAL_STREAM."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
