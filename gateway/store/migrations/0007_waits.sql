-- One row for each wait in a queue of calls that has ended; nothing in it tells of whom.

-- arrival, waited and talk in milliseconds; how is answered, abandoned, timeout or other.
CREATE TABLE wait (
    id      INTEGER PRIMARY KEY,
    queue   TEXT NOT NULL,
    arrival INTEGER NOT NULL,
    waited  INTEGER NOT NULL,
    how     TEXT NOT NULL,
    talk    INTEGER NOT NULL
);
CREATE INDEX wait_age ON wait (arrival);
