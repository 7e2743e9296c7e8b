-- Files past their time that have to stay are looked at again later.
ALTER TABLE artifacts ADD COLUMN recheck_at INTEGER;
DROP INDEX artifacts_by_expiry;
CREATE INDEX artifacts_by_due ON artifacts (coalesce(recheck_at, expires_at))
WHERE expires_at IS NOT NULL;
