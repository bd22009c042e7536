-- A response that seems lost is answered with a generation of its own, so the generation that was
-- shown last may be several before the newest.
ALTER TABLE sessions ADD COLUMN seen_generation BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET seen_generation = generation - 1;

-- The cookie of a sign-in counts as seen: no other cookie of its session is valid.
UPDATE sessions SET successor_seen_at = renewed_at WHERE generation = 1;
