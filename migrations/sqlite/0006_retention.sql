-- Why a run is held (`keep`), and when its answers were removed for their age. A table of
-- its own: a column behind `record` is reached only through all pages of that.
CREATE TABLE retention (
    run                INTEGER PRIMARY KEY REFERENCES test_runs (id) ON DELETE CASCADE,
    hold_reason        TEXT,
    answers_removed_at TEXT
);
