#!/bin/sh
# Writes a backup of a PostgreSQL database while services use it, and prints its path.
#
#     postgresql-backup.sh FILE_WITH_URL FOLDER
#
# The URL is that of `widgets_owner`. Backups older than KEEP_DAYS (14) are removed afterwards.
set -eu
umask 077
if [ $# != 2 ]; then
    echo "usage: $0 FILE_WITH_URL FOLDER" >&2
    exit 2
fi
. "$(dirname "$0")/url.sh"
backup=$2/widgets-$(date -u +%Y%m%dT%H%M%SZ).dump
# A disk that is full does not stay so.
trap 'rm -f "$backup.part"' EXIT
pg_dump --format=custom --file="$backup.part" --dbname="$url"
# Reads it once, so that half a file is noticed now and not when it is needed.
pg_restore --file=/dev/null "$backup.part"
mv "$backup.part" "$backup"
# With the slash also where the folder is a link, as that of a unit is; and only what is in it.
find "$2/" -maxdepth 1 -type f -name 'widgets-*.dump' -mtime "+${KEEP_DAYS:-14}" -delete
echo "$backup"
