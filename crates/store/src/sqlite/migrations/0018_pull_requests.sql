-- What a project does about pull requests.
ALTER TABLE ci_configs ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE ci_configs ADD COLUMN name TEXT NOT NULL DEFAULT 'default';
ALTER TABLE ci_configs ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ci_configs ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ci_configs ADD COLUMN deleted_at INTEGER;
CREATE UNIQUE INDEX ci_configs_by_name ON ci_configs (project_id, name) WHERE deleted_at IS NULL;

-- Runs of pull requests. Number and commits are texts, kept as they were told.
CREATE TABLE pull_request_runs (
    run_id INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    config_id INTEGER NOT NULL REFERENCES ci_configs,
    project_id INTEGER NOT NULL,
    number TEXT NOT NULL,
    head_sha TEXT NOT NULL,
    base_sha TEXT NOT NULL,
    pull_request TEXT NOT NULL,
    hold TEXT CHECK (hold IN ('diffs', 'approval')),
    hold_until INTEGER,
    then_diffs_s INTEGER,
    superseded_by INTEGER,
    diffs TEXT
) STRICT;
CREATE INDEX pull_request_runs_by_config ON pull_request_runs (config_id, run_id);
CREATE INDEX pull_request_runs_by_number ON pull_request_runs (config_id, number, run_id);
CREATE INDEX pull_request_runs_by_head ON pull_request_runs (config_id, head_sha, run_id);
CREATE INDEX held_runs ON pull_request_runs (hold, hold_until) WHERE hold IS NOT NULL;

CREATE TABLE dbt_uploads (
    config_id INTEGER NOT NULL REFERENCES ci_configs,
    run_type TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    run_key TEXT,
    size_bytes INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (config_id, run_type, commit_sha)
) STRICT, WITHOUT ROWID;

-- The forge of a project, what came from it and what it is to be told.
CREATE TABLE forge_bindings (
    project_id INTEGER PRIMARY KEY REFERENCES projects,
    kind TEXT NOT NULL,
    api_url TEXT NOT NULL,
    repository TEXT NOT NULL,
    sealed_token BLOB NOT NULL,
    sealed_webhook_secret BLOB NOT NULL,
    owner_id INTEGER NOT NULL REFERENCES users,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE forge_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects,
    delivery TEXT NOT NULL,
    event TEXT NOT NULL,
    outcome TEXT NOT NULL,
    runs TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    UNIQUE (project_id, delivery)
) STRICT;

CREATE TABLE forge_reports (
    run_id INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    project_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    told TEXT NOT NULL,
    tries INTEGER NOT NULL,
    due_at INTEGER,
    error TEXT
) STRICT;
CREATE INDEX due_forge_reports ON forge_reports (project_id, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE forge_comments (
    project_id INTEGER NOT NULL REFERENCES projects,
    number TEXT NOT NULL,
    comment_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (project_id, number)
) STRICT, WITHOUT ROWID;
