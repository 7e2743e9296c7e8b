-- What a project does about pull requests.
ALTER TABLE ci_configs ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE ci_configs ADD COLUMN name TEXT NOT NULL DEFAULT 'default';
ALTER TABLE ci_configs ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ci_configs ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ci_configs ADD COLUMN deleted_at INTEGER;
UPDATE ci_configs SET created_at = (SELECT created_at FROM projects WHERE id = project_id),
    updated_at = (SELECT created_at FROM projects WHERE id = project_id);
CREATE UNIQUE INDEX ci_configs_by_name ON ci_configs (project_id, name) WHERE deleted_at IS NULL;

-- Runs of pull requests. Number and commits are texts, kept as they were told. Long
-- texts come last: lists need none of them.
CREATE TABLE pull_request_runs (
    run_id INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    config_id INTEGER NOT NULL REFERENCES ci_configs,
    project_id INTEGER NOT NULL,
    number TEXT NOT NULL,
    head_sha TEXT NOT NULL,
    base_sha TEXT NOT NULL,
    head_branch TEXT NOT NULL,
    base_branch TEXT NOT NULL,
    merge_base BLOB,
    is_from_forge INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    is_repeated INTEGER NOT NULL DEFAULT 0,
    wait TEXT CHECK (wait IN ('diffs', 'approval', 'overdue')),
    wait_until INTEGER,
    then_diffs_s INTEGER,
    superseded_by INTEGER,
    details TEXT NOT NULL,
    diffs TEXT
) STRICT;
CREATE INDEX pull_request_runs_by_config ON pull_request_runs (config_id);
CREATE INDEX pull_request_runs_by_number ON pull_request_runs (config_id, number);
CREATE INDEX pull_request_runs_by_head ON pull_request_runs (config_id, head_sha);
CREATE INDEX active_pull_request_runs ON pull_request_runs (config_id, number) WHERE is_active = 1;
CREATE INDEX waits_for_diffs ON pull_request_runs (wait_until) WHERE wait = 'diffs';
CREATE INDEX waits_for_approval ON pull_request_runs (project_id)
    WHERE wait = 'approval' AND is_active = 1;

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
CREATE INDEX dbt_uploads_by_age ON dbt_uploads (config_id, run_type, created_at);
CREATE INDEX dbt_uploads_by_content ON dbt_uploads (sha256);

-- The forge of a project, what came from it and what it is to be told.
CREATE TABLE forge_bindings (
    project_id INTEGER PRIMARY KEY REFERENCES projects,
    kind TEXT NOT NULL,
    api_url TEXT NOT NULL,
    repository TEXT NOT NULL,
    sealed_token BLOB NOT NULL,
    sealed_webhook_secret BLOB NOT NULL,
    owner_id INTEGER NOT NULL REFERENCES users,
    quiet_until INTEGER,
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
CREATE INDEX forge_deliveries_by_project ON forge_deliveries (project_id);

CREATE TABLE forge_reports (
    run_id INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    project_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    due_at INTEGER,
    error TEXT,
    told TEXT NOT NULL
) STRICT;
CREATE INDEX forge_reports_by_time ON forge_reports (project_id, due_at);
CREATE INDEX forge_reports_by_run ON forge_reports (project_id, run_id);

CREATE TABLE forge_comments (
    project_id INTEGER NOT NULL REFERENCES projects,
    number TEXT NOT NULL,
    comment_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (project_id, number)
) STRICT, WITHOUT ROWID;
