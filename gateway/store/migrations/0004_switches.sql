-- What staff have switched by hand, who did it, one record for each session, and which messages nobody asked for.

-- kind and name say what is switched: (off, flow), (block, number), (allow, flow and number), (announce, "").
CREATE TABLE switch (
    kind  TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    at    INTEGER NOT NULL,
    who   TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    who    TEXT NOT NULL,
    act    TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX audit_age ON audit (at);

-- number has no gaps: SQLite gives the next one, a rolled back transaction uses none, the highest row stays.
CREATE TABLE detail (
    number INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    data   BLOB NOT NULL
);
CREATE INDEX detail_age ON detail (at);

ALTER TABLE outbox ADD COLUMN unasked INTEGER NOT NULL DEFAULT 0;
