-- Variables kept in settings: of a project, of a group (a path under which
-- projects live), or of the instance when both are NULL.

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
