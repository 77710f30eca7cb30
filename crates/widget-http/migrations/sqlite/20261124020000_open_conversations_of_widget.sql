-- Each new conversation counts those that are open on its widget: at the cost of the open ones, not
-- of all there ever were.

CREATE INDEX conversations_open_of_widget ON conversations (web_widget_id, origin) WHERE ended_at IS NULL;
