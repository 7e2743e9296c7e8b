-- The audit log. Its rows outlive what they are about, so nothing is referenced.
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
