-- Deleted widgets are kept apart, with their history, so that no node serves them and they do not keep
-- their agents from being deleted. A restored widget may point at an agent that is gone: `pin_registered`
-- says whether the agent and the version were in the registry when the widget was written, and only such
-- a widget keeps them from being deleted.

DO $$
DECLARE
    name TEXT;
BEGIN
    FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = 'web_widgets'::regclass AND contype = 'f' LOOP
        EXECUTE format('ALTER TABLE web_widgets DROP CONSTRAINT %I', name);
    END LOOP;
END
$$;

ALTER TABLE web_widgets ADD COLUMN pin_registered BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE web_widgets
    ADD COLUMN registered_agent UUID GENERATED ALWAYS AS (CASE WHEN pin_registered THEN agent_id END) STORED,
    ADD COLUMN registered_version UUID GENERATED ALWAYS AS (CASE WHEN pin_registered THEN agent_version_id END) STORED;
ALTER TABLE web_widgets
    ADD FOREIGN KEY (organization_id, registered_agent) REFERENCES agents (organization_id, id),
    ADD FOREIGN KEY (organization_id, registered_version) REFERENCES agent_versions (organization_id, id);
DROP INDEX web_widgets_version;
CREATE INDEX web_widgets_registered_agent ON web_widgets (organization_id, registered_agent);
CREATE INDEX web_widgets_registered_version ON web_widgets (organization_id, registered_version);

CREATE TABLE deleted_web_widgets (
    id               UUID    NOT NULL PRIMARY KEY,
    organization_id  TEXT    NOT NULL,
    agent_id         UUID    NOT NULL, -- it may be gone by now, and so may the version
    agent_version_id UUID    NOT NULL,
    domains          TEXT    NOT NULL,
    published        BOOLEAN NOT NULL,
    config           TEXT    NOT NULL,
    created_at       BIGINT  NOT NULL,
    updated_at       BIGINT  NOT NULL,
    revision         BIGINT  NOT NULL,
    deleted_at       BIGINT  NOT NULL,
    deleted_by       TEXT    NOT NULL  -- the API key; it may be gone by now
);
CREATE INDEX deleted_web_widgets_newest ON deleted_web_widgets (organization_id, deleted_at DESC, id DESC);

CREATE TABLE deleted_web_widget_revisions (
    web_widget_id    UUID    NOT NULL REFERENCES deleted_web_widgets (id) ON DELETE CASCADE,
    number           BIGINT  NOT NULL,
    api_key_id       TEXT    NOT NULL,
    restored_from    BIGINT,
    created_at       BIGINT  NOT NULL,
    agent_id         UUID    NOT NULL,
    agent_version_id UUID    NOT NULL,
    domains          TEXT    NOT NULL,
    published        BOOLEAN NOT NULL,
    config           TEXT    NOT NULL,
    PRIMARY KEY (web_widget_id, number)
);
