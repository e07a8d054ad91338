#!/bin/bash
# Called in the database's container by the backup bot: `dump` before a backup, `load` after a restore.
set -euo pipefail

# In the database's volume, where the bot finds it: a dump anywhere else would end with the container.
readonly DUMP=/var/lib/mysql/backup.sql.gz

MYSQL_PWD=$(cat /run/secrets/db_root_password)
export MYSQL_PWD

dump() {
  # A backup without a dump is noticed, one with a dump of last week is not.
  rm -f "$DUMP"
  mariadb-dump --user=root --single-transaction --routines --triggers \
    --add-drop-database --databases "$MARIADB_DATABASE" | gzip >"$DUMP.partial"
  mv "$DUMP.partial" "$DUMP"
}

load() {
  # Half a dump would drop what is there and bring half of it back.
  if ! gunzip --stdout "$DUMP" | tail --lines=1 | grep --quiet '^-- Dump completed'; then
    echo "$DUMP is not complete" >&2
    exit 1
  fi
  gunzip --stdout "$DUMP" | mariadb --user=root
}

case "${1:-}" in
  dump | load) "$1" ;;
  *)
    echo 'usage: db-backup dump|load' >&2
    exit 2
    ;;
esac
