-- Limits that keys set for an organization or a widget; a missing row, and null, is no limit.

CREATE TABLE budget_limits (
    owner                 TEXT   NOT NULL PRIMARY KEY, -- `organization …` or `widget …`
    conversations_per_day INTEGER,
    voice_minutes_per_day INTEGER,
    open_conversations    INTEGER,
    new_per_minute        INTEGER,
    updated_at            INTEGER NOT NULL
) STRICT;

-- What an owner with a limit has used and reserved on one day in UTC.

CREATE TABLE budget_days (
    owner                  TEXT   NOT NULL,
    day                    INTEGER NOT NULL, -- days since 1970
    conversations_used     INTEGER NOT NULL,
    conversations_reserved INTEGER NOT NULL,
    voice_used             INTEGER NOT NULL, -- seconds
    voice_reserved         INTEGER NOT NULL,
    PRIMARY KEY (owner, day)
) STRICT;
CREATE INDEX budget_days_age ON budget_days (day);

-- What a conversation has reserved, of whose budget and of which day; null where nothing was limited, and
-- in rows of older nodes. `budget_state` is `reserved` until somebody joins or it ends.

ALTER TABLE conversations ADD COLUMN budget_state TEXT;
ALTER TABLE conversations ADD COLUMN budget_day INTEGER;
ALTER TABLE conversations ADD COLUMN budget_organization INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN budget_widget INTEGER NOT NULL DEFAULT 0;
CREATE INDEX conversations_reserved ON conversations (budget_day) WHERE budget_state = 'reserved';

-- Its call, while minutes are reserved for it: `waiting` for the visitor to join, or `running`.

ALTER TABLE conversations ADD COLUMN call_state TEXT;
ALTER TABLE conversations ADD COLUMN call_until INTEGER; -- the end of what is reserved
ALTER TABLE conversations ADD COLUMN call_quiet_since INTEGER;
ALTER TABLE conversations ADD COLUMN call_check_at INTEGER;
CREATE INDEX conversations_call ON conversations (call_check_at, id) WHERE call_check_at IS NOT NULL;

-- The minutes that a call has reserved, five at a time; deleted when they are settled.

CREATE TABLE voice_reservations (
    conversation_id BLOB    NOT NULL,
    number          INTEGER NOT NULL,
    day             INTEGER NOT NULL,
    of_organization INTEGER NOT NULL,
    of_widget       INTEGER NOT NULL,
    starts_at       INTEGER, -- null until the visitor joins
    PRIMARY KEY (conversation_id, number)
) STRICT;
