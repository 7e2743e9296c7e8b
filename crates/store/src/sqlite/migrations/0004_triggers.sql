-- Job tokens across projects. A project's own jobs need no row.

CREATE TABLE job_token_grants (
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    source_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    added_by INTEGER REFERENCES users,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_token_grants_by_source ON job_token_grants (source_id);

-- Projects that take the job tokens of every project.
CREATE TABLE open_job_token_scopes (
    project_id INTEGER PRIMARY KEY REFERENCES projects ON DELETE CASCADE
) STRICT;
