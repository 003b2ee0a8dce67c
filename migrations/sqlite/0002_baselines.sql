-- What a history shows, as columns, so that no record has to be read for it. They must stand before `record`: SQLite
-- reaches a column behind it only through all of its pages. So the table is made anew, as
-- https://www.sqlite.org/lang_altertable.html#otheralter has it; foreign keys are off while migrations run.
CREATE TABLE test_runs_new (
    id                  INTEGER PRIMARY KEY,
    run_id              TEXT UNIQUE,
    test_type           TEXT NOT NULL,
    test_config         TEXT,
    start_time          TEXT,
    end_time            TEXT,
    status              TEXT,              -- running | completed | failed
    results_summary     TEXT,
    kind                TEXT,
    suite               TEXT,
    target              TEXT,
    environment         TEXT,
    run_status          TEXT,              -- completed | interrupted | aborted
    conclusion          TEXT,
    duration_ms         REAL,
    phrases             INTEGER,
    accuracy            REAL,              -- 0 to 1
    false_positive_rate REAL,              -- 0 to 1
    p95_ms              REAL,
    schema_version      INTEGER,           -- the record's
    keep                INTEGER NOT NULL DEFAULT 0,
    stored_at           TEXT,
    demo                INTEGER,           -- whether the target is the embedded demo detector
    target_version      TEXT,
    contract_hash       TEXT,
    selection_hash      TEXT,              -- runs of the same phrases have the same
    false_negative_rate REAL,              -- 0 to 1
    severe_miss_rate    REAL,              -- 0 to 1
    unanswered_rate     REAL,              -- 0 to 1
    p50_ms              REAL,
    record              TEXT               -- last, so that reading the others never touches its pages
);

-- A damaged record is a matter of its run alone.
INSERT INTO test_runs_new
SELECT id, run_id, test_type, test_config, start_time, end_time, status, results_summary, kind, suite, target,
    environment, run_status, conclusion, duration_ms, phrases, accuracy, false_positive_rate, p95_ms, schema_version,
    keep, stored_at,
    CASE WHEN json_valid(record) THEN record ->> '$.target.demo' END,
    CASE WHEN json_valid(record) THEN record ->> '$.target.version' END,
    CASE WHEN json_valid(record) THEN record ->> '$.target.contract_hash' END,
    CASE WHEN json_valid(record) THEN record ->> '$.suite.selection_hash' END,
    CASE WHEN json_valid(record) THEN record ->> '$.metrics.false_negative_rate.value' END,
    CASE WHEN json_valid(record) THEN record ->> '$.metrics.severe_miss_rate.value' END,
    CASE WHEN json_valid(record) THEN record ->> '$.metrics.unanswered_rate.value' END,
    CASE WHEN json_valid(record) THEN record ->> '$.latency.p50_ms' END,
    record
FROM test_runs;

-- What a record does not hold as a number stays null.
UPDATE test_runs_new SET demo                = NULL WHERE typeof(demo)                = 'text';
UPDATE test_runs_new SET false_negative_rate = NULL WHERE typeof(false_negative_rate) = 'text';
UPDATE test_runs_new SET severe_miss_rate    = NULL WHERE typeof(severe_miss_rate)    = 'text';
UPDATE test_runs_new SET unanswered_rate     = NULL WHERE typeof(unanswered_rate)     = 'text';
UPDATE test_runs_new SET p50_ms              = NULL WHERE typeof(p50_ms)              = 'text';

DROP TABLE test_runs;
ALTER TABLE test_runs_new RENAME TO test_runs;
CREATE INDEX test_runs_start_time ON test_runs (start_time DESC, id DESC);

-- The run that later ones are held against: one for each suite and target. It cannot be deleted while it is one.
CREATE TABLE baselines (
    suite  TEXT    NOT NULL,
    target TEXT    NOT NULL,
    demo   INTEGER NOT NULL,
    run_id TEXT    NOT NULL UNIQUE REFERENCES test_runs (run_id),
    set_at TEXT    NOT NULL,
    note   TEXT,
    PRIMARY KEY (suite, target, demo)
);
