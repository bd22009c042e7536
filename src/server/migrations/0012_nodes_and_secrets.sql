-- Processes that serve this database, and the signing secrets that each has.
CREATE TABLE nodes (
    id      TEXT   NOT NULL PRIMARY KEY,
    -- Fingerprints, the newest first, separated by spaces.
    secrets TEXT   NOT NULL,
    -- By the clock of the database; written every few seconds where several nodes may serve.
    seen_at BIGINT NOT NULL
);

-- Signing secrets that a node has signed with.
CREATE TABLE secrets (
    -- The fingerprint.
    id                TEXT   NOT NULL PRIMARY KEY,
    -- The last time that a node is known to have signed with it.
    last_signed_at    BIGINT NOT NULL,
    -- The key by which it signs API keys, closed with the newest secret: API keys so outlive the secret.
    -- Empty: none.
    api_key_secret    TEXT   NOT NULL DEFAULT '',
    -- When all API keys of it ended.
    api_keys_ended_at BIGINT,
    -- When the last step of an exchange dropped it: no node signs with it any more.
    dropped_at        BIGINT
);
