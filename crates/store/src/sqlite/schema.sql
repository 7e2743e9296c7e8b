-- The schema as it stands, for a new database. What older ones need to get there
-- is in migrations/, where the reasons are told; a test compares both.

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    is_admin INTEGER NOT NULL,
    is_blocked INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    is_external INTEGER NOT NULL DEFAULT 0,
    password TEXT,
    profile TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE UNIQUE INDEX users_by_email ON users (lower(email)) WHERE email <> '';

CREATE TABLE access_tokens (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    is_root INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER,
    created_at INTEGER NOT NULL,
    description TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX access_tokens_by_user ON access_tokens (user_id);

CREATE TABLE sign_ins (
    token_hash BLOB PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE projects (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    source_kind TEXT NOT NULL CHECK (source_kind IN ('local', 'remote')),
    source_address TEXT NOT NULL,
    default_branch TEXT,
    visibility TEXT NOT NULL,
    creator_id INTEGER NOT NULL REFERENCES users,
    ci_config_path TEXT NOT NULL,
    timeout_s INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    settings TEXT NOT NULL DEFAULT '{}',
    updated_at INTEGER,
    deleted_at INTEGER
) STRICT;
CREATE INDEX projects_by_visibility ON projects (visibility) WHERE deleted_at IS NULL;
CREATE INDEX deleted_projects ON projects (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE ci_configs (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects,
    settings TEXT NOT NULL DEFAULT '{}',
    name TEXT NOT NULL DEFAULT 'default',
    created_at INTEGER NOT NULL DEFAULT 0,
    updated_at INTEGER NOT NULL DEFAULT 0,
    deleted_at INTEGER
) STRICT;
CREATE INDEX ci_configs_by_project ON ci_configs (project_id);
CREATE UNIQUE INDEX ci_configs_by_name ON ci_configs (project_id, name) WHERE deleted_at IS NULL;

CREATE TABLE run_counters (
    project_id INTEGER PRIMARY KEY REFERENCES projects,
    last_iid INTEGER NOT NULL
) STRICT;

CREATE TABLE triggers (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects,
    owner_id INTEGER NOT NULL REFERENCES users,
    description TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    sealed_token BLOB NOT NULL,
    short_token TEXT NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX live_triggers_by_project ON triggers (project_id) WHERE revoked_at IS NULL;

CREATE TABLE plans (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE specs (
    digest BLOB PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects,
    iid INTEGER NOT NULL,
    source TEXT NOT NULL,
    ref_name TEXT NOT NULL,
    ref_kind TEXT NOT NULL,
    sha BLOB NOT NULL,
    commit_title TEXT NOT NULL,
    status TEXT NOT NULL,
    has_warnings INTEGER NOT NULL,
    name TEXT,
    trigger_id INTEGER REFERENCES triggers,
    user_id INTEGER NOT NULL REFERENCES users,
    yaml_errors TEXT,
    failure_reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    busy_micros INTEGER,
    sealed_variables BLOB,
    before_sha BLOB,
    source_attempt_id INTEGER,
    schedule_id INTEGER,
    has_build_names INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX runs_by_iid ON runs (project_id, iid);
CREATE INDEX runs_by_status ON runs (project_id, status);
CREATE INDEX runs_by_ref ON runs (project_id, ref_name);
CREATE INDEX runs_by_user ON runs (project_id, user_id);
CREATE INDEX runs_by_update ON runs (project_id, updated_at);
CREATE INDEX runs_by_name ON runs (project_id, name) WHERE name IS NOT NULL;
CREATE INDEX invalid_runs ON runs (project_id) WHERE yaml_errors IS NOT NULL;
CREATE INDEX runs_by_sha ON runs (project_id, sha);
CREATE INDEX runs_by_source_status ON runs (project_id, source, status);
CREATE INDEX runs_by_ref_status ON runs (project_id, ref_name, status);
CREATE INDEX runs_by_ref_source ON runs (project_id, ref_name, source);
CREATE INDEX runs_by_schedule ON runs (project_id, schedule_id) WHERE schedule_id IS NOT NULL;

CREATE TABLE newest_runs (
    project_id INTEGER NOT NULL,
    ref_kind TEXT NOT NULL,
    ref_name TEXT NOT NULL,
    run_id INTEGER NOT NULL,
    PRIMARY KEY (project_id, ref_kind, ref_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE workflows (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs,
    plan_id INTEGER REFERENCES plans,
    position INTEGER NOT NULL DEFAULT 0,
    status TEXT,
    name TEXT,
    execution INTEGER NOT NULL DEFAULT 1,
    restarted_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER
) STRICT;
CREATE INDEX workflows_by_run ON workflows (run_id);
CREATE INDEX workflows_by_name ON workflows (name) WHERE name IS NOT NULL;
CREATE INDEX workflows_by_status ON workflows (status) WHERE status IS NOT NULL;

CREATE TABLE workflow_executions (
    workflow_id INTEGER NOT NULL REFERENCES workflows ON DELETE CASCADE,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (workflow_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_events (
    run_id INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    sealed_event BLOB NOT NULL
) STRICT;

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs,
    job_id INTEGER REFERENCES attempts,
    position INTEGER NOT NULL,
    number INTEGER NOT NULL,
    is_retried INTEGER NOT NULL DEFAULT 0,
    automatic_retries INTEGER NOT NULL,
    cancels_gracefully INTEGER NOT NULL,
    status TEXT NOT NULL,
    failure_reason TEXT,
    exit_code INTEGER,
    runner_id INTEGER REFERENCES runners,
    created_at INTEGER NOT NULL,
    queued_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    project_id INTEGER NOT NULL DEFAULT 0,
    erased_at INTEGER,
    sealed_variables BLOB,
    is_debugged INTEGER NOT NULL DEFAULT 0,
    coverage REAL,
    starts_at INTEGER
) STRICT;
CREATE INDEX attempts_by_run ON attempts (run_id);
CREATE INDEX attempts_by_project ON attempts (project_id);
CREATE INDEX retried_attempts ON attempts (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX settled_attempts
    ON attempts (project_id, status)
    WHERE status <> 'pending' AND status <> 'running' AND status <> 'canceling';
CREATE INDEX delayed_attempts ON attempts (starts_at) WHERE starts_at IS NOT NULL;
CREATE INDEX undecided_attempts ON attempts (run_id) WHERE status = 'waiting_for_callback';

CREATE TABLE queue (
    attempt_id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    tags TEXT NOT NULL
) STRICT;
CREATE INDEX queue_by_tags ON queue (tags);

CREATE TABLE held_attempts (
    attempt_id INTEGER PRIMARY KEY,
    runner_id INTEGER NOT NULL REFERENCES runners,
    system_id TEXT NOT NULL
) STRICT;

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changes TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_run ON events (run_id);

CREATE TABLE idempotency_keys (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL,
    credential TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    run_id INTEGER NOT NULL REFERENCES runs,
    created_at INTEGER NOT NULL,
    UNIQUE (project_id, key, credential)
) STRICT;
CREATE INDEX idempotency_keys_by_run ON idempotency_keys (run_id);

CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    attempt_id INTEGER NOT NULL REFERENCES attempts,
    kind TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    format TEXT NOT NULL,
    filename TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    recheck_at INTEGER,
    UNIQUE (attempt_id, kind, name)
) STRICT;
CREATE INDEX artifacts_by_due
    ON artifacts (coalesce(recheck_at, expires_at)) WHERE expires_at IS NOT NULL;

CREATE TABLE runners (
    id INTEGER PRIMARY KEY,
    description TEXT NOT NULL,
    is_embedded INTEGER NOT NULL,
    tags TEXT NOT NULL,
    run_untagged INTEGER NOT NULL,
    is_paused INTEGER NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE members (
    project_id INTEGER NOT NULL REFERENCES projects,
    user_id INTEGER NOT NULL REFERENCES users,
    level INTEGER NOT NULL,
    expires_at INTEGER,
    created_by INTEGER REFERENCES users,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE protected_refs (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    push_level INTEGER NOT NULL,
    merge_level INTEGER NOT NULL,
    allow_force_push INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (project_id, kind, name)
) STRICT;

CREATE TABLE moved_projects (
    path TEXT PRIMARY KEY COLLATE NOCASE,
    project_id INTEGER NOT NULL REFERENCES projects
) STRICT, WITHOUT ROWID;
CREATE INDEX moved_projects_by_project ON moved_projects (project_id);

CREATE TABLE job_token_grants (
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    source_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    added_by INTEGER REFERENCES users,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_token_grants_by_source ON job_token_grants (source_id);

CREATE TABLE open_job_token_scopes (
    project_id INTEGER PRIMARY KEY REFERENCES projects ON DELETE CASCADE
) STRICT;

CREATE TABLE clock_setbacks (
    run_id INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE last_deleted (
    kind TEXT PRIMARY KEY CHECK (kind IN ('run', 'attempt')),
    id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE schedules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    owner_id INTEGER REFERENCES users ON DELETE SET NULL,
    description TEXT NOT NULL,
    ref_name TEXT NOT NULL,
    cron TEXT NOT NULL,
    cron_timezone TEXT NOT NULL,
    seed INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    next_run_at INTEGER,
    last_due_at INTEGER,
    failure TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX schedules_by_project ON schedules (project_id);
CREATE INDEX schedules_by_time ON schedules (next_run_at) WHERE is_active = 1;

CREATE TABLE schedule_variables (
    id INTEGER PRIMARY KEY,
    schedule_id INTEGER NOT NULL REFERENCES schedules ON DELETE CASCADE,
    key TEXT NOT NULL,
    sealed_value BLOB NOT NULL,
    is_file INTEGER NOT NULL,
    UNIQUE (schedule_id, key)
) STRICT;

CREATE TABLE settings_variables (
    id INTEGER PRIMARY KEY,
    project_id INTEGER REFERENCES projects ON DELETE CASCADE,
    group_path TEXT COLLATE NOCASE CHECK (group_path IS NULL OR project_id IS NULL),
    key TEXT NOT NULL,
    environment_scope TEXT NOT NULL,
    sealed_value BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('env_var', 'file')),
    is_protected INTEGER NOT NULL,
    is_masked INTEGER NOT NULL,
    is_hidden INTEGER NOT NULL,
    is_raw INTEGER NOT NULL,
    description TEXT,
    revision INTEGER NOT NULL DEFAULT 1,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX variables_of_projects
    ON settings_variables (project_id, key, environment_scope) WHERE project_id IS NOT NULL;
CREATE UNIQUE INDEX variables_of_groups
    ON settings_variables (group_path, key, environment_scope) WHERE group_path IS NOT NULL;
CREATE UNIQUE INDEX variables_of_the_instance
    ON settings_variables (key, environment_scope) WHERE project_id IS NULL AND group_path IS NULL;

CREATE TABLE push_hooks (
    project_id INTEGER PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    owner_id INTEGER NOT NULL REFERENCES users,
    sealed_secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

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

CREATE TABLE test_counts (
    attempt_id INTEGER PRIMARY KEY REFERENCES attempts ON DELETE CASCADE,
    total_time REAL NOT NULL,
    success INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    error INTEGER NOT NULL,
    suite_error TEXT
) STRICT;

CREATE TABLE dotenv_variables (
    attempt_id INTEGER PRIMARY KEY REFERENCES attempts ON DELETE CASCADE,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE steps_reports (
    attempt_id INTEGER PRIMARY KEY REFERENCES attempts ON DELETE CASCADE,
    sealed_outputs BLOB,
    summary TEXT NOT NULL,
    summary_steps INTEGER NOT NULL,
    steps TEXT NOT NULL,
    error_message TEXT
) STRICT;

CREATE TABLE audit_entries (
    id INTEGER PRIMARY KEY,
    action TEXT NOT NULL,
    actor_id INTEGER,
    credential TEXT NOT NULL,
    project_id INTEGER,
    details TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_entries_by_project ON audit_entries (project_id);
CREATE INDEX audit_entries_by_creation ON audit_entries (created_at);

CREATE TABLE run_hooks (
    run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    hook_id INTEGER NOT NULL REFERENCES hooks ON DELETE CASCADE,
    PRIMARY KEY (run_id, hook_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_hooks_by_hook ON run_hooks (hook_id);

CREATE TABLE workflow_settings (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('secret', 'variable')),
    name TEXT NOT NULL COLLATE NOCASE,
    updated_at INTEGER NOT NULL,
    UNIQUE (kind, name)
) STRICT;

CREATE TABLE workflow_variants (
    id INTEGER PRIMARY KEY,
    setting_id INTEGER NOT NULL REFERENCES workflow_settings ON DELETE CASCADE,
    name TEXT NOT NULL,
    attributes TEXT NOT NULL,
    sealed_value BLOB NOT NULL,
    description TEXT,
    updated_at INTEGER NOT NULL,
    UNIQUE (setting_id, name, attributes)
) STRICT;

CREATE TABLE cache_entries (
    id TEXT PRIMARY KEY,
    entry_type TEXT NOT NULL,
    key TEXT NOT NULL,
    scope TEXT NOT NULL,
    title TEXT,
    content_type TEXT,
    size_bytes INTEGER,
    creator_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX complete_cache_entries
    ON cache_entries (entry_type, key, scope) WHERE finished_at IS NOT NULL;
CREATE INDEX open_cache_uploads
    ON cache_entries (entry_type, key, scope) WHERE finished_at IS NULL;
CREATE INDEX cache_entries_by_use ON cache_entries (used_at);

CREATE TABLE cache_parts (
    entry_id TEXT NOT NULL REFERENCES cache_entries ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    PRIMARY KEY (entry_id, number)
) STRICT, WITHOUT ROWID;

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

-- Stands where nobody does: runs of legacy triggers and those triggers themselves.
INSERT INTO users (id, username, name, email, is_admin, is_blocked, created_at)
VALUES (0, '(nobody)', 'Nobody', '', 0, 1, 0);
