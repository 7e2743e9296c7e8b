-- What jobs reported, read from files that may be gone since.

CREATE TABLE test_counts (
    attempt_id INTEGER PRIMARY KEY REFERENCES attempts ON DELETE CASCADE,
    total_time REAL NOT NULL,
    success INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    error INTEGER NOT NULL,
    suite_error TEXT
) STRICT;

-- Encrypted by the server.
CREATE TABLE dotenv_variables (
    attempt_id INTEGER PRIMARY KEY REFERENCES attempts ON DELETE CASCADE,
    sealed BLOB NOT NULL
) STRICT;
