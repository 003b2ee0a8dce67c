-- Runs that were typed in a terminal: jobs, too, and nobody's but their own process's.
ALTER TABLE jobs ADD COLUMN typed INTEGER NOT NULL DEFAULT 0;
-- A suite that is typed waits for nobody. One load at a time stays, whoever asked.
DROP INDEX IF EXISTS jobs_one_a_target;
CREATE UNIQUE INDEX jobs_one_a_target ON jobs (target) WHERE state = 'running' AND NOT typed;
