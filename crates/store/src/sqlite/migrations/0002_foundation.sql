-- Members, protected refs, project settings, and what brought a run about.

-- Stands where nobody does: runs of legacy triggers and those triggers themselves.
INSERT INTO users (id, username, name, email, is_admin, is_blocked, created_at)
VALUES (0, '(nobody)', 'Nobody', '', 0, 1, 0);

ALTER TABLE projects ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';

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

INSERT INTO members (project_id, user_id, level, created_by, created_at)
SELECT id, creator_id, 50, creator_id, created_at FROM projects;

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

ALTER TABLE runs ADD COLUMN before_sha BLOB;
ALTER TABLE runs ADD COLUMN source_attempt_id INTEGER;
ALTER TABLE runs ADD COLUMN schedule_id INTEGER;
ALTER TABLE runs ADD COLUMN has_build_names INTEGER NOT NULL DEFAULT 0;
