-- A load that a typed one took from a service that was gone; the next service is told of it.
ALTER TABLE ash_thrash.jobs ADD COLUMN IF NOT EXISTS untold BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX IF NOT EXISTS jobs_untold ON ash_thrash.jobs (id) WHERE untold;
-- Leases are looked through by everybody who waits, and old typed jobs whenever another one comes.
CREATE INDEX IF NOT EXISTS jobs_leased ON ash_thrash.jobs (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_typed_over ON ash_thrash.jobs (ended_at) WHERE typed;
-- A program that still runs and knows nothing of typed jobs would take one that waits, and queue a suite that is lost
-- again. Neither is done to them by any program that knows them.
CREATE OR REPLACE FUNCTION ash_thrash.keep_typed_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS keep_typed_jobs ON ash_thrash.jobs;
CREATE TRIGGER keep_typed_jobs BEFORE UPDATE ON ash_thrash.jobs FOR EACH ROW
    WHEN (OLD.typed AND (NEW.instance IS DISTINCT FROM OLD.instance OR (NEW.state = 'queued' AND OLD.state <> 'queued')))
    EXECUTE FUNCTION ash_thrash.keep_typed_jobs();
