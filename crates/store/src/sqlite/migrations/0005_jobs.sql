-- Lists of runs: an index for each common pair of filters. The one by source
-- and status serves lists of one source too, status by status.
DROP INDEX runs_by_sha;
CREATE INDEX runs_by_sha ON runs (project_id, sha);
DROP INDEX runs_by_source;
CREATE INDEX runs_by_source_status ON runs (project_id, source, status);
CREATE INDEX runs_by_ref_status ON runs (project_id, ref_name, status);
CREATE INDEX runs_by_ref_source ON runs (project_id, ref_name, source);

-- Runs with an earlier time of creation than a run before them.
CREATE TABLE clock_setbacks (run_id INTEGER PRIMARY KEY) STRICT;
INSERT INTO clock_setbacks
SELECT id FROM (SELECT id, created_at < lag(created_at) OVER (ORDER BY id) AS is_set_back FROM runs)
WHERE is_set_back;

-- Lists of the jobs of a project. What is with a runner or waits for one is
-- listed from the tables of those few.
ALTER TABLE attempts ADD COLUMN project_id INTEGER NOT NULL DEFAULT 0;
UPDATE attempts SET project_id = (SELECT project_id FROM runs WHERE runs.id = attempts.run_id);
CREATE INDEX attempts_by_project ON attempts (project_id);
CREATE INDEX settled_attempts ON attempts (project_id, status)
WHERE status NOT IN ('pending', 'running', 'canceling');

-- When log and files were erased.
ALTER TABLE attempts ADD COLUMN erased_at INTEGER;
-- Given when a manual job was played, encrypted by the server.
ALTER TABLE attempts ADD COLUMN sealed_variables BLOB;
-- The log shows every variable.
ALTER TABLE attempts ADD COLUMN is_debugged INTEGER NOT NULL DEFAULT 0;
-- Read from the log when the attempt ended, in percent.
ALTER TABLE attempts ADD COLUMN coverage REAL;

-- Deleted runs: ids are part of addresses and tokens, so none is used again.
CREATE TABLE last_deleted (
    kind TEXT PRIMARY KEY CHECK (kind IN ('run', 'attempt')),
    id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- For the foreign keys of what is deleted.
CREATE INDEX retried_attempts ON attempts (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX idempotency_keys_by_run ON idempotency_keys (run_id);
