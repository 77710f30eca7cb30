-- When the limits end a conversation if nothing else happens, computed by the rules at each change. Rows
-- that exist already, and those that older nodes still write, have 0: they are due at once, so that the
-- sweep judges each of them by the rules and stores its time. Ended conversations need no time.
--
-- `conversations_open` serves older nodes; a later release drops it.

ALTER TABLE conversations ADD COLUMN due_at INTEGER DEFAULT 0;
CREATE INDEX conversations_due ON conversations (due_at, id) WHERE ended_at IS NULL;
