-- Monthly partitions of conversations, their rooms and their messages, for PostgreSQL 15 or newer.
-- docs/scale.md says when that is worth it. Run it once with `psql -1 -f partitions.sql` while no
-- service runs; it copies what is there.
--
-- An id of a conversation begins with the time at which it started (UUID version 7). So a month is
-- a range of ids, every id is unique in the whole table, and what is looked up by id is looked up
-- in one partition.

-- The lowest id of that time or later.
CREATE FUNCTION lowest_id(at TIMESTAMPTZ) RETURNS UUID LANGUAGE sql STABLE AS $$
    SELECT rpad(lpad(to_hex(CAST(extract(epoch FROM at) * 1000 AS BIGINT)), 12, '0'), 32, '0')::UUID
$$;

-- The name of a partition.
CREATE FUNCTION month_of(parent TEXT, month DATE) RETURNS TEXT LANGUAGE sql STABLE AS $$
    SELECT parent || to_char(month, '_YYYY_MM')
$$;

-- Takes no samples of what an erasure removes, as the migrations have it; partitions do not inherit that.
CREATE FUNCTION forbid_samples(conversations TEXT, messages TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ALTER origin SET STATISTICS 0, ALTER custom_metadata SET STATISTICS 0',
        conversations);
    EXECUTE format('ALTER TABLE %I ALTER id SET STATISTICS 0, ALTER text SET STATISTICS 0', messages);
END $$;

-- Creates the partitions of a month if they are missing: some months ahead, each month.
CREATE FUNCTION create_month(month DATE) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    parent TEXT;
    first  TIMESTAMPTZ := date_trunc('month', month::TIMESTAMP) AT TIME ZONE 'UTC';
    next   TIMESTAMPTZ := (date_trunc('month', month::TIMESTAMP) + INTERVAL '1 month') AT TIME ZONE 'UTC';
BEGIN
    FOREACH parent IN ARRAY ARRAY['conversations', 'rooms', 'messages'] LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
            month_of(parent, month), parent, lowest_id(first), lowest_id(next));
    END LOOP;
    PERFORM forbid_samples(month_of('conversations', month), month_of('messages', month));
END $$;

-- Drops a month. What refers to conversations goes first.
CREATE FUNCTION drop_month(month DATE) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TABLE %I', month_of('messages', month));
    EXECUTE format('DROP TABLE %I', month_of('rooms', month));
    EXECUTE format('ALTER TABLE conversations DETACH PARTITION %I', month_of('conversations', month));
    EXECUTE format('DROP TABLE %I', month_of('conversations', month));
END $$;

ALTER TABLE conversations RENAME TO old_conversations;
ALTER TABLE rooms RENAME TO old_rooms;
ALTER TABLE messages RENAME TO old_messages;

CREATE TABLE conversations (LIKE old_conversations INCLUDING ALL) PARTITION BY RANGE (id);

CREATE TABLE rooms (LIKE old_rooms INCLUDING DEFAULTS) PARTITION BY RANGE (conversation_id);
ALTER TABLE rooms
    ADD PRIMARY KEY (conversation_id, generation),
    ADD FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE;
CREATE INDEX ON rooms (name);
CREATE INDEX ON rooms (removal_due_at) WHERE removal_due_at IS NOT NULL;
CREATE INDEX ON rooms (removed_at) WHERE removed_at IS NOT NULL;

CREATE TABLE messages (LIKE old_messages INCLUDING DEFAULTS INCLUDING IDENTITY)
    PARTITION BY RANGE (conversation_id);
ALTER TABLE messages
    ADD PRIMARY KEY (conversation_id, reported_by, id),
    ADD FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE;
CREATE INDEX ON messages (conversation_id, sequence);
CREATE TRIGGER messages_of_erased BEFORE INSERT OR UPDATE ON messages
    FOR EACH ROW EXECUTE FUNCTION refuse_message_of_erased();

SELECT forbid_samples('conversations', 'messages');

-- From the first conversation to next month.
SELECT create_month(month::DATE) FROM generate_series(
    date_trunc('month', coalesce(
        (SELECT to_timestamp(min(created_at) / 1000000.0) FROM old_conversations), now())),
    now() + INTERVAL '1 month', INTERVAL '1 month') AS month;

INSERT INTO conversations SELECT * FROM old_conversations;
INSERT INTO rooms SELECT * FROM old_rooms;
INSERT INTO messages OVERRIDING SYSTEM VALUE SELECT * FROM old_messages;
SELECT setval(pg_get_serial_sequence('messages', 'sequence'),
    (SELECT coalesce(max(sequence), 0) + 1 FROM messages), FALSE);
DROP TABLE old_messages, old_rooms, old_conversations;
