-- What happened to an account, for its owner to read.
CREATE TABLE activity (
    id         TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id),
    -- Unix milliseconds: the order on the page is the order in which it happened.
    at_ms      BIGINT NOT NULL,
    -- signed_in, sign_in_failed, session_copied, …
    kind       TEXT   NOT NULL,
    -- The public id of the session that it is about, where there is one.
    session_id TEXT,
    -- Sessions ended, or tries that failed one after the other.
    how_many   BIGINT NOT NULL,
    user_agent TEXT   NOT NULL,
    address    TEXT   NOT NULL
);

CREATE INDEX activity_by_user ON activity (user_id, at_ms, id);

-- When a copy of one of their sessions was noticed, until they change their password.
ALTER TABLE users ADD COLUMN copied_at BIGINT;

-- What all nodes of one deployment must agree on: the fingerprint of the signing secret.
CREATE TABLE deployment (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
