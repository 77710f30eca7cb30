#!/bin/sh
# Restores a backup into an empty database, which deploy/postgresql/database.sql has made, and
# prints how many rows each table has.
#
#     postgresql-restore.sh FILE_WITH_URL BACKUP
#
# The URL is that of `widgets_owner` with the name of the new database.
set -eu
if [ $# != 2 ]; then
    echo "usage: $0 FILE_WITH_URL BACKUP" >&2
    exit 2
fi
. "$(dirname "$0")/url.sh"
ask() {
    psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname="$url" "$@"
}
if [ "$(ask --command="SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'")" != 0 ]; then
    echo "the database has tables; restore into an empty one" >&2
    exit 1
fi
pg_restore --exit-on-error --single-transaction --no-owner --dbname="$url" "$2"
ask <<'SQL'
SELECT format('ANALYZE public.%I', tablename)
FROM pg_tables WHERE schemaname = 'public' \gexec
SELECT format('SELECT %L, COUNT(*) FROM public.%I', tablename, tablename)
FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename \gexec
SQL
