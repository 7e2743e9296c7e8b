-- The webhooks that led to a run; most runs have none.
CREATE TABLE run_hooks (
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    hook_id INTEGER NOT NULL REFERENCES hooks ON DELETE CASCADE,
    PRIMARY KEY (run_id, hook_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_hooks_by_hook ON run_hooks (hook_id);
