-- When a change of the password last left a key or grant in place; null: it was made since then, so that
-- an attacker who knew the password may have made it. No two clocks are compared.
ALTER TABLE api_keys ADD COLUMN kept_at BIGINT;
ALTER TABLE grants ADD COLUMN kept_at BIGINT;
