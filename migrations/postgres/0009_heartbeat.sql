-- One row that is written again and again: whether the database takes what is written.
CREATE TABLE IF NOT EXISTS ash_thrash.heartbeat (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    beats BIGINT  NOT NULL
);
