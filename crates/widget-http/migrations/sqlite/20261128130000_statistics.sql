-- Numbers about widgets, which stay when conversations are erased and when a widget is deleted and restored.
-- Visits are counted by each process and added every few seconds; a conversation is added with its end, at
-- the time at which it began.

CREATE TABLE web_widget_statistics (
    web_widget_id BLOB    NOT NULL,
    period        TEXT    NOT NULL, -- `hour` or `day`
    point         INTEGER NOT NULL, -- hours or days since 1970, in UTC
    counter       TEXT    NOT NULL,
    amount        INTEGER NOT NULL,
    PRIMARY KEY (web_widget_id, period, point, counter)
) STRICT;
CREATE INDEX web_widget_statistics_age ON web_widget_statistics (period, point);

-- The commonest refusals of a day by the page's origin, at most 100, and the sum of all others.

CREATE TABLE web_widget_refusals (
    web_widget_id BLOB    NOT NULL,
    day           INTEGER NOT NULL, -- days since 1970, in UTC
    origin        TEXT    NOT NULL, -- empty: not a valid origin
    code          TEXT    NOT NULL, -- empty: all others
    amount        INTEGER NOT NULL,
    uncertain     INTEGER NOT NULL, -- how many more there may have been
    first_at      INTEGER NOT NULL,
    last_at       INTEGER NOT NULL,
    PRIMARY KEY (web_widget_id, day, origin, code)
) STRICT;
CREATE INDEX web_widget_refusals_age ON web_widget_refusals (day);

-- What is counted of a conversation beside its state: how it began, and how long the visitor sent their
-- voice. Older nodes do not set it. What they end is counted by a newer one.

ALTER TABLE conversations ADD COLUMN start_mode TEXT; -- null: as `mode`
ALTER TABLE conversations ADD COLUMN voice_micros INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN voice_since INTEGER; -- while their voice is there
ALTER TABLE conversations ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX conversations_uncounted ON conversations (ended_at) WHERE ended_at IS NOT NULL AND NOT counted;
