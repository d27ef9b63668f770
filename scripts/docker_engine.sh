#!/usr/bin/env bash
# Get a Docker engine and Compose v2, or say what is missing.
#
#   docker_engine.sh start    use the engine that answers; else, as root on Debian, install and start one
#   docker_engine.sh stop     stop the engine that `start` started, and take its rules off the network
#   docker_engine.sh compose  only Compose v2
#
# An engine that this script did not start is never stopped or configured.
set -euo pipefail
shopt -s inherit_errexit

readonly compose_version="v2.40.3"
readonly compose_module="github.com/docker/compose/v2"
readonly socket="unix:///var/run/docker.sock"
readonly engine_within_s=30  # a start takes 0.3 s on an idle machine
readonly build_within_s=900  # Compose builds in 100 s on two idle cores

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
state="$root/.tools/docker"

fail() {
  printf 'docker_engine: %s\n' "$@" >&2
  exit 1
}

answers() { docker info >/dev/null 2>&1; }

install_engine() {
  command -v dockerd >/dev/null && return
  [[ $EUID -eq 0 ]] || fail "no Docker engine answers and this is not root: install Docker yourself, or start it"
  command -v apt-get >/dev/null || fail "no Docker engine answers and this is not Debian: install Docker yourself"
  echo "installing docker.io from Debian's packages"
  export DEBIAN_FRONTEND=noninteractive
  for attempt in 1 2; do
    apt-get update -qq && apt-get install -y -qq docker.io debootstrap iptables >/dev/null && return
    echo "attempt $attempt to install docker.io failed" >&2
  done
  fail "apt-get could not install docker.io; its messages are above"
}

# What the engine changes in the network of the host, as it was before.
remember_network() {
  iptables -S FORWARD 2>/dev/null | head -n 1 >"$state/forward.before" || true
  cat /proc/sys/net/ipv4/ip_forward >"$state/ip_forward.before"
}

start_engine() {
  mkdir -p "$state"
  remember_network
  for attempt in 1 2; do
    setsid nohup dockerd --host "$socket" --pidfile "$state/dockerd.pid" \
      >"$state/dockerd.log" 2>&1 </dev/null &
    # The socket proves nothing, it may be stale: ask the engine.
    for _ in $(seq $((engine_within_s * 5))); do
      answers && { echo "started dockerd, its log is .tools/docker/dockerd.log"; return; }
      kill -0 $! 2>/dev/null || break
      sleep 0.2
    done
    kill $! 2>/dev/null || true
    echo "attempt $attempt to start dockerd failed:" >&2
    tail -n 20 "$state/dockerd.log" >&2
  done
  fail "dockerd did not answer within $engine_within_s s; its log is above"
}

install_compose() {
  docker compose version >/dev/null 2>&1 && return
  command -v go >/dev/null || fail "Docker has no Compose v2, and there is no go to build it with:" \
    "install the package docker-compose-plugin of docs.docker.com, or Go"
  echo "building Compose $compose_version from its Go module; this takes minutes once"
  local plugins="${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins" build
  build="$(mktemp -d)"
  trap "rm -rf -- '$build'" EXIT # the name now: at the exit the variable is gone
  (
    cd "$build"
    export CGO_ENABLED=0 GOFLAGS=-mod=mod
    go mod init build
    go get "$compose_module/cmd@$compose_version"
    timeout "$build_within_s" nice go build -trimpath -o docker-compose \
      -ldflags "-s -w -X $compose_module/internal.Version=$compose_version" "$compose_module/cmd"
  ) >"$build/log" 2>&1 || { tail -n 20 "$build/log" >&2; fail "Compose could not be built; see above"; }
  mkdir -p "$plugins"
  mv -- "$build/docker-compose" "$plugins/docker-compose"
}

start() {
  install_engine
  answers || start_engine
  install_compose
  docker version --format 'engine {{.Server.Version}}, API {{.Server.APIVersion}}'
  docker compose version
}

# The engine leaves its chains, its bridge and the changed policy behind.
restore_network() {
  local policy table
  for table in nat filter; do
    iptables-save -t "$table" | grep -vi docker | iptables-restore --table "$table" || true
  done
  policy="$(awk '{print $3}' "$state/forward.before" 2>/dev/null)"
  iptables -P FORWARD "${policy:-ACCEPT}"
  ip link delete docker0 2>/dev/null || true
  cat "$state/ip_forward.before" >/proc/sys/net/ipv4/ip_forward
}

stop() {
  local pid
  pid="$(cat "$state/dockerd.pid" 2>/dev/null)" || { echo "no engine of ours runs"; return; }
  kill "$pid"
  for _ in $(seq 150); do
    kill -0 "$pid" 2>/dev/null || { restore_network; echo "stopped dockerd"; return; }
    sleep 0.2
  done
  fail "dockerd (process $pid) did not stop within 30 s; see .tools/docker/dockerd.log"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  compose) install_compose ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
