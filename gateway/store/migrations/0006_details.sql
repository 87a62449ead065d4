-- Records of sessions, all those of one transaction in one row. The rows of `detail` come before them.

-- Numbered from `first` on without gaps; `at` is the time of the youngest, `data` a JSON array of
-- `count` pairs: when the session ended and its record.
CREATE TABLE details (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    data  BLOB NOT NULL
);
CREATE INDEX details_age ON details (at);
