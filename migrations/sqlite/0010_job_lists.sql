-- The jobs that somebody asked for, those against a target, and those that did not finish, in the order of lists.
CREATE INDEX jobs_of_requester ON jobs (requester, submitted_at DESC, id DESC);
CREATE INDEX jobs_of_target ON jobs (target, submitted_at DESC, id DESC);
CREATE INDEX jobs_unfinished ON jobs (submitted_at DESC, id DESC) WHERE state <> 'finished';
