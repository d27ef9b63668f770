#!/usr/bin/env bash
# Have every image that docker-compose.yml needs, and write their names to .tools/docker.env.
#
# Official images are used where a registry can be reached. Where none can, stand-ins are built from
# Debian's packages, under names of their own, and the script says so: a base image by debootstrap,
# PostgreSQL 15 and Prometheus on it, Toxiproxy from its Go module, and wheels fetched by this machine.
# An image is tagged with a digest of all that goes into it, so a second call builds nothing.
#
# Variables: ATLAS_PYTHON_IMAGE, ATLAS_POSTGRES_IMAGE, ATLAS_TOXIPROXY_IMAGE,
# ATLAS_PROMETHEUS_IMAGE name other images, ATLAS_DEBIAN_IMAGE the base of the tools;
# ATLAS_STAND_INS=1 asks no registry at all.
set -euo pipefail
shopt -s inherit_errexit

readonly pull_within_s=300
readonly toxiproxy_version="v2.12.0"
readonly toxiproxy_module="github.com/Shopify/toxiproxy/v2"
readonly wheels_for="docker/wheelhouse/.digest"
readonly debian="bookworm" # its Python is 3.11, for which the wheels are

cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
mkdir -p .tools/docker

# Print a digest of the arguments and of all files below the paths on standard input.
digest() {
  { printf '%s\n' "$@"; xargs -I{} find {} -type f -not -path '*/__pycache__/*' -not -name '*.whl' \
    -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; } | sha256sum | cut -c1-16
}

exists() { docker image inspect "$1" >/dev/null 2>&1; }

image_id() { docker image inspect --format '{{.Id}}' "$1"; }

can_have() { # IMAGE: whether it is here or can be pulled
  exists "$1" && return
  [[ -z "${ATLAS_STAND_INS:-}" ]] || return
  echo "pulling $1" >&2
  timeout "$pull_within_s" docker pull --quiet "$1" >/dev/null 2>.tools/docker/pull.log
}

say_stand_in() { # IMAGE WHAT
  echo "$1 cannot be had${ATLAS_STAND_INS:+ (ATLAS_STAND_INS is set)}: $2 stands in" >&2
}

build() { # IMAGE CONTEXT ARGUMENTS...: build it unless it is there
  local image=$1 context=$2
  shift 2
  exists "$image" && return
  echo "building $image" >&2
  docker build --quiet --force-rm --tag "$image" "$@" "$context" >/dev/null
}

