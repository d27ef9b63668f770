#!/bin/sh
# Make the cluster if there is none, then become the server; for the variables that the official
# image knows by the same names.
set -eu

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb -D "$PGDATA" -U "$POSTGRES_USER" -A "$POSTGRES_HOST_AUTH_METHOD" -E UTF8 --no-locale --no-sync >/dev/null
  echo "host all all all $POSTGRES_HOST_AUTH_METHOD" >>"$PGDATA/pg_hba.conf"
  echo "CREATE DATABASE \"$POSTGRES_DB\"" | postgres --single -D "$PGDATA" template1 >/dev/null
fi
exec "$@"
