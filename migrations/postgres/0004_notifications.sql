-- What people were told, what is still to be sent, and when schedules ran.

-- How each series of runs stands: a row is changed only by one who knows its version.
CREATE TABLE IF NOT EXISTS ash_thrash.alerts (
    series     TEXT        PRIMARY KEY,         -- suite, target, environment and kind, as JSON
    version    BIGINT      NOT NULL,
    state      TEXT        NOT NULL,            -- as JSON
    episode    TEXT,                            -- the trouble that people know of; null while there is none
    changed_at TIMESTAMPTZ NOT NULL
);

-- Messages, one a channel. Who sends one holds it until `lease_until`; a message of a series waits for the one before.
CREATE TABLE IF NOT EXISTS ash_thrash.outbox (
    id          BIGSERIAL   PRIMARY KEY,
    key         TEXT        NOT NULL UNIQUE,    -- the same message to the same channel is there once
    channel     TEXT        NOT NULL,
    series      TEXT        NOT NULL,
    episode     TEXT        NOT NULL,
    urgent      BOOLEAN     NOT NULL,
    body        TEXT        NOT NULL,           -- as JSON; no phrase text, no secret
    state       TEXT        NOT NULL,           -- waiting | sent | cancelled | given_up
    created_at  TIMESTAMPTZ NOT NULL,
    due_at      TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ,
    attempts    BIGINT      NOT NULL DEFAULT 0,
    tried_at    TIMESTAMPTZ,
    ended_at    TIMESTAMPTZ,
    error       TEXT
);

CREATE INDEX IF NOT EXISTS outbox_waiting ON ash_thrash.outbox (channel, series, id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS outbox_tried_at ON ash_thrash.outbox (channel, tried_at);
CREATE INDEX IF NOT EXISTS outbox_episode ON ash_thrash.outbox (series, episode);

CREATE TABLE IF NOT EXISTS ash_thrash.schedules (
    name       TEXT        PRIMARY KEY,
    line       TEXT        NOT NULL,            -- the cron line and its zone
    enabled    BOOLEAN,                         -- what somebody said at run time; null is as configured
    seen_at    TIMESTAMPTZ NOT NULL,            -- times up to this one are done with
    last_at    TIMESTAMPTZ,                     -- the newest time that was run
    changed_at TIMESTAMPTZ NOT NULL
);
