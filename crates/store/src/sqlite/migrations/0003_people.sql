-- Passwords as PHC strings, what people tell of themselves, and the addresses
-- that projects had before.

ALTER TABLE users ADD COLUMN is_external INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN password TEXT;
ALTER TABLE users ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';
CREATE UNIQUE INDEX users_by_email ON users (lower(email)) WHERE email <> '';

ALTER TABLE access_tokens ADD COLUMN description TEXT NOT NULL DEFAULT '';
CREATE INDEX access_tokens_by_user ON access_tokens (user_id);
UPDATE access_tokens SET scopes = '["api","sudo"]' WHERE is_root;

ALTER TABLE projects ADD COLUMN updated_at INTEGER;
ALTER TABLE projects ADD COLUMN deleted_at INTEGER;
CREATE INDEX projects_by_visibility ON projects (visibility) WHERE deleted_at IS NULL;
CREATE INDEX deleted_projects ON projects (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE moved_projects (
    path TEXT PRIMARY KEY COLLATE NOCASE,
    project_id INTEGER NOT NULL REFERENCES projects
) STRICT, WITHOUT ROWID;
CREATE INDEX moved_projects_by_project ON moved_projects (project_id);
