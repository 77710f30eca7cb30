-- A conversation that was erased keeps its row without what the visitor, the page or the agent said. The
-- database itself refuses content in such a row and messages of it, whichever release writes them.

ALTER TABLE conversations ADD COLUMN erased_by TEXT; -- the API key, or `retention`
ALTER TABLE conversations ADD COLUMN erased_at INTEGER CHECK (
    erased_at IS NULL
    OR (erased_by IS NOT NULL AND ended_at IS NOT NULL AND custom_metadata = '{}'
        AND origin = 'https://erased.invalid' AND start_address IS NULL AND start_network IS NULL)
);

CREATE TRIGGER messages_of_erased BEFORE INSERT ON messages
WHEN (SELECT c.erased_at FROM conversations c WHERE c.id = NEW.conversation_id) IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the conversation was erased');
END;
CREATE TRIGGER changed_messages_of_erased BEFORE UPDATE ON messages
WHEN (SELECT c.erased_at FROM conversations c WHERE c.id = NEW.conversation_id) IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the conversation was erased');
END;

-- What is due by the retention of the service, of an organization or of a widget.
CREATE INDEX conversations_kept ON conversations (ended_at)
    WHERE erased_at IS NULL AND ended_at IS NOT NULL;
CREATE INDEX conversations_kept_of_organization ON conversations (organization_id, ended_at)
    WHERE erased_at IS NULL AND ended_at IS NOT NULL;
CREATE INDEX conversations_kept_of_widget ON conversations (web_widget_id, ended_at)
    WHERE erased_at IS NULL AND ended_at IS NOT NULL;

CREATE TABLE retentions (
    organization_id TEXT    NOT NULL,
    web_widget_id   BLOB    NOT NULL, -- all zeros: the whole organization
    days            INTEGER NOT NULL,
    api_key_id      TEXT    NOT NULL, -- the key that set it; it may be gone by now
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, web_widget_id)
) STRICT;

CREATE TABLE erasure_jobs (
    id              BLOB    NOT NULL PRIMARY KEY,
    organization_id TEXT    NOT NULL,
    api_key_id      TEXT    NOT NULL,
    selection       TEXT    NOT NULL, -- JSON; empty when the job is done
    dry_run         BOOLEAN NOT NULL,
    matched         INTEGER NOT NULL,
    erased          INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    finished_at     INTEGER,
    position_at     INTEGER NOT NULL, -- the last conversation that was looked at
    position_id     BLOB    NOT NULL,
    leased_until    INTEGER NOT NULL  -- another node may go on with it then
);
CREATE INDEX erasure_jobs_running ON erasure_jobs (created_at) WHERE finished_at IS NULL;
CREATE INDEX erasure_jobs_finished ON erasure_jobs (finished_at) WHERE finished_at IS NOT NULL;

CREATE INDEX rooms_removed ON rooms (removed_at) WHERE removed_at IS NOT NULL;
