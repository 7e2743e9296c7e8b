-- Push hooks, webhooks and commit statuses.

CREATE TABLE push_hooks (
    project_id INTEGER PRIMARY KEY REFERENCES projects,
    owner_id INTEGER NOT NULL REFERENCES users,
    sealed_secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;
