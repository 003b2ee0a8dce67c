-- A load that a typed one took from a service that was gone; the next service is told of it.
ALTER TABLE jobs ADD COLUMN untold INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_untold ON jobs (id) WHERE untold;
-- Leases are looked through by everybody who waits, and old typed jobs whenever another one comes.
CREATE INDEX jobs_leased ON jobs (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX jobs_typed_over ON jobs (ended_at) WHERE typed;
-- A program that still runs and knows nothing of typed jobs would take one that waits, and queue a suite that is lost
-- again. Neither is done to them by any program that knows them.
CREATE TRIGGER keep_typed_jobs BEFORE UPDATE ON jobs
    WHEN OLD.typed AND (NEW.instance IS NOT OLD.instance OR (NEW.state = 'queued' AND OLD.state <> 'queued'))
BEGIN
    SELECT RAISE(IGNORE);
END;
