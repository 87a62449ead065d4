-- The first form of the store. All times are UTC in milliseconds.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE session (
    key     TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    due     INTEGER,
    sealed  INTEGER NOT NULL,
    data    BLOB NOT NULL
) WITHOUT ROWID;

-- id has no gaps: the rows of a lost group or a failed commit never get a number.
CREATE TABLE journal (
    id        INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    session   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    retention TEXT NOT NULL,
    source    TEXT,
    sealed    INTEGER NOT NULL,
    data      BLOB NOT NULL,
    answer    BLOB
);
CREATE INDEX journal_source ON journal (source) WHERE source IS NOT NULL;
CREATE INDEX journal_age ON journal (retention, at);

CREATE TABLE outbox (
    id         TEXT PRIMARY KEY,
    at         INTEGER NOT NULL,
    subscriber TEXT NOT NULL,
    sender     TEXT NOT NULL,
    link       TEXT NOT NULL,
    session    TEXT NOT NULL,
    state      TEXT NOT NULL,
    final      INTEGER NOT NULL,
    secret     INTEGER NOT NULL,
    tries      INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    error      TEXT NOT NULL,
    ids        BLOB NOT NULL,
    body       BLOB
) WITHOUT ROWID;
CREATE INDEX outbox_open ON outbox (next_at) WHERE final = 0;
CREATE INDEX outbox_age ON outbox (at) WHERE final = 1;

-- Which message of ours a centre's message id means, for receipts.
CREATE TABLE message (
    link       TEXT NOT NULL,
    message_id TEXT NOT NULL,
    outbox_id  TEXT NOT NULL,
    part       INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (link, message_id)
) WITHOUT ROWID;
CREATE INDEX message_age ON message (at);

-- One row for each order of money or of anything else that must happen once.
CREATE TABLE ledger (
    key       TEXT PRIMARY KEY,
    identity  TEXT NOT NULL,
    caller    TEXT NOT NULL,
    operation TEXT NOT NULL,
    state     TEXT NOT NULL,
    open      INTEGER NOT NULL,
    asked_at  INTEGER NOT NULL,
    useful_to INTEGER NOT NULL,
    closed_at INTEGER,
    error     TEXT NOT NULL,
    attempts  INTEGER NOT NULL,
    sealed    INTEGER NOT NULL,
    data      BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX ledger_identity ON ledger (identity, asked_at);
CREATE INDEX ledger_open ON ledger (key) WHERE open = 1;
CREATE INDEX ledger_useful ON ledger (useful_to);
CREATE INDEX ledger_caller ON ledger (caller, asked_at);

CREATE TABLE memory (
    id      INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    name    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    until   INTEGER
);
CREATE INDEX memory_subject ON memory (subject, name);
CREATE INDEX memory_until ON memory (until) WHERE until IS NOT NULL;

CREATE TABLE schedule (
    id     TEXT PRIMARY KEY,
    due    INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    sealed INTEGER NOT NULL,
    data   BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX schedule_due ON schedule (due);

CREATE TABLE once (
    kind TEXT NOT NULL,
    id   TEXT NOT NULL,
    at   INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX once_age ON once (at);
