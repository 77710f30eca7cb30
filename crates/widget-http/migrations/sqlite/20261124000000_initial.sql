-- All times are whole microseconds since 1970-01-01T00:00:00Z: they compare and sort alike on every
-- database. Documents (config, custom metadata, domains) are JSON kept as the exact text that was
-- accepted.

CREATE TABLE api_keys (
    id              TEXT    NOT NULL PRIMARY KEY,
    organization_id TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    scopes          TEXT    NOT NULL, -- separated by spaces
    secret_hash     BLOB    NOT NULL, -- SHA-256
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    revoked_at      INTEGER
) STRICT;

CREATE TABLE signing_keys (
    id         TEXT    NOT NULL PRIMARY KEY,
    secret     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER -- still verifies for a while, signs no more
) STRICT;

CREATE TABLE agents (
    id              BLOB    NOT NULL PRIMARY KEY,
    organization_id TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    UNIQUE (organization_id, id)
) STRICT;

CREATE TABLE agent_versions (
    id                 BLOB    NOT NULL PRIMARY KEY,
    organization_id    TEXT    NOT NULL,
    agent_id           BLOB    NOT NULL,
    number             INTEGER NOT NULL,
    livekit_agent_name TEXT    NOT NULL,
    label              TEXT,
    created_at         INTEGER NOT NULL,
    published_at       INTEGER,
    UNIQUE (organization_id, id),
    UNIQUE (agent_id, number),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agents (organization_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE web_widgets (
    id               BLOB    NOT NULL PRIMARY KEY,
    organization_id  TEXT    NOT NULL,
    agent_id         BLOB    NOT NULL,
    agent_version_id BLOB    NOT NULL,
    domains          TEXT    NOT NULL,
    published        BOOLEAN NOT NULL,
    config           TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    revision         INTEGER NOT NULL, -- counts the writes, for ETag and compare-and-set
    FOREIGN KEY (organization_id, agent_id) REFERENCES agents (organization_id, id),
    FOREIGN KEY (organization_id, agent_version_id) REFERENCES agent_versions (organization_id, id)
);
CREATE INDEX web_widgets_newest ON web_widgets (organization_id, created_at DESC, id DESC);
CREATE INDEX web_widgets_agent ON web_widgets (organization_id, agent_id);
CREATE INDEX web_widgets_version ON web_widgets (organization_id, agent_version_id);

-- No foreign keys to widgets and agents: a conversation stays readable when they are gone.
CREATE TABLE conversations (
    id                 BLOB    NOT NULL PRIMARY KEY,
    organization_id    TEXT    NOT NULL,
    web_widget_id      BLOB    NOT NULL,
    agent_id           BLOB    NOT NULL,
    agent_version_id   BLOB    NOT NULL,
    livekit_agent_name TEXT    NOT NULL,
    origin             TEXT    NOT NULL, -- of the page that embeds the widget
    status             TEXT    NOT NULL,
    mode               TEXT    NOT NULL,
    custom_metadata    TEXT    NOT NULL,
    generation         INTEGER NOT NULL, -- of the newest room and of the conversation token
    repeat_used        BOOLEAN NOT NULL, -- that generation was made by the token before, which may do so once
    created_at         INTEGER NOT NULL,
    token_at           INTEGER NOT NULL, -- when that generation was made
    joined_at          INTEGER,
    active_at          INTEGER,
    away_since         INTEGER,
    ended_at           INTEGER,
    end_reason         TEXT,
    feedback_at        INTEGER
);
CREATE INDEX conversations_newest ON conversations (organization_id, created_at DESC, id DESC);
CREATE INDEX conversations_widget ON conversations (web_widget_id, status);
CREATE INDEX conversations_open ON conversations (token_at) WHERE ended_at IS NULL;

CREATE TABLE rooms (
    name            TEXT    NOT NULL PRIMARY KEY,
    conversation_id BLOB    NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    generation      INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    removal_due_at  INTEGER,          -- to be removed from LiveKit, next attempt not before
    attempts        INTEGER NOT NULL, -- failed removals
    removed_at      INTEGER,
    UNIQUE (conversation_id, generation)
) STRICT;
CREATE INDEX rooms_removal ON rooms (removal_due_at) WHERE removal_due_at IS NOT NULL;

CREATE TABLE messages (
    sequence        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    conversation_id BLOB    NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    reported_by     TEXT    NOT NULL, -- `agent` or `visitor`
    id              TEXT    NOT NULL,
    role            TEXT    NOT NULL,
    text            TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    UNIQUE (conversation_id, reported_by, id)
) STRICT;
CREATE INDEX messages_order ON messages (conversation_id, sequence);

CREATE TABLE used_tickets (
    id         TEXT    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX used_tickets_expiry ON used_tickets (expires_at);

CREATE TABLE webhook_events (
    id          TEXT    NOT NULL PRIMARY KEY,
    received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_events_age ON webhook_events (received_at);

CREATE TABLE idempotency_keys (
    organization_id TEXT    NOT NULL,
    key             TEXT    NOT NULL,
    request_hash    BLOB    NOT NULL,
    answer          TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, key)
) STRICT;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
