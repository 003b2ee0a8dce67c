-- Runs that somebody asked for. Times are UTC.
CREATE TABLE jobs (
    id              TEXT    PRIMARY KEY,
    kind            TEXT    NOT NULL,               -- accuracy | load
    name            TEXT    NOT NULL,               -- the suite's or the scenario's
    target          TEXT    NOT NULL,
    priority        INTEGER NOT NULL,
    requester       TEXT    NOT NULL,
    idempotency_key TEXT,
    state           TEXT    NOT NULL,               -- queued | running | finished | failed | cancelled | lost
    submitted_at    TEXT    NOT NULL,
    started_at      TEXT,
    ended_at        TEXT,
    attempt         INTEGER NOT NULL DEFAULT 0,
    times_lost      INTEGER NOT NULL DEFAULT 0,
    instance        TEXT,
    lease           TEXT,                           -- what only the one who runs it knows
    lease_until     INTEGER,                        -- milliseconds since 1970
    cancelled_by    TEXT,
    run_id          TEXT,                           -- no reference: the record comes at the end, or never
    conclusion      TEXT,
    message         TEXT
);

CREATE UNIQUE INDEX jobs_idempotency_key ON jobs (requester, idempotency_key);
CREATE INDEX jobs_submitted_at ON jobs (submitted_at DESC, id DESC);
CREATE INDEX jobs_queued ON jobs (priority DESC, submitted_at, id) WHERE state = 'queued';
-- Promises that hold whatever the program does: one load at a time, and one run at a time against each target.
CREATE UNIQUE INDEX jobs_one_load ON jobs (kind) WHERE state = 'running' AND kind = 'load';
CREATE UNIQUE INDEX jobs_one_a_target ON jobs (target) WHERE state = 'running';
