-- The keys of a user are numbered. One number then refuses all keys below it, and the list of revoked
-- keys, which every node has in memory, need not name them. Keys of earlier versions have the number 0.
ALTER TABLE api_keys ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
-- The session in which the key was made; null for keys of earlier versions.
ALTER TABLE api_keys ADD COLUMN made_in TEXT;

-- The number of the user's newest key,
ALTER TABLE users ADD COLUMN keys_made BIGINT NOT NULL DEFAULT 0;
-- the cutoff: keys with a lower number are refused,
ALTER TABLE users ADD COLUMN keys_refused_below BIGINT NOT NULL DEFAULT 0;
-- and when the last key below the cutoff expires.
ALTER TABLE users ADD COLUMN keys_refused_until BIGINT NOT NULL DEFAULT 0;

CREATE INDEX users_with_cutoff ON users (keys_refused_until) WHERE keys_refused_below > 0;