debian_base() { # print the name of a Debian image made from packages
  local image="atlas-chaos/debian:$debian" folder
  if ! exists "$image"; then
    command -v debootstrap >/dev/null || { echo "debootstrap is missing; apt-get install debootstrap" >&2; return 1; }
    echo "building $image with debootstrap" >&2
    folder="$(mktemp -d)"
    debootstrap --variant=minbase "$debian" "$folder" >.tools/docker/debootstrap.log \
      || { tail -n 5 .tools/docker/debootstrap.log >&2; return 1; }
    rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/* "$folder"/usr/share/doc "$folder"/usr/share/man
    tar -C "$folder" -c . | docker import --change 'CMD ["bash"]' - "$image" >/dev/null
    rm -rf "$folder"
  fi
  echo "$image"
}

# Wheels of another lock file would make pip fail, so none are better.
drop_outdated_wheels() {
  [[ "$(cat "$wheels_for" 2>/dev/null)" == "$(echo docker/requirements.lock | digest)" ]] && return
  rm -f docker/wheelhouse/*.whl "$wheels_for"
}

# Builds of the classic builder know no certificate authority but their own, so where the registry
# is out of reach the package index usually is as well. Wheels for Debian's Python and C library.
fill_wheelhouse() {
  local platforms=() minor
  drop_outdated_wheels
  [[ -e "$wheels_for" ]] && return
  echo "downloading wheels to docker/wheelhouse" >&2
  for minor in $(seq 36 -1 5); do platforms+=(--platform "manylinux_2_${minor}_$(uname -m)"); done
  python3 -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps \
    --python-version 3.11 --implementation cp --abi cp311 --abi abi3 --abi none \
    "${platforms[@]}" --platform "manylinux2014_$(uname -m)" --platform any \
    -d docker/wheelhouse -r docker/requirements.lock
  echo docker/requirements.lock | digest >"$wheels_for"
}

python_image() {
  local official=${ATLAS_PYTHON_IMAGE:-python:3.11-slim}
  if can_have "$official"; then drop_outdated_wheels; echo "$official"; return; fi
  say_stand_in "$official" "Debian's Python 3.11"
  fill_wheelhouse
  debian_base
}

packaged_image() { # OFFICIAL NAME TAG: the official image, or one of Debian's package
  local base image
  if can_have "$1"; then echo "$1"; return; fi
  say_stand_in "$1" "Debian's package"
  base="$(debian_base)"
  image="atlas-chaos/$2:$3-$(printf '%s\n' docker/stand_ins/"$2"* | digest "$(image_id "$base")")"
  build "$image" docker/stand_ins -f "docker/stand_ins/$2.Dockerfile" --build-arg BASE_IMAGE="$base"
  echo "$image"
}

toxiproxy_programs() { # FOLDER: put the server and the client of Toxiproxy there
  local name
  command -v go >/dev/null || { echo "no go on PATH to build Toxiproxy with" >&2; return 1; }
  for name in server cli; do
    GOTOOLCHAIN=local CGO_ENABLED=0 GOBIN="$1" timeout 600 nice go install -ldflags '-s -w' \
      "$toxiproxy_module/cmd/$name@$toxiproxy_version"
  done
  mv "$1/server" "$1/toxiproxy"
  mv "$1/cli" "$1/toxiproxy-cli"
}

toxiproxy_image() {
  local official=${ATLAS_TOXIPROXY_IMAGE:-ghcr.io/shopify/toxiproxy:2.12.0} base image folder
  if can_have "$official"; then echo "$official"; return; fi
  say_stand_in "$official" "its Go module"
  base="$(debian_base)"
  image="atlas-chaos/toxiproxy:${toxiproxy_version#v}-$(echo docker/stand_ins/toxiproxy.Dockerfile | digest "$(image_id "$base")")"
  if ! exists "$image"; then
    folder="$(mktemp -d)"
    toxiproxy_programs "$folder"
    build "$image" "$folder" -f docker/stand_ins/toxiproxy.Dockerfile --build-arg BASE_IMAGE="$base"
    rm -rf "$folder"
  fi
  echo "$image"
}

tools_image() { # what the harness runs beside services
  local base=${ATLAS_DEBIAN_IMAGE:-debian:bookworm-slim} image
  if ! can_have "$base"; then
    say_stand_in "$base" "one made of Debian's packages"
    base="$(debian_base)"
  fi
  image="atlas-chaos/tools:$(echo docker/tools/Dockerfile | digest "$(image_id "$base")")"
  build "$image" docker/tools --build-arg BASE_IMAGE="$base"
  echo "$image"
}

services_image() { # BASE
  local image
  image="atlas-chaos/shadow-atlas:$(printf '%s\n' docker/Dockerfile docker/requirements.lock docker/entrypoint.sh \
    docker/healthy.sh resilience shadow_atlas harness/__init__.py harness/clock.py \
    fault_injectors/__init__.py fault_injectors/proxy fault_injectors/toxics | digest "$(image_id "$1")")"
  build "$image" . -f docker/Dockerfile --build-arg BASE_IMAGE="$1"
  echo "$image"
}

python="$(python_image)"
postgres="$(packaged_image "${ATLAS_POSTGRES_IMAGE:-postgres:16}" postgres 15)"
prometheus="$(packaged_image "${ATLAS_PROMETHEUS_IMAGE:-prom/prometheus:v2.53.0}" prometheus debian)"
toxiproxy="$(toxiproxy_image)"
services="$(services_image "$python")"
tools="$(tools_image)"
{
  echo "ATLAS_PYTHON_IMAGE=$python"
  echo "ATLAS_POSTGRES_IMAGE=$postgres"
  echo "ATLAS_TOXIPROXY_IMAGE=$toxiproxy"
  echo "ATLAS_PROMETHEUS_IMAGE=$prometheus"
  echo "ATLAS_IMAGE=$services"
  echo "ATLAS_TOOLS_IMAGE=$tools"
} | tee ".tools/docker.env.$$"
mv ".tools/docker.env.$$" .tools/docker.env # at once: who reads beside it finds all or the old
