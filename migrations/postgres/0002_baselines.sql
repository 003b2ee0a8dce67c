-- What a history shows, as columns, so that no record has to be read for it. Null in the rows of earlier programs.
ALTER TABLE ash_thrash.test_runs
    ADD COLUMN IF NOT EXISTS demo                BOOLEAN,           -- whether the target is the embedded demo detector
    ADD COLUMN IF NOT EXISTS target_version      TEXT,
    ADD COLUMN IF NOT EXISTS contract_hash       TEXT,
    ADD COLUMN IF NOT EXISTS selection_hash      TEXT,              -- runs of the same phrases have the same
    ADD COLUMN IF NOT EXISTS false_negative_rate DOUBLE PRECISION,  -- 0 to 1
    ADD COLUMN IF NOT EXISTS severe_miss_rate    DOUBLE PRECISION,  -- 0 to 1
    ADD COLUMN IF NOT EXISTS unanswered_rate     DOUBLE PRECISION,  -- 0 to 1
    ADD COLUMN IF NOT EXISTS p50_ms              DOUBLE PRECISION;

-- From the records that are there. Each is unpacked once; what a record does not hold as a number stays null.
UPDATE ash_thrash.test_runs run
SET demo                = part.target -> 'demo' = 'true'::jsonb,
    target_version      = part.target ->> 'version',
    contract_hash       = part.target ->> 'contract_hash',
    selection_hash      = part.suite ->> 'selection_hash',
    false_negative_rate = jsonb_path_query_first(part.metrics, '$.false_negative_rate.value.double()', '{}', true)::float8,
    severe_miss_rate    = jsonb_path_query_first(part.metrics, '$.severe_miss_rate.value.double()', '{}', true)::float8,
    unanswered_rate     = jsonb_path_query_first(part.metrics, '$.unanswered_rate.value.double()', '{}', true)::float8,
    p50_ms              = jsonb_path_query_first(part.latency, '$.p50_ms.double()', '{}', true)::float8
FROM ash_thrash.test_runs source,
    LATERAL jsonb_to_record(CASE jsonb_typeof(source.record) WHEN 'object' THEN source.record ELSE '{}' END)
        AS part (suite JSONB, target JSONB, metrics JSONB, latency JSONB)
WHERE source.id = run.id AND source.run_id IS NOT NULL AND source.record IS NOT NULL;

-- The run that later ones are held against: one for each suite and target. It cannot be deleted while it is one.
CREATE TABLE IF NOT EXISTS ash_thrash.baselines (
    suite  TEXT        NOT NULL,
    target TEXT        NOT NULL,
    demo   BOOLEAN     NOT NULL,
    run_id TEXT        NOT NULL UNIQUE REFERENCES ash_thrash.test_runs (run_id),
    set_at TIMESTAMPTZ NOT NULL,
    note   TEXT,
    PRIMARY KEY (suite, target, demo)
);
