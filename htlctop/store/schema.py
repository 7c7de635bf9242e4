"""The tables, and the steps that bring an older store up to date.

Times are ns since the epoch, amounts msat unless named `_sat`. Rows hold small ids; scids are
text, since an alias exceeds SQLite's signed 64 bits. Sequence numbers inside `htlc` are kept as
distances from the row's own, which makes them one to three bytes.
"""

import sqlite3
from pathlib import Path

from htlctop.domain.records import DAY, HOUR, QUARTER, WEEK

APPLICATION_ID = 0x68_74_6C_63  # "htlc"

_SUMS = """
    n INTEGER NOT NULL, fee_unknown INTEGER NOT NULL, fee INTEGER NOT NULL,
    demand INTEGER NOT NULL, recovered INTEGER NOT NULL,
    claims INTEGER NOT NULL, repeats INTEGER NOT NULL"""

_INITIAL = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE status (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    state TEXT NOT NULL, reason TEXT NOT NULL, attempt INTEGER NOT NULL, next_try INTEGER NOT NULL,
    pid INTEGER NOT NULL, alive_at INTEGER NOT NULL, queued INTEGER NOT NULL,
    shed INTEGER NOT NULL, events INTEGER NOT NULL, ignored INTEGER NOT NULL,
    last_event INTEGER NOT NULL, lag INTEGER NOT NULL,
    seq INTEGER NOT NULL, high INTEGER NOT NULL, generation INTEGER NOT NULL
);
INSERT INTO status VALUES (1, 'never started', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
CREATE TABLE peer (id INTEGER PRIMARY KEY, pubkey TEXT NOT NULL UNIQUE, alias TEXT NOT NULL);
CREATE TABLE channel (
    id INTEGER PRIMARY KEY, scid TEXT NOT NULL UNIQUE, peer INTEGER NOT NULL,
    alias_of INTEGER, is_open INTEGER NOT NULL, opened INTEGER NOT NULL, closed INTEGER
);
CREATE TABLE balance (
    channel INTEGER PRIMARY KEY, at INTEGER NOT NULL, capacity_sat INTEGER NOT NULL,
    local_sat INTEGER NOT NULL, remote_sat INTEGER NOT NULL, spendable_sat INTEGER NOT NULL,
    is_active INTEGER NOT NULL, is_private INTEGER NOT NULL
);
CREATE TABLE balance_history (
    channel INTEGER NOT NULL, at INTEGER NOT NULL, local_sat INTEGER NOT NULL,
    remote_sat INTEGER NOT NULL, PRIMARY KEY (channel, at)
) WITHOUT ROWID;
CREATE TABLE policy (
    channel INTEGER NOT NULL, at INTEGER NOT NULL, base INTEGER NOT NULL, ppm INTEGER NOT NULL,
    inbound_base INTEGER NOT NULL, inbound_ppm INTEGER NOT NULL, PRIMARY KEY (channel, at)
) WITHOUT ROWID;
CREATE TABLE limits (
    channel INTEGER NOT NULL, at INTEGER NOT NULL, min_htlc INTEGER NOT NULL,
    max_htlc INTEGER NOT NULL, delta INTEGER NOT NULL, is_disabled INTEGER NOT NULL,
    PRIMARY KEY (channel, at)
) WITHOUT ROWID;
CREATE VIEW policy_now AS
    SELECT * FROM policy AS p WHERE at = (SELECT max(at) FROM policy WHERE channel = p.channel);
CREATE VIEW limits_now AS
    SELECT * FROM limits AS l WHERE at = (SELECT max(at) FROM limits WHERE channel = l.channel);
CREATE TABLE coverage (
    id INTEGER PRIMARY KEY, start INTEGER NOT NULL, until INTEGER NOT NULL,
    ended_by TEXT, shed INTEGER NOT NULL
);
CREATE TABLE htlc (
    seq INTEGER PRIMARY KEY, in_channel INTEGER NOT NULL, in_htlc INTEGER NOT NULL,
    out_channel INTEGER NOT NULL, out_htlc INTEGER NOT NULL, at INTEGER NOT NULL,
    event_type INTEGER NOT NULL, outcome INTEGER NOT NULL, category INTEGER NOT NULL,
    forwarded INTEGER NOT NULL, wire INTEGER, detail INTEGER,
    in_msat INTEGER NOT NULL, out_msat INTEGER NOT NULL,
    took INTEGER, outcome_after INTEGER, final_after INTEGER, claim_before INTEGER,
    best_msat INTEGER, usable_msat INTEGER, usable_age INTEGER, source INTEGER
);
CREATE UNIQUE INDEX htlc_circuit ON htlc (in_channel, in_htlc) WHERE in_channel > 0;
CREATE INDEX htlc_send ON htlc (out_channel, out_htlc) WHERE in_channel = 0;
CREATE INDEX htlc_open ON htlc (at, outcome) WHERE outcome IN (0, 4) AND event_type = 3;
CREATE INDEX htlc_out ON htlc (out_channel);
CREATE INDEX htlc_settled ON htlc (out_channel, out_msat) WHERE category = 1;
CREATE TABLE claim (
    seq INTEGER PRIMARY KEY, pool INTEGER NOT NULL, in_peer INTEGER NOT NULL,
    out_peer INTEGER NOT NULL, amount INTEGER NOT NULL, fee INTEGER NOT NULL,
    recovered INTEGER NOT NULL, opened_after INTEGER NOT NULL, last_after INTEGER NOT NULL,
    is_repeat INTEGER NOT NULL, is_success INTEGER NOT NULL, is_open INTEGER NOT NULL
);
CREATE INDEX claim_pair ON claim (in_peer, out_peer, amount);
CREATE INDEX claim_open ON claim (seq) WHERE is_open = 1;
CREATE TABLE by_channel (
    span INTEGER NOT NULL, start INTEGER NOT NULL, channel INTEGER NOT NULL,
    category INTEGER NOT NULL, {_SUMS},
    PRIMARY KEY (span, start, channel, category)
) WITHOUT ROWID;
CREATE TABLE by_pair (
    span INTEGER NOT NULL, start INTEGER NOT NULL, channel INTEGER NOT NULL,
    in_peer INTEGER NOT NULL, category INTEGER NOT NULL, {_SUMS},
    PRIMARY KEY (span, start, channel, in_peer, category)
) WITHOUT ROWID;
"""

_ADVICE = """
CREATE TABLE mark (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, peer INTEGER NOT NULL, text TEXT NOT NULL
);
CREATE INDEX mark_at ON mark (at);
CREATE TABLE activity (
    channel INTEGER NOT NULL, at INTEGER NOT NULL, is_active INTEGER NOT NULL,
    PRIMARY KEY (channel, at)
) WITHOUT ROWID;
INSERT INTO activity SELECT channel, at, is_active FROM balance;
CREATE INDEX claim_peer ON claim (out_peer, pool) WHERE pool IN (1, 2);
"""

_PENDING = """
CREATE TABLE pending (
    channel INTEGER NOT NULL, is_incoming INTEGER NOT NULL, amount INTEGER NOT NULL,
    expiry INTEGER NOT NULL
);
CREATE INDEX pending_expiry ON pending (expiry);
"""

_ADD_UP = (
    "sum(n), sum(fee_unknown), sum(fee), sum(demand), sum(recovered), sum(claims), sum(repeats)"
)
_READING = f"""
CREATE TABLE news (generation INTEGER PRIMARY KEY, cells BLOB NOT NULL);
ALTER TABLE status ADD COLUMN books INTEGER NOT NULL DEFAULT 0;
INSERT INTO by_channel SELECT {QUARTER}, start / 6, channel, category, {_ADD_UP}
    FROM by_channel WHERE span = {HOUR} GROUP BY start / 6, channel, category;
INSERT INTO by_channel SELECT {WEEK}, start / 7, channel, category, {_ADD_UP}
    FROM by_channel WHERE span = {DAY} GROUP BY start / 7, channel, category;
"""

_IN_FLIGHT = """
CREATE TABLE pending_history (
    at INTEGER PRIMARY KEY, n INTEGER NOT NULL, amount INTEGER NOT NULL
);
"""

_FLOWS = """
CREATE INDEX htlc_left ON htlc (out_channel) WHERE category = 1;
CREATE INDEX htlc_came ON htlc (in_channel) WHERE category = 1;
"""

MIGRATIONS = (_INITIAL, _ADVICE, _PENDING, _READING, _IN_FLIGHT, _FLOWS)
"""Step k brings a store from version k to k + 1; the version is SQLite's user_version."""
VERSION = len(MIGRATIONS)


def prepare(path: Path) -> int:
    """Bring a locked store to this version, each step in its own transaction.

    Returns the time of the newest event it holds, ns, 0 for none. Raises sqlite3.Error.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if not version:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # waits for who writes
        connection.execute("PRAGMA journal_mode = WAL")
        for step in range(version, VERSION):
            connection.executescript(
                f"BEGIN IMMEDIATE;{MIGRATIONS[step]}"
                f"PRAGMA application_id = {APPLICATION_ID};"
                f"PRAGMA user_version = {step + 1};COMMIT;"
            )
        (newest,) = connection.execute("SELECT last_event FROM status").fetchone()
        return int(newest)
    finally:
        connection.close()
