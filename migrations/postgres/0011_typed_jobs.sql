-- Runs that were typed in a terminal: jobs, too, and nobody's but their own process's.
ALTER TABLE ash_thrash.jobs ADD COLUMN IF NOT EXISTS typed BOOLEAN NOT NULL DEFAULT FALSE;
-- A suite that is typed waits for nobody. One load at a time stays, whoever asked.
DROP INDEX IF EXISTS ash_thrash.jobs_one_a_target;
CREATE UNIQUE INDEX jobs_one_a_target ON ash_thrash.jobs (target) WHERE state = 'running' AND NOT typed;
