-- Links that show a draft of a widget. A draft is complete: a change of the widget does not change it.
-- The token of a link is not stored, only its hash.

CREATE TABLE previews (
    id               UUID    NOT NULL PRIMARY KEY,
    organization_id  TEXT    NOT NULL,
    web_widget_id    UUID    NOT NULL REFERENCES web_widgets (id) ON DELETE CASCADE,
    token_hash       BYTEA   NOT NULL UNIQUE, -- SHA-256
    agent_id         UUID    NOT NULL, -- it may be gone by now, and so may the version
    agent_version_id UUID    NOT NULL,
    config           TEXT    NOT NULL,
    revision         BIGINT  NOT NULL, -- counts the drafts
    created_at       BIGINT  NOT NULL,
    created_by       TEXT    NOT NULL, -- the API key; it may be gone by now
    updated_at       BIGINT  NOT NULL,
    expires_at       BIGINT  NOT NULL
);
CREATE INDEX previews_widget ON previews (web_widget_id, created_at);
CREATE INDEX previews_expiry ON previews (expires_at);

-- The preview by whose link a conversation was started; it may be gone by now.

ALTER TABLE conversations ADD COLUMN preview_id UUID;
CREATE INDEX conversations_preview ON conversations (preview_id, created_at) WHERE preview_id IS NOT NULL;
