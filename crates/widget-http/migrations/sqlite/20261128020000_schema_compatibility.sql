-- The oldest program that may use this database: one that knows this migration, by the name of its
-- release. A migration that removes what older programs need raises both.

CREATE TABLE schema_compatibility (
    id               INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    oldest_migration INTEGER NOT NULL,
    oldest_release   TEXT    NOT NULL
) STRICT;
INSERT INTO schema_compatibility (id, oldest_migration, oldest_release) VALUES (1, 20261124000000, '0.1.0');
