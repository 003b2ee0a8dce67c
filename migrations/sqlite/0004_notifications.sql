-- What people were told, what is still to be sent, and when schedules ran. Times are milliseconds since 1970.

-- How each series of runs stands: a row is changed only by one who knows its version.
CREATE TABLE alerts (
    series     TEXT    PRIMARY KEY,         -- suite, target, environment and kind, as JSON
    version    INTEGER NOT NULL,
    state      TEXT    NOT NULL,            -- as JSON
    episode    TEXT,                        -- the trouble that people know of; null while there is none
    changed_at INTEGER NOT NULL
);

-- Messages, one a channel. Who sends one holds it until `lease_until`; a message of a series waits for the one before.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY,
    key         TEXT    NOT NULL UNIQUE,    -- the same message to the same channel is there once
    channel     TEXT    NOT NULL,
    series      TEXT    NOT NULL,
    episode     TEXT    NOT NULL,
    urgent      INTEGER NOT NULL,
    body        TEXT    NOT NULL,           -- as JSON; no phrase text, no secret
    state       TEXT    NOT NULL,           -- waiting | sent | cancelled | given_up
    created_at  INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    lease_until INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    tried_at    INTEGER,
    ended_at    INTEGER,
    error       TEXT
);

CREATE INDEX outbox_waiting ON outbox (channel, series, id) WHERE state = 'waiting';
CREATE INDEX outbox_tried_at ON outbox (channel, tried_at);
CREATE INDEX outbox_episode ON outbox (series, episode);

CREATE TABLE schedules (
    name       TEXT    PRIMARY KEY,
    line       TEXT    NOT NULL,            -- the cron line and its zone
    enabled    INTEGER,                     -- what somebody said at run time; null is as configured
    seen_at    INTEGER NOT NULL,            -- times up to this one are done with
    last_at    INTEGER,                     -- the newest time that was run
    changed_at INTEGER NOT NULL
);
