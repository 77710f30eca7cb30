-- Nothing to do: SQLite keeps no samples of columns, since the service limits what it analyzes.

SELECT 1;
