-- A form with a password gives its session a new sid. When the form is sent twice, the second request
-- shows the sid before: SHA-256 of that, when it was replaced, and by what (password_changed,
-- password_confirmed).
ALTER TABLE sessions ADD COLUMN replaced_sid TEXT;
ALTER TABLE sessions ADD COLUMN replaced_at BIGINT;
ALTER TABLE sessions ADD COLUMN replaced_by TEXT;
