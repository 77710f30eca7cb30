#!/bin/sh
# Puts a backup of SQLite's file in the place of the service's, which is stopped and whose files
# were moved away, and prints how many rows each table has.
#
#     sqlite-restore.sh BACKUP DATABASE
set -eu
umask 077
if [ $# != 2 ]; then
    echo "usage: $0 BACKUP DATABASE" >&2
    exit 2
fi
for file in "$2" "$2-wal" "$2-shm"; do
    if [ -e "$file" ]; then
        echo "$file exists; stop the service and move all its files away first" >&2
        exit 1
    fi
done
if [ "$(sqlite3 -readonly "$1" 'PRAGMA integrity_check')" != ok ]; then
    echo "$1 is damaged; use another backup" >&2
    exit 1
fi
cp "$1" "$2.part"
# The service runs as the user who owns the folder.
chown --reference="$(dirname "$2")" "$2.part"
mv "$2.part" "$2"
sqlite3 -readonly "$2" "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'" |
    while read -r table; do
        echo "$table|$(sqlite3 -readonly "$2" "SELECT COUNT(*) FROM \"$table\"")"
    done
