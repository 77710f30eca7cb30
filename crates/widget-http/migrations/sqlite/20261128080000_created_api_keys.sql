-- Which key created a key, so that it ends with it, and the day on which each was last used.

ALTER TABLE api_keys ADD COLUMN created_by TEXT; -- the key; NULL for one of the command line
ALTER TABLE api_keys ADD COLUMN last_used_on TEXT; -- a day in UTC, such as 2026-01-31
CREATE INDEX api_keys_newest ON api_keys (organization_id, created_at DESC, id DESC);
CREATE INDEX api_keys_created_by ON api_keys (created_by) WHERE created_by IS NOT NULL;
