-- Whether the room was made because the visitor went to another page of the site. Older nodes do not set
-- it, and their workers welcome the visitor back.

ALTER TABLE rooms ADD COLUMN page_changed BOOLEAN NOT NULL DEFAULT FALSE;
