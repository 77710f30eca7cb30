-- Every build of the loader, the panel script and the window that a page may still ask for, so that
-- every node serves it. The name in addresses is the start of the SHA-256 of the bytes.

CREATE TABLE embed_builds (
    kind          TEXT   NOT NULL, -- `loader`, `panel` or `window`
    hash          TEXT   NOT NULL, -- the name, in hexadecimal digits
    bytes         BYTEA   NOT NULL, -- a script, or all files of a window
    first_seen_at BIGINT NOT NULL,
    last_seen_at  BIGINT NOT NULL, -- by a node that has it in its binary, or by a page; to a day
    PRIMARY KEY (kind, hash)
);
CREATE INDEX embed_builds_age ON embed_builds (last_seen_at);
