-- The server keeps samples of each column for its planner (`pg_statistic`), also of rows that are deleted.
-- Of what an erasure removes none are taken; setting the type, which stays as it is, drops those that were.

ALTER TABLE messages
    ALTER COLUMN id TYPE TEXT, ALTER COLUMN id SET STATISTICS 0,
    ALTER COLUMN text TYPE TEXT, ALTER COLUMN text SET STATISTICS 0;
ALTER TABLE conversations
    ALTER COLUMN origin TYPE TEXT, ALTER COLUMN origin SET STATISTICS 0,
    ALTER COLUMN custom_metadata TYPE TEXT, ALTER COLUMN custom_metadata SET STATISTICS 0;
ALTER TABLE erasure_jobs
    ALTER COLUMN selection TYPE TEXT, ALTER COLUMN selection SET STATISTICS 0;
