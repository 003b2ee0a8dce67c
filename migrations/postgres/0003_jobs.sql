-- Runs that somebody asked for. Several instances take them from here.
CREATE TABLE IF NOT EXISTS ash_thrash.jobs (
    id              TEXT        PRIMARY KEY,
    kind            TEXT        NOT NULL,               -- accuracy | load
    name            TEXT        NOT NULL,               -- the suite's or the scenario's
    target          TEXT        NOT NULL,
    priority        INTEGER     NOT NULL,
    requester       TEXT        NOT NULL,
    idempotency_key TEXT,
    state           TEXT        NOT NULL,               -- queued | running | finished | failed | cancelled | lost
    submitted_at    TIMESTAMPTZ NOT NULL,
    started_at      TIMESTAMPTZ,
    ended_at        TIMESTAMPTZ,
    attempt         INTEGER     NOT NULL DEFAULT 0,
    times_lost      INTEGER     NOT NULL DEFAULT 0,
    instance        TEXT,
    lease           TEXT,                               -- what only the one who runs it knows
    lease_until     TIMESTAMPTZ,
    cancelled_by    TEXT,
    run_id          TEXT,                               -- no reference: the record comes at the end, or never
    conclusion      TEXT,
    message         TEXT
);

CREATE UNIQUE INDEX IF NOT EXISTS jobs_idempotency_key ON ash_thrash.jobs (requester, idempotency_key);
CREATE INDEX IF NOT EXISTS jobs_submitted_at ON ash_thrash.jobs (submitted_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS jobs_queued ON ash_thrash.jobs (priority DESC, submitted_at, id) WHERE state = 'queued';
-- Promises that hold whatever the programs do: one load at a time, and one run at a time against each target.
CREATE UNIQUE INDEX IF NOT EXISTS jobs_one_load ON ash_thrash.jobs (kind) WHERE state = 'running' AND kind = 'load';
CREATE UNIQUE INDEX IF NOT EXISTS jobs_one_a_target ON ash_thrash.jobs (target) WHERE state = 'running';
