-- Deleted accounts whose API keys have a valid signature: nodes refuse these keys until they expire.
CREATE TABLE deleted_users (
    id                 TEXT   NOT NULL PRIMARY KEY,
    -- When the last of the keys expires.
    keys_refused_until BIGINT NOT NULL
);

CREATE INDEX deleted_users_by_end ON deleted_users (keys_refused_until);
