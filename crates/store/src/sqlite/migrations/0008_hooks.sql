-- Push hooks, webhooks and commit statuses.

CREATE TABLE push_hooks (
    project_id INTEGER PRIMARY KEY REFERENCES projects,
    owner_id INTEGER NOT NULL REFERENCES users,
    sealed_secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

-- `settings` is JSON that only the server reads.
CREATE TABLE hooks (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects,
    uuid TEXT NOT NULL,
    sends_runs INTEGER NOT NULL,
    sends_jobs INTEGER NOT NULL,
    settings TEXT NOT NULL,
    sealed_secrets BLOB NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    is_disabled INTEGER NOT NULL DEFAULT 0,
    disabled_until INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX hooks_by_project ON hooks (project_id);

-- What webhooks have to tell and have told. An id names a delivery to receivers,
-- so it is never used again.
CREATE TABLE hook_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hook_id INTEGER NOT NULL REFERENCES hooks,
    run_id INTEGER NOT NULL,
    attempt_id INTEGER,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    body BLOB,
    response_status INTEGER,
    error TEXT,
    duration_ms INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_by_hook ON hook_deliveries (hook_id);
CREATE INDEX waiting_deliveries ON hook_deliveries (hook_id) WHERE state = 'waiting';
