-- What people have allowed programs, and what these programs hold for it. All of it hangs on the
-- grant: what revokes it stops the rest.

CREATE TABLE grants (
    -- Public: access tokens name it.
    id             TEXT   NOT NULL PRIMARY KEY,
    user_id        TEXT   NOT NULL REFERENCES users (id),
    client_id      TEXT   NOT NULL REFERENCES clients (id),
    -- The session with which it ends; null: it outlives it (offline_access).
    session_id     TEXT   REFERENCES sessions (id),
    -- Separated by spaces.
    scopes         TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    -- When its owner was last asked for consent and gave it, and in which session; null where
    -- nobody is asked.
    consented_at   BIGINT,
    consented_in   TEXT,
    -- When tokens were last handed out; null until they are.
    last_used_at   BIGINT,
    revoked_at     BIGINT,
    -- session_ended (consent is still remembered), revoked_by_owner, session_copied,
    -- password_changed, disabled, code_replayed, refresh_token_replayed, …
    revoked_reason TEXT
);

CREATE INDEX grants_by_user ON grants (user_id, client_id);
CREATE INDEX grants_by_session ON grants (session_id);

CREATE TABLE authorization_codes (
    -- SHA-256 of the code.
    hashed_code  TEXT   NOT NULL PRIMARY KEY,
    grant_id     TEXT   NOT NULL REFERENCES grants (id),
    redirect_uri TEXT   NOT NULL,
    -- The S256 challenge (RFC 7636).
    challenge    TEXT   NOT NULL,
    nonce        TEXT,
    scopes       TEXT   NOT NULL,
    -- The session in which it was asked for, by its public id, and when and how its owner had
    -- last proved who they are.
    session_id       TEXT   NOT NULL,
    authenticated_at BIGINT NOT NULL,
    authenticated_by TEXT   NOT NULL,
    ends_at      BIGINT NOT NULL,
    used_at      BIGINT
);

CREATE TABLE refresh_tokens (
    -- SHA-256 of the token.
    hashed_token TEXT   NOT NULL PRIMARY KEY,
    -- The family: when one of them is used twice, all of it stops.
    grant_id     TEXT   NOT NULL REFERENCES grants (id),
    scopes       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    -- The same for all that follow one another.
    ends_at      BIGINT NOT NULL,
    used_at      BIGINT
);

CREATE INDEX refresh_tokens_by_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (ends_at);

CREATE INDEX authorization_codes_by_grant ON authorization_codes (grant_id);
CREATE INDEX authorization_codes_by_session ON authorization_codes (session_id);
CREATE INDEX authorization_codes_by_end ON authorization_codes (ends_at);

-- What clients are to be told of sessions that have ended (OpenID Connect Back-Channel Logout).
CREATE TABLE logout_notices (
    id          TEXT   NOT NULL PRIMARY KEY,
    client_id   TEXT   NOT NULL REFERENCES clients (id),
    user_id     TEXT   NOT NULL REFERENCES users (id),
    session_id  TEXT   NOT NULL REFERENCES sessions (id),
    tries       BIGINT NOT NULL,
    -- Null once it was told, or given up.
    next_try_at BIGINT,
    told_at     BIGINT
);

CREATE INDEX logout_notices_by_time ON logout_notices (next_try_at);
