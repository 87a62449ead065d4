-- What people have to do, what subscribers said of us, and who was here about what.

-- number has no gaps: it is told to the subscriber. Notes, trail and messages are sealed in data.
CREATE TABLE task (
    number     INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL,
    queue      TEXT NOT NULL,
    state      TEXT NOT NULL,
    open       INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    due        INTEGER NOT NULL,
    arrival    INTEGER NOT NULL,
    closed_at  INTEGER,
    key        TEXT NOT NULL,
    subscriber TEXT NOT NULL,
    code       TEXT NOT NULL,
    topic      TEXT NOT NULL,
    session    TEXT NOT NULL,
    data       BLOB NOT NULL
);
CREATE INDEX task_open ON task (queue, arrival) WHERE open = 1;
CREATE INDEX task_key ON task (key);
CREATE INDEX task_closed ON task (closed_at) WHERE open = 0;
CREATE INDEX task_subscriber ON task (subscriber, at);

-- score is empty for a question that was asked and not answered. data is who said it, sealed; it goes first.
CREATE TABLE rating (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    flow    TEXT NOT NULL,
    topic   TEXT NOT NULL,
    score   INTEGER,
    low     INTEGER NOT NULL,
    high    INTEGER NOT NULL,
    channel TEXT NOT NULL,
    data    BLOB
);
CREATE INDEX rating_topic ON rating (flow, topic, at);
CREATE INDEX rating_age ON rating (at);

-- One row for each session about a topic that has ended; who is a keyed hash of the number.
CREATE TABLE contact (
    id    INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    topic TEXT NOT NULL,
    who   BLOB NOT NULL
);
CREATE INDEX contact_who ON contact (who, topic, at);
CREATE INDEX contact_age ON contact (at);
