-- When a delayed job starts, while it waits for that.
ALTER TABLE attempts ADD COLUMN starts_at INTEGER;
CREATE INDEX delayed_attempts ON attempts (starts_at) WHERE starts_at IS NOT NULL;
