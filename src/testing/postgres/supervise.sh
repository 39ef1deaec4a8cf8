# Runs one PostgreSQL server in a folder, from its first file to its last.
# usage: sh supervise.sh FOLDER PROGRAMS [RUNNER]
# FOLDER/users exists and is locked by whoever started this. RUNNER is a process that is to end first.
set -eu
folder=$1 programs=$2 runner=${3:-}

finish() {
  "$programs/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap finish EXIT
trap '' INT HUP
trap 'exit 1' TERM

make_and_start() {
  "$programs/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync
  # Everybody who can reach the socket is trusted, but for one role that has to give a password.
  {
    echo "local all with_password scram-sha-256"
    echo "local all all trust"
  } >"$folder/data/pg_hba.conf"
  cat >>"$folder/data/postgresql.conf" <<SETTINGS
listen_addresses = ''
unix_socket_directories = '$folder'
max_connections = 200
shared_buffers = 32MB
fsync = off
full_page_writes = off
SETTINGS
  "$programs/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w start
}

if ! make_and_start >"$folder/start.log" 2>&1 </dev/null; then
  cat "$folder/start.log" "$folder/server.log" 2>/dev/null || true
  exit 1
fi
echo ready
exec >/dev/null
if [ -n "$runner" ]; then
  tail -s 0.2 --pid="$runner" -f /dev/null
fi
# Had by nobody else as soon as all users of the server are gone.
flock -x "$folder/users" true
