-- Keys of people's programs. What a key is worth is in its signature; the row is what its owner
-- sees of it, and what stops it. No key can be made from a row.

CREATE TABLE api_keys (
    -- The key's jti. Public: shown to its owner.
    id           TEXT   NOT NULL PRIMARY KEY,
    user_id      TEXT   NOT NULL REFERENCES users (id),
    -- What its owner calls it.
    label        TEXT   NOT NULL,
    -- How it begins and ends: enough to tell it from others, too little to use it.
    shown_as     TEXT   NOT NULL,
    -- Separated by spaces (RFC 6749, 3.3).
    scopes       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    -- Written at most once a minute.
    last_used_at BIGINT,
    revoked_at   BIGINT
);

CREATE INDEX api_keys_by_user ON api_keys (user_id, expires_at);

-- What every node has in memory: those that are refused although their signature is right.
CREATE INDEX api_keys_revoked ON api_keys (expires_at) WHERE revoked_at IS NOT NULL;
