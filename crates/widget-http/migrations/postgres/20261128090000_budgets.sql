-- Limits that keys set for an organization or a widget; a missing row, and null, is no limit.

CREATE TABLE budget_limits (
    owner                 TEXT   NOT NULL PRIMARY KEY, -- `organization …` or `widget …`
    conversations_per_day BIGINT,
    voice_minutes_per_day BIGINT,
    open_conversations    BIGINT,
    new_per_minute        BIGINT,
    updated_at            BIGINT NOT NULL
);

-- What an owner with a limit has used and reserved on one day in UTC.

CREATE TABLE budget_days (
    owner                  TEXT   NOT NULL,
    day                    BIGINT NOT NULL, -- days since 1970
    conversations_used     BIGINT NOT NULL,
    conversations_reserved BIGINT NOT NULL,
    voice_used             BIGINT NOT NULL, -- seconds
    voice_reserved         BIGINT NOT NULL,
    PRIMARY KEY (owner, day)
);
CREATE INDEX budget_days_age ON budget_days (day);

-- What a conversation has reserved, of whose budget and of which day; null where nothing was limited, and
-- in rows of older nodes. `budget_state` is `reserved` until somebody joins or it ends.

ALTER TABLE conversations ADD COLUMN budget_state TEXT;
ALTER TABLE conversations ADD COLUMN budget_day BIGINT;
ALTER TABLE conversations ADD COLUMN budget_organization BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE conversations ADD COLUMN budget_widget BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX conversations_reserved ON conversations (budget_day) WHERE budget_state = 'reserved';

-- Its call, while minutes are reserved for it: `waiting` for the visitor to join, or `running`.

ALTER TABLE conversations ADD COLUMN call_state TEXT;
ALTER TABLE conversations ADD COLUMN call_until BIGINT; -- the end of what is reserved
ALTER TABLE conversations ADD COLUMN call_quiet_since BIGINT;
ALTER TABLE conversations ADD COLUMN call_check_at BIGINT;
CREATE INDEX conversations_call ON conversations (call_check_at, id) WHERE call_check_at IS NOT NULL;

-- The minutes that a call has reserved, five at a time; deleted when they are settled.

CREATE TABLE voice_reservations (
    conversation_id UUID    NOT NULL,
    number          BIGINT  NOT NULL,
    day             BIGINT  NOT NULL,
    of_organization BOOLEAN NOT NULL,
    of_widget       BOOLEAN NOT NULL,
    starts_at       BIGINT, -- null until the visitor joins
    PRIMARY KEY (conversation_id, number)
);
