-- Which part of its suite a run sent: so many phrases that were drawn, 0 where they were chosen by category, tag or split.
-- Null for the whole suite, for a load, and in the rows of earlier programs. It must stand before `record`, so the table
-- is made anew, as migration 2 has it.
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
    part                INTEGER,           -- which part of its suite was sent; null for the whole
    target_url          TEXT,              -- where the target was, without user, password and query
    record              TEXT               -- last, so that reading the others never touches its pages
);

INSERT INTO test_runs_new
SELECT id, run_id, test_type, test_config, start_time, end_time, status, results_summary, kind, suite, target,
    environment, run_status, conclusion, duration_ms, phrases, accuracy, false_positive_rate, p95_ms,
    schema_version, keep, stored_at, demo, target_version, contract_hash, selection_hash, false_negative_rate,
    severe_miss_rate, unanswered_rate, p50_ms,
    CASE
        WHEN run_id IS NULL OR kind = 'load' OR NOT json_valid(test_config) THEN NULL
        WHEN json_array_length(test_config, '$.suite.selection.categories') > 0
            OR json_array_length(test_config, '$.suite.selection.tags') > 0
            OR test_config ->> '$.suite.selection.split' IS NOT NULL THEN 0
        WHEN test_config ->> '$.suite.selected' < test_config ->> '$.suite.available'
            THEN CAST(test_config ->> '$.suite.selection.limit' AS INTEGER)
    END,
    CASE WHEN run_id IS NOT NULL AND json_valid(test_config) THEN test_config ->> '$.target.url' END,
    record
FROM test_runs;

DROP TABLE test_runs;
ALTER TABLE test_runs_new RENAME TO test_runs;

-- Lists go by when a run began, by what is known of it; those of a suite against a target by these, too.
CREATE INDEX test_runs_began ON test_runs (COALESCE(start_time, end_time, '1970-01-01 00:00:00') DESC, id DESC);
CREATE INDEX test_runs_series ON test_runs
    (suite, target, COALESCE(demo, FALSE), COALESCE(start_time, end_time, '1970-01-01 00:00:00') DESC, id DESC)
    WHERE run_id IS NOT NULL;
