-- Which messages say that a trouble is over.
ALTER TABLE ash_thrash.outbox ADD COLUMN IF NOT EXISTS good BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE ash_thrash.outbox SET good = TRUE WHERE body LIKE '%"event":"well"%';
