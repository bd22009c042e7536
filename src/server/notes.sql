-- Notes that people write for themselves.
CREATE TABLE IF NOT EXISTS notes (
    id            TEXT   NOT NULL PRIMARY KEY,
    user_id       TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    text          TEXT   NOT NULL,
    -- Unix milliseconds: the order on the page is the order in which they were written.
    written_at_ms BIGINT NOT NULL
);

CREATE INDEX IF NOT EXISTS notes_by_user ON notes (user_id, written_at_ms, id);
