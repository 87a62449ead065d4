-- Turns are written down a transaction at a time: one row for all of them instead of two rows for each.

-- Journal rows of plain turns, numbered from `first` on without gaps; `at` is the time of the youngest.
CREATE TABLE IF NOT EXISTS turns (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    data  BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS turns_age ON turns (at);

-- The sessions as each transaction left them. What is still true of the oldest goes into `session` after a
-- while, and the row goes: a session is what its latest row here says, or else its row there.
CREATE TABLE IF NOT EXISTS state (
    number INTEGER PRIMARY KEY,
    data   BLOB NOT NULL
);
