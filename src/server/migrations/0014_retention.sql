-- The order in which src/server/retention.rs deletes. A session that no request has ended counts from its
-- latest possible end.
CREATE INDEX sessions_by_end ON sessions (COALESCE(ended_at, ends_at), id);
CREATE INDEX activity_by_time ON activity (at_ms);
CREATE INDEX api_keys_by_end ON api_keys (expires_at);

-- A notice has all that its client is told, so that it outlives the rows of its session and its user.
-- The old table is renamed first, which waits for writers of other nodes and lets none add to it.
ALTER TABLE logout_notices RENAME TO notices_before;
CREATE TABLE logout_notices (
    id          TEXT   NOT NULL PRIMARY KEY,
    client_id   TEXT   NOT NULL REFERENCES clients (id),
    user_id     TEXT   NOT NULL,
    session_id  TEXT   NOT NULL,
    tries       BIGINT NOT NULL,
    -- Null once it was delivered, or given up.
    next_try_at BIGINT,
    told_at     BIGINT
);

INSERT INTO logout_notices (id, client_id, user_id, session_id, tries, next_try_at, told_at)
    SELECT id, client_id, user_id, session_id, tries, next_try_at, told_at FROM notices_before;
DROP TABLE notices_before;
CREATE INDEX logout_notices_by_time ON logout_notices (next_try_at);
