#!/bin/bash
# Makes the database, its accounts and their passwords at the first start, then becomes the server.
set -euo pipefail

readonly DATA=/var/lib/mysql
# There as long as the first start has not come to its end: a server killed on the way begins anew.
readonly UNFINISHED=$DATA/.unfinished

# The value of MARIADB_<name> or MYSQL_<name>, or the text of the file that one of these with _FILE names.
setting() {
  local variable file
  for variable in "MARIADB_$1" "MYSQL_$1"; do
    file="${variable}_FILE"
    if [[ -n ${!file:-} ]]; then
      cat -- "${!file}"
      return
    fi
    if [[ -n ${!variable:-} ]]; then
      printf '%s' "${!variable}"
      return
    fi
  done
}

# A text as SQL writes it between quotes.
quoted() {
  local text=${1//\\/\\\\}
  printf "'%s'" "${text//\'/\'\'}"
}

accounts() {
  local root database user password
  root=$(setting ROOT_PASSWORD)
  database=$(setting DATABASE)
  user=$(setting USER)
  password=$(setting PASSWORD)
  if [[ -z $root ]]; then
    echo 'MARIADB_ROOT_PASSWORD_FILE, or MARIADB_ROOT_PASSWORD, must be set' >&2
    return 1
  fi
  # mariadb-install-db leaves accounts without a password.
  cat <<SQL
FLUSH PRIVILEGES;
DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');
FLUSH PRIVILEGES;
ALTER USER 'root'@'localhost' IDENTIFIED BY $(quoted "$root");
SQL
  if [[ -n $database ]]; then
    echo "CREATE DATABASE \`${database//\`/\`\`}\`;"
  fi
  if [[ -n $user ]]; then
    echo "CREATE USER $(quoted "$user")@'%' IDENTIFIED BY $(quoted "$password");"
  fi
  if [[ -n $database && -n $user ]]; then
    echo "GRANT ALL ON \`${database//\`/\`\`}\`.* TO $(quoted "$user")@'%';"
  fi
}

install_database() {
  local sql
  sql=$(accounts)
  find "$DATA" -mindepth 1 -delete
  touch "$UNFINISHED"
  mariadb-install-db --skip-test-db --auth-root-authentication-method=normal >/dev/null
  mariadbd --bootstrap <<<"$sql"
  rm "$UNFINISHED"
}

if [[ ${1:-} == -* ]]; then
  set -- mariadbd "$@"
fi
if [[ ${1:-} == mariadbd ]]; then
  if [[ $(id -u) == 0 ]]; then
    # A volume that is mounted here may be root's; one of ours is ours already.
    if [[ $(stat --format %U "$DATA") != mysql ]]; then
      chown --recursive mysql:mysql "$DATA"
    fi
    exec setpriv --reuid=mysql --regid=mysql --clear-groups "$0" "$@"
  fi
  if [[ -e $UNFINISHED || ! -d $DATA/mysql ]]; then
    install_database
  fi
fi
exec "$@"
