-- The tables of PostgreSQL's schema `ash_thrash`, with the same names and meaning. Times are UTC.
CREATE TABLE test_runs (
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
    record              TEXT               -- last, so that reading the others never touches its pages
);

CREATE INDEX test_runs_start_time ON test_runs (start_time DESC, id DESC);

CREATE TABLE test_results (
    id               INTEGER PRIMARY KEY,
    test_run_id      INTEGER REFERENCES test_runs (id),
    phrase_id        TEXT,
    input_text       TEXT,
    expected_result  TEXT,
    actual_result    TEXT,
    confidence       REAL,
    response_time_ms INTEGER,
    is_correct       INTEGER,
    created_at       TEXT,
    text_hash        TEXT,
    category         TEXT,
    verdict          TEXT,
    no_answer        TEXT,
    score            REAL,
    latency_ms       REAL,
    attempts         INTEGER,
    repeats          INTEGER
);

CREATE INDEX idx_test_results_test_run_id ON test_results (test_run_id);
