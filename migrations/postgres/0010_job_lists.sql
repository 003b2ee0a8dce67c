-- The jobs that somebody asked for, those against a target, and those that did not finish, in the order of lists.
CREATE INDEX IF NOT EXISTS jobs_of_requester ON ash_thrash.jobs (requester, submitted_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS jobs_of_target ON ash_thrash.jobs (target, submitted_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS jobs_unfinished ON ash_thrash.jobs (submitted_at DESC, id DESC) WHERE state <> 'finished';
