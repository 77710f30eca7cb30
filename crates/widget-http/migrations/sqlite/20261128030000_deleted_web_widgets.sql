-- Deleted widgets are kept apart, with their history, so that no node serves them and they do not keep
-- their agents from being deleted. A restored widget may point at an agent that is gone: `pin_registered`
-- says whether the agent and the version were in the registry when the widget was written, and only such
-- a widget keeps them from being deleted.
--
-- SQLite cannot drop a foreign key, so both tables are built anew.

CREATE TABLE new_web_widgets (
    id                  BLOB    NOT NULL PRIMARY KEY,
    organization_id     TEXT    NOT NULL,
    agent_id            BLOB    NOT NULL,
    agent_version_id    BLOB    NOT NULL,
    domains             TEXT    NOT NULL,
    published           BOOLEAN NOT NULL,
    config              TEXT    NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    revision            INTEGER NOT NULL, -- counts the writes, for ETag and compare-and-set
    pin_registered      BOOLEAN NOT NULL DEFAULT TRUE,
    registered_agent    BLOB GENERATED ALWAYS AS (CASE WHEN pin_registered THEN agent_id END) STORED,
    registered_version  BLOB GENERATED ALWAYS AS (CASE WHEN pin_registered THEN agent_version_id END) STORED,
    FOREIGN KEY (organization_id, registered_agent) REFERENCES agents (organization_id, id),
    FOREIGN KEY (organization_id, registered_version) REFERENCES agent_versions (organization_id, id)
);
INSERT INTO new_web_widgets (id, organization_id, agent_id, agent_version_id, domains, published, config, created_at,
                             updated_at, revision)
SELECT id, organization_id, agent_id, agent_version_id, domains, published, config, created_at, updated_at, revision
FROM web_widgets;

CREATE TABLE new_web_widget_revisions (
    web_widget_id    BLOB    NOT NULL REFERENCES new_web_widgets (id) ON DELETE CASCADE,
    number           INTEGER NOT NULL,
    api_key_id       TEXT    NOT NULL, -- the key that wrote; it may be gone by now
    restored_from    INTEGER,
    created_at       INTEGER NOT NULL,
    agent_id         BLOB    NOT NULL,
    agent_version_id BLOB    NOT NULL,
    domains          TEXT    NOT NULL,
    published        BOOLEAN NOT NULL,
    config           TEXT    NOT NULL,
    PRIMARY KEY (web_widget_id, number)
);
INSERT INTO new_web_widget_revisions (web_widget_id, number, api_key_id, restored_from, created_at, agent_id,
                                      agent_version_id, domains, published, config)
SELECT web_widget_id, number, api_key_id, restored_from, created_at, agent_id, agent_version_id, domains, published,
       config
FROM web_widget_revisions;

DROP TABLE web_widget_revisions;
DROP TABLE web_widgets;
ALTER TABLE new_web_widgets RENAME TO web_widgets;
ALTER TABLE new_web_widget_revisions RENAME TO web_widget_revisions;

CREATE INDEX web_widgets_newest ON web_widgets (organization_id, created_at DESC, id DESC);
CREATE INDEX web_widgets_agent ON web_widgets (organization_id, agent_id);
CREATE INDEX web_widgets_registered_agent ON web_widgets (organization_id, registered_agent);
CREATE INDEX web_widgets_registered_version ON web_widgets (organization_id, registered_version);

CREATE TABLE deleted_web_widgets (
    id               BLOB    NOT NULL PRIMARY KEY,
    organization_id  TEXT    NOT NULL,
    agent_id         BLOB    NOT NULL, -- it may be gone by now, and so may the version
    agent_version_id BLOB    NOT NULL,
    domains          TEXT    NOT NULL,
    published        BOOLEAN NOT NULL,
    config           TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    revision         INTEGER NOT NULL,
    deleted_at       INTEGER NOT NULL,
    deleted_by       TEXT    NOT NULL  -- the API key; it may be gone by now
);
CREATE INDEX deleted_web_widgets_newest ON deleted_web_widgets (organization_id, deleted_at DESC, id DESC);

CREATE TABLE deleted_web_widget_revisions (
    web_widget_id    BLOB    NOT NULL REFERENCES deleted_web_widgets (id) ON DELETE CASCADE,
    number           INTEGER NOT NULL,
    api_key_id       TEXT    NOT NULL,
    restored_from    INTEGER,
    created_at       INTEGER NOT NULL,
    agent_id         BLOB    NOT NULL,
    agent_version_id BLOB    NOT NULL,
    domains          TEXT    NOT NULL,
    published        BOOLEAN NOT NULL,
    config           TEXT    NOT NULL,
    PRIMARY KEY (web_widget_id, number)
);
