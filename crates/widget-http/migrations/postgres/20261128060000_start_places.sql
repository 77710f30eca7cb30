-- Where a conversation was started, as a keyed hash of the caller's address (IPv4 address or IPv6 /64) and
-- of its network (IPv6 /48): how many wait there to be joined is bounded. Null when somebody has joined it,
-- when it has ended, and where nothing is counted. Rows of older nodes have neither and are not counted.

ALTER TABLE conversations ADD COLUMN start_address TEXT;
ALTER TABLE conversations ADD COLUMN start_network TEXT;
CREATE INDEX conversations_start_address ON conversations (start_address) WHERE start_address IS NOT NULL;
CREATE INDEX conversations_start_network ON conversations (start_network) WHERE start_network IS NOT NULL;
