-- Where a load run and its workers meet while it goes on. The rows go when it is over; its record is kept like any other.
CREATE TABLE IF NOT EXISTS ash_thrash.load_jobs (
    run_id      TEXT        PRIMARY KEY,
    job         TEXT        NOT NULL UNIQUE,      -- the name by which workers find it
    shards      INTEGER     NOT NULL,
    orders      TEXT        NOT NULL,             -- the scenario, and what the workers' own files have to be
    seen_at     TIMESTAMPTZ NOT NULL,             -- when whoever began the run was last heard of
    load        INTEGER     NOT NULL DEFAULT 0,   -- which of its loads is next or under way; a search has several
    load_orders TEXT,
    starts_at   TIMESTAMPTZ,                      -- when all workers begin
    stop        TEXT                              -- drain | abort
);

CREATE TABLE IF NOT EXISTS ash_thrash.load_shards (
    run_id  TEXT        NOT NULL REFERENCES ash_thrash.load_jobs (run_id) ON DELETE CASCADE,
    shard   INTEGER     NOT NULL,
    worker  TEXT        NOT NULL,                 -- the process that has it, by a number of its own
    seen_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (run_id, shard)
);

-- What workers tell: that they are ready, what they see, and in the end all that they counted.
CREATE TABLE IF NOT EXISTS ash_thrash.load_news (
    run_id TEXT    NOT NULL REFERENCES ash_thrash.load_jobs (run_id) ON DELETE CASCADE,
    shard  INTEGER NOT NULL,
    number BIGINT  NOT NULL,
    body   TEXT    NOT NULL,
    PRIMARY KEY (run_id, shard, number)
);
