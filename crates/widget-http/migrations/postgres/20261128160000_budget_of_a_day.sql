-- What an owner may use on this day, as the newest start or write of limits found it: who joins when it is
-- used up is refused. Null in rows of older nodes, and where nothing is limited.

ALTER TABLE budget_days ADD COLUMN conversations_max BIGINT;
ALTER TABLE budget_days ADD COLUMN voice_max BIGINT; -- seconds
