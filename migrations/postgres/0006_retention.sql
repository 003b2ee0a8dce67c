-- Why a run is held (`keep`), and when its answers were removed for their age.
CREATE TABLE IF NOT EXISTS ash_thrash.retention (
    run                INTEGER PRIMARY KEY REFERENCES ash_thrash.test_runs (id) ON DELETE CASCADE,
    hold_reason        TEXT,
    answers_removed_at TIMESTAMPTZ
);
