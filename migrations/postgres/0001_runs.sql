-- The tables as installations have had them since the Python suite. Where they exist they are left as they are.
CREATE TABLE IF NOT EXISTS ash_thrash.test_runs (
    id              SERIAL PRIMARY KEY,
    test_type       VARCHAR(50) NOT NULL,
    test_config     JSONB,
    start_time      TIMESTAMP DEFAULT now(),
    end_time        TIMESTAMP,
    status          VARCHAR(50),            -- running | completed | failed
    results_summary JSONB
);

CREATE TABLE IF NOT EXISTS ash_thrash.test_results (
    id               SERIAL PRIMARY KEY,
    test_run_id      INTEGER REFERENCES ash_thrash.test_runs (id),
    phrase_id        VARCHAR(255),
    input_text       TEXT,
    expected_result  VARCHAR(100),
    actual_result    VARCHAR(100),
    confidence       FLOAT,
    response_time_ms INTEGER,
    is_correct       BOOLEAN,
    created_at       TIMESTAMP DEFAULT now()
);

CREATE INDEX IF NOT EXISTS idx_test_results_test_run_id ON ash_thrash.test_results (test_run_id);

-- What the record needs beside them. Every column is null, or has a constant default, in the rows of earlier programs,
-- so that nothing is rewritten and those programs can still write.
ALTER TABLE ash_thrash.test_runs
    ADD COLUMN IF NOT EXISTS run_id              TEXT,              -- null in rows of earlier programs
    ADD COLUMN IF NOT EXISTS kind                TEXT,
    ADD COLUMN IF NOT EXISTS suite               TEXT,              -- test_type, at full length
    ADD COLUMN IF NOT EXISTS target              TEXT,
    ADD COLUMN IF NOT EXISTS environment         TEXT,
    ADD COLUMN IF NOT EXISTS run_status          TEXT,              -- completed | interrupted | aborted
    ADD COLUMN IF NOT EXISTS conclusion          TEXT,
    ADD COLUMN IF NOT EXISTS duration_ms         DOUBLE PRECISION,
    ADD COLUMN IF NOT EXISTS phrases             BIGINT,
    ADD COLUMN IF NOT EXISTS accuracy            DOUBLE PRECISION,  -- 0 to 1
    ADD COLUMN IF NOT EXISTS false_positive_rate DOUBLE PRECISION,  -- 0 to 1
    ADD COLUMN IF NOT EXISTS p95_ms              DOUBLE PRECISION,
    ADD COLUMN IF NOT EXISTS schema_version      BIGINT,            -- the record's
    ADD COLUMN IF NOT EXISTS keep                BOOLEAN NOT NULL DEFAULT FALSE,
    ADD COLUMN IF NOT EXISTS stored_at           TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS record              JSONB;

CREATE UNIQUE INDEX IF NOT EXISTS test_runs_run_id ON ash_thrash.test_runs (run_id);
CREATE INDEX IF NOT EXISTS test_runs_start_time ON ash_thrash.test_runs (start_time DESC NULLS LAST, id DESC);

ALTER TABLE ash_thrash.test_results
    ADD COLUMN IF NOT EXISTS text_hash  TEXT,
    ADD COLUMN IF NOT EXISTS category   TEXT,
    ADD COLUMN IF NOT EXISTS verdict    TEXT,
    ADD COLUMN IF NOT EXISTS no_answer  TEXT,
    ADD COLUMN IF NOT EXISTS score      DOUBLE PRECISION,
    ADD COLUMN IF NOT EXISTS latency_ms DOUBLE PRECISION,
    ADD COLUMN IF NOT EXISTS attempts   INTEGER,
    ADD COLUMN IF NOT EXISTS repeats    INTEGER;
