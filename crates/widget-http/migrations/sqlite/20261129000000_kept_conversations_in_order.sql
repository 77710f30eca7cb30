-- The conversations of an organization that were not erased, in the order of time, as an erasure by filter, an
-- export and a search by content read them: at the cost of those, and not of all that were erased.

CREATE INDEX IF NOT EXISTS conversations_kept_in_order
    ON conversations (organization_id, created_at, id) WHERE erased_at IS NULL;
