-- A run may hold several workflows. A row without a status is the only one of its
-- run and stands where the run stands.
ALTER TABLE workflows ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workflows ADD COLUMN status TEXT;
ALTER TABLE workflows ADD COLUMN name TEXT;
ALTER TABLE workflows ADD COLUMN execution INTEGER NOT NULL DEFAULT 1;
ALTER TABLE workflows ADD COLUMN restarted_at INTEGER;
ALTER TABLE workflows ADD COLUMN started_at INTEGER;
ALTER TABLE workflows ADD COLUMN finished_at INTEGER;
CREATE INDEX workflows_by_name ON workflows (name) WHERE name IS NOT NULL;
CREATE INDEX workflows_by_status ON workflows (status) WHERE status IS NOT NULL;

-- How a workflow ended each time before it was repeated.
CREATE TABLE workflow_executions (
    workflow_id INTEGER NOT NULL REFERENCES workflows ON DELETE CASCADE,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (workflow_id, number)
) STRICT, WITHOUT ROWID;

-- The event that brought about a run of workflows: name, inputs, payload.
CREATE TABLE run_events (
    run_id INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    sealed_event BLOB NOT NULL
) STRICT;

-- What the steps of an attempt led to.
CREATE TABLE steps_reports (
    attempt_id INTEGER PRIMARY KEY REFERENCES attempts ON DELETE CASCADE,
    sealed_outputs BLOB,
    summary TEXT NOT NULL,
    summary_steps INTEGER NOT NULL,
    steps TEXT NOT NULL,
    error_message TEXT
) STRICT;

-- Jobs that wait for somebody to decide whether they start.
CREATE INDEX undecided_attempts ON attempts (run_id) WHERE status = 'waiting_for_callback';

-- Files may have names, of which each attempt uploads every one once.
DROP INDEX artifacts_by_due;
ALTER TABLE artifacts RENAME TO unnamed_artifacts;
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
-- Ids of files that are gone are not given out again.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'artifacts', seq FROM sqlite_sequence WHERE name = 'unnamed_artifacts';
INSERT INTO artifacts (id, attempt_id, kind, format, filename, size_bytes, sha256, expires_at,
                       created_at, recheck_at)
SELECT id, attempt_id, kind, format, filename, size_bytes, sha256, expires_at, created_at,
       recheck_at
FROM unnamed_artifacts;
DROP TABLE unnamed_artifacts;
CREATE INDEX artifacts_by_due
    ON artifacts (coalesce(recheck_at, expires_at)) WHERE expires_at IS NOT NULL;
