-- Secrets and variables of workflows. A setting has a variant at least; a variant
-- is told by its name and attributes, a JSON list in one order.
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

-- Files that clients keep under names of their own. While one is uploaded, it has
-- no finished_at and no size.
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
