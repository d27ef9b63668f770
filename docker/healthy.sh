#!/bin/bash
# Say whether the service in this container answers and has reached what it cannot do without.
#
# In bash, because starting Python costs twice as much CPU and this runs every few seconds in every
# container. A service stays healthy while its database is away: health tells `up --wait` when to
# begin, and must not tell anybody to restart what a fault is being tried on.
exec 3<>"/dev/tcp/127.0.0.1/$ATLAS_PORT" || exit 1
printf 'GET /v1/health HTTP/1.0\r\n\r\n' >&3
IFS= read -r -t 2 -d '' answer <&3 # up to the end of the connection, which read calls a failure
[[ $answer == *' 200 '* && $answer != *'"ready":false'* ]]
