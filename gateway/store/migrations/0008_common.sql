-- Records of sessions without what they have in common: that is written once a transaction.

-- `common` is a JSON array of objects, one for each kind of record in the row; `data` is MessagePack, an array
-- of `count` entries: which of them, when the session ended, and what only this record has. Where `common` is
-- empty, `data` is as before.
ALTER TABLE details ADD COLUMN common BLOB;
