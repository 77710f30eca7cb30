-- Links that show a draft of a widget. A draft is complete: a change of the widget does not change it.
-- The token of a link is not stored, only its hash.

CREATE TABLE previews (
    id               BLOB    NOT NULL PRIMARY KEY,
    organization_id  TEXT    NOT NULL,
    web_widget_id    BLOB    NOT NULL REFERENCES web_widgets (id) ON DELETE CASCADE,
    token_hash       BLOB    NOT NULL UNIQUE, -- SHA-256
    agent_id         BLOB    NOT NULL, -- it may be gone by now, and so may the version
    agent_version_id BLOB    NOT NULL,
    config           TEXT    NOT NULL,
    revision         INTEGER NOT NULL, -- counts the drafts
    created_at       INTEGER NOT NULL,
    created_by       TEXT    NOT NULL, -- the API key; it may be gone by now
    updated_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX previews_widget ON previews (web_widget_id, created_at);
CREATE INDEX previews_expiry ON previews (expires_at);

-- The preview by whose link a conversation was started; it may be gone by now.

ALTER TABLE conversations ADD COLUMN preview_id BLOB;
CREATE INDEX conversations_preview ON conversations (preview_id, created_at) WHERE preview_id IS NOT NULL;
