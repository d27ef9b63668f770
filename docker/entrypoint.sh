#!/bin/sh
# Give each start of a service its own incarnation, then become the service.
#
# A restarted container has the environment of its first start. Were the incarnation fixed, its
# second process would append to the file of the first and number its events from 0 again.
set -eu

if [ -n "${ATLAS_SERVICE:-}" ] && [ -n "${ATLAS_EVENT_DIR:-}" ] && [ -z "${ATLAS_INCARNATION:-}" ]; then
  ATLAS_INCARNATION=1
  while [ -e "$ATLAS_EVENT_DIR/$ATLAS_SERVICE.$ATLAS_INCARNATION.ndjson" ]; do
    ATLAS_INCARNATION=$((ATLAS_INCARNATION + 1))
  done
  export ATLAS_INCARNATION
fi
exec "$@"
