-- Which messages say that a trouble is over.
ALTER TABLE outbox ADD COLUMN good INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET good = 1 WHERE body LIKE '%"event":"well"%';
