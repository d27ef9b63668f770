#!/usr/bin/env bash
# Install the vendor's Toxiproxy server into .tools/bin, for `--proxy toxiproxy` and the tests that
# compare the embedded proxy with it. Where Go is missing or too old it says so and succeeds:
# nothing else needs the server.
set -euo pipefail

readonly version="v2.12.0" # the version whose semantics the embedded proxy copies
readonly module="github.com/Shopify/toxiproxy/v2/cmd/server"
readonly go_minimum="1.23"  # what this version of the module asks for
readonly limit_s=600        # a cold module cache on a slow line; seconds with a warm one

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
target="$root/.tools/bin/toxiproxy-server"

if [[ -x "$target" ]]; then
  echo "toxiproxy-server is already in .tools/bin; nothing to do"
  exit 0
fi
if ! command -v go >/dev/null; then
  echo "toxiproxy-server not installed: no go on PATH (Go $go_minimum or newer builds it)."
  echo "The embedded proxy needs none; tests against the real server are skipped."
  exit 0
fi
go_version="$(GOTOOLCHAIN=local go env GOVERSION)"
if [[ "$(printf '%s\n' "$go_minimum" "${go_version#go}" | sort -V | head -n 1)" != "$go_minimum" ]]; then
  echo "toxiproxy-server not installed: $go_version is too old, Go $go_minimum or newer builds it."
  echo "The embedded proxy needs none; tests against the real server are skipped."
  exit 0
fi

# `go install` names programs after their folder, here `server`: build aside, then rename, which
# also means that nobody ever finds half a program.
mkdir -p "$root/.tools/bin"
build="$(mktemp -d "$root/.tools/build.XXXXXX")"
trap 'rm -rf -- "$build"' EXIT
if ! GOTOOLCHAIN=local GOBIN="$build" timeout "$limit_s" go install "$module@$version"; then
  echo "toxiproxy-server not installed: go install $module@$version failed, see above." >&2
  exit 1
fi
mv -- "$build/server" "$target"
echo "installed toxiproxy-server $version into .tools/bin"
