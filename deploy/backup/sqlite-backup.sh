#!/bin/sh
# Writes a backup of SQLite's file while the service uses it, and prints its path.
#
#     sqlite-backup.sh DATABASE FOLDER
#
# Copying the file itself is not a backup: what was written last is in the file beside it that ends
# in `-wal`. Backups older than KEEP_DAYS (14) are removed afterwards.
set -eu
umask 077
if [ $# != 2 ] || [ ! -s "$1" ]; then
    echo "usage: $0 DATABASE FOLDER, where DATABASE is the service's file" >&2
    exit 2
fi
backup=$2/widgets-$(date -u +%Y%m%dT%H%M%SZ).db
part=$(printf %s "$backup.part" | sed "s/'/''/g")
# A disk that is full does not stay so.
trap 'rm -f "$backup.part"' EXIT
rm -f "$backup.part"
sqlite3 -bail -cmd '.timeout 10000' "$1" "VACUUM INTO '$part'"
if [ "$(sqlite3 -readonly "$backup.part" 'PRAGMA integrity_check')" != ok ]; then
    echo "the backup is damaged, and so may be $1" >&2
    exit 1
fi
mv "$backup.part" "$backup"
# With the slash also where the folder is a link, as that of a unit is; and only what is in it.
find "$2/" -maxdepth 1 -type f -name 'widgets-*.db' -mtime "+${KEEP_DAYS:-14}" -delete
echo "$backup"
