-- Times are microseconds since 1970, digests and commit ids are raw bytes,
-- statuses, sources and reasons are the words of the model, lists are JSON text.

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    is_admin INTEGER NOT NULL,
    is_blocked INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

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
    created_at INTEGER NOT NULL
) STRICT;

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
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE ci_configs (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects
) STRICT;
CREATE INDEX ci_configs_by_project ON ci_configs (project_id);

-- Apart from projects, so that a run rewrites a short row.
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

-- Compiled workflows and job specifications, once per content.
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
    sealed_variables BLOB
) STRICT;
-- Inside a project iids and ids rise together; each index ends with the id.
CREATE UNIQUE INDEX runs_by_iid ON runs (project_id, iid);
CREATE INDEX runs_by_status ON runs (project_id, status);
CREATE INDEX runs_by_source ON runs (project_id, source);
CREATE INDEX runs_by_ref ON runs (project_id, ref_name);
CREATE INDEX runs_by_sha ON runs (sha);
CREATE INDEX runs_by_user ON runs (project_id, user_id);
CREATE INDEX runs_by_update ON runs (project_id, updated_at);
CREATE INDEX runs_by_creation ON runs (project_id, created_at);
CREATE INDEX runs_by_name ON runs (project_id, name) WHERE name IS NOT NULL;
CREATE INDEX invalid_runs ON runs (project_id) WHERE yaml_errors IS NOT NULL;

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
    plan_id INTEGER REFERENCES plans
) STRICT;
CREATE INDEX workflows_by_run ON workflows (run_id);

-- A job has no row of its own: its id is the id of its first attempt, and
-- `job_id` is NULL there.
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
    finished_at INTEGER
) STRICT;
CREATE INDEX attempts_by_run ON attempts (run_id);

-- Pending attempts only, so that a claim never meets the history.
CREATE TABLE queue (
    attempt_id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    tags TEXT NOT NULL
) STRICT;
CREATE INDEX queue_by_tags ON queue (tags);

-- Running and canceling attempts only.
CREATE TABLE held_attempts (
    attempt_id INTEGER PRIMARY KEY,
    runner_id INTEGER NOT NULL REFERENCES runners,
    system_id TEXT NOT NULL
) STRICT;

-- One row per transaction and run. `changes` is a flat JSON list of pairs: the
-- attempt's id, or 0 for the run itself, and the number of the status in
-- GitLab's order (0 created … 12 scheduled). The last change has the row's id,
-- those before it the ids before.
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

-- An id is part of a file's address, so it is never used again.
CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    attempt_id INTEGER NOT NULL REFERENCES attempts,
    kind TEXT NOT NULL,
    format TEXT NOT NULL,
    filename TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (attempt_id, kind)
) STRICT;
CREATE INDEX artifacts_by_expiry ON artifacts (expires_at) WHERE expires_at IS NOT NULL;

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
