-- Schedules. An id stays in the runs that it started, so it is never used again.

CREATE TABLE schedules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    owner_id INTEGER REFERENCES users ON DELETE SET NULL,
    description TEXT NOT NULL,
    ref_name TEXT NOT NULL,
    cron TEXT NOT NULL,
    cron_timezone TEXT NOT NULL,
    seed INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    next_run_at INTEGER,
    last_due_at INTEGER,
    failure TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX schedules_by_project ON schedules (project_id);
CREATE INDEX schedules_by_time ON schedules (next_run_at) WHERE is_active = 1;

CREATE TABLE schedule_variables (
    id INTEGER PRIMARY KEY,
    schedule_id INTEGER NOT NULL REFERENCES schedules ON DELETE CASCADE,
    key TEXT NOT NULL,
    sealed_value BLOB NOT NULL,
    is_file INTEGER NOT NULL,
    UNIQUE (schedule_id, key)
) STRICT;

CREATE INDEX runs_by_schedule ON runs (project_id, schedule_id) WHERE schedule_id IS NOT NULL;
