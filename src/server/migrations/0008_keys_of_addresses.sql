-- Accounts whose key is of older rules, because another account has the key of today's
-- (src/server/users/rekey.rs).
ALTER TABLE users ADD COLUMN has_old_key BIGINT NOT NULL DEFAULT 0;

CREATE INDEX users_with_old_key ON users (id) WHERE has_old_key = 1;
