-- Push hooks, webhooks and commit statuses.

CREATE TABLE push_hooks (
    project_id INTEGER PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    owner_id INTEGER NOT NULL REFERENCES users,
    sealed_secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

-- `settings` is JSON that only the server reads.
CREATE TABLE hooks (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
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
    hook_id INTEGER NOT NULL REFERENCES hooks ON DELETE CASCADE,
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

-- Statuses that foreign systems set on the commit of a run.
CREATE TABLE commit_statuses (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    ref_name TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users,
    target_url TEXT,
    description TEXT,
    coverage REAL,
    is_retried INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER
) STRICT;
CREATE INDEX commit_statuses_by_run ON commit_statuses (run_id);
