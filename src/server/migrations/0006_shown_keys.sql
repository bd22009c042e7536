-- The session that shows a new key until its owner confirms that they have it. The text of the key is
-- not kept: the server signs it once more from its row.
ALTER TABLE api_keys ADD COLUMN shown_in TEXT;
