-- What each widget was after each write of it: who wrote, and from which earlier revision it was
-- restored.

CREATE TABLE web_widget_revisions (
    web_widget_id    BLOB    NOT NULL REFERENCES web_widgets (id) ON DELETE CASCADE,
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

INSERT INTO web_widget_revisions (web_widget_id, number, api_key_id, created_at, agent_id, agent_version_id, domains,
                                  published, config)
SELECT id, revision, '', updated_at, agent_id, agent_version_id, domains, published, config FROM web_widgets;
