-- When a worker was last seen to join a room, by the name under which it registers with LiveKit;
-- written once an hour at most.

CREATE TABLE agent_workers (
    organization_id    TEXT   NOT NULL,
    livekit_agent_name TEXT   NOT NULL,
    seen_at            INTEGER NOT NULL,
    PRIMARY KEY (organization_id, livekit_agent_name)
);
