-- People, and the sessions that sign them in. What stops is stamped, not deleted.
-- Both databases read this text: TEXT ids, BIGINT unix seconds, BIGINT 0/1.

CREATE TABLE users (
    id            TEXT   NOT NULL PRIMARY KEY,
    -- As it was typed, its domain in lower-case ASCII.
    email         TEXT   NOT NULL,
    -- What makes two addresses one account: lower case throughout.
    email_key     TEXT   NOT NULL UNIQUE,
    -- A PHC string. Argon2id.
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    disabled_at   BIGINT
);

CREATE TABLE sessions (
    -- Public: shown to its owner. It signs nobody in.
    id                TEXT   NOT NULL PRIMARY KEY,
    -- SHA-256 of the sid in the cookie.
    hashed_sid        TEXT   NOT NULL UNIQUE,
    user_id           TEXT   NOT NULL REFERENCES users (id),
    created_at        BIGINT NOT NULL,
    -- Written at most once a minute.
    last_seen_at      BIGINT NOT NULL,
    -- Renewal: the generation that the newest cookie carries, when it was made, and when it was
    -- first seen in a request (null until then).
    generation        BIGINT NOT NULL,
    renewed_at        BIGINT NOT NULL,
    successor_seen_at BIGINT,
    -- When and how its owner last proved who they are: pwd, otp, webauthn (RFC 8176).
    authenticated_at  BIGINT NOT NULL,
    authenticated_by  TEXT   NOT NULL,
    user_agent        TEXT   NOT NULL,
    address           TEXT   NOT NULL,
    -- "Keep me signed in": whether the browser keeps the cookie when it closes.
    is_kept           BIGINT NOT NULL,
    idle_timeout_s    BIGINT NOT NULL,
    ends_at           BIGINT NOT NULL,
    ended_at          BIGINT,
    -- signed_out, replaced, …
    end_reason        TEXT
);

CREATE INDEX sessions_by_user ON sessions (user_id, ended_at);
