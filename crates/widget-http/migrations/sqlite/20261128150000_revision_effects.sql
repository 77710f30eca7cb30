-- What each write of a widget did to visitors, as far as it was known when it was written. A node
-- of the release before writes none of it.

ALTER TABLE web_widget_revisions ADD COLUMN live_before BOOLEAN;
ALTER TABLE web_widget_revisions ADD COLUMN live_after BOOLEAN;
ALTER TABLE web_widget_revisions ADD COLUMN conversations_open INTEGER;
ALTER TABLE web_widget_revisions ADD COLUMN conversations_ended INTEGER;
ALTER TABLE deleted_web_widget_revisions ADD COLUMN live_before BOOLEAN;
ALTER TABLE deleted_web_widget_revisions ADD COLUMN live_after BOOLEAN;
ALTER TABLE deleted_web_widget_revisions ADD COLUMN conversations_open INTEGER;
ALTER TABLE deleted_web_widget_revisions ADD COLUMN conversations_ended INTEGER;

-- The open conversations of an organization, which are few of all that it has.
CREATE INDEX conversations_open_of_organization
    ON conversations (organization_id, created_at DESC, id DESC) WHERE ended_at IS NULL;
