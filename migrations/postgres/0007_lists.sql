-- Which part of its suite a run sent: so many phrases that were drawn, 0 where they were chosen by category, tag or split.
-- Null for the whole suite, for a load, and in the rows of earlier programs.
ALTER TABLE ash_thrash.test_runs
    ADD COLUMN IF NOT EXISTS part       BIGINT,
    ADD COLUMN IF NOT EXISTS target_url TEXT;           -- where the target was, without user, password and query

UPDATE ash_thrash.test_runs
SET target_url = test_config #>> '{target,url}', part = CASE
    WHEN kind = 'load' THEN NULL
    WHEN test_config #> '{suite,selection,categories}' <> '[]' OR test_config #> '{suite,selection,tags}' <> '[]'
        OR test_config #>> '{suite,selection,split}' IS NOT NULL THEN 0
    WHEN test_config #> '{suite,selected}' < test_config #> '{suite,available}'
        AND jsonb_typeof(test_config #> '{suite,selection,limit}') = 'number'
        THEN least((test_config #>> '{suite,selection,limit}')::numeric, 9223372036854775807)::bigint
    END
WHERE run_id IS NOT NULL;

-- Lists go by when a run began, by what is known of it; those of a suite against a target by these, too.
DROP INDEX IF EXISTS ash_thrash.test_runs_start_time;
CREATE INDEX IF NOT EXISTS test_runs_began
    ON ash_thrash.test_runs (COALESCE(start_time, end_time, 'epoch') DESC, id DESC);
CREATE INDEX IF NOT EXISTS test_runs_series ON ash_thrash.test_runs
    (suite, target, COALESCE(demo, FALSE), COALESCE(start_time, end_time, 'epoch') DESC, id DESC)
    WHERE run_id IS NOT NULL;
