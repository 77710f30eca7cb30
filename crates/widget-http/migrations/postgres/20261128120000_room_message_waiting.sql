-- Whether the visitor had written something when the room was made, which waits for the agent.
-- Older nodes do not set it, and their workers greet before they answer.

ALTER TABLE rooms ADD COLUMN message_waiting BOOLEAN NOT NULL DEFAULT FALSE;
