#!/usr/bin/env bash
# Take pictures of the Allure page that make_report.sh made: light, dark and narrow.
#
#   scripts/screenshot_report.sh [FOLDER [OUT]]
#
# FOLDER is reports/latest and OUT is FOLDER/screenshots unless given. Written are overview-light.png
# and NAME-light.png of each scenario that was run; of the worst one also NAME-dark.png and, 400 px
# wide like a phone, NAME-narrow.png. Each takes a second.
# Needs Chromium or Chrome; CHROMIUM names another program.
# Exit codes: 0 done, 3 the browser broke, 4 something is missing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:-$root/reports/latest}
out=${2:-$folder/screenshots}
page_limit_s=60
phone_px=400

stop() {
  echo "screenshot_report: $1" >&2
  exit "$2"
}

browser=${CHROMIUM:-}
for name in chromium chromium-browser google-chrome chrome; do
  [ -n "$browser" ] || browser=$(command -v "$name" || true)
done
[ -n "$browser" ] || stop "neither Chromium nor Chrome is installed; CHROMIUM=/path/to/it names one" 4
[ -f "$folder/report.html" ] || stop "no $folder/report.html; run scripts/make_report.sh $folder first" 4
command -v node >/dev/null || stop "node is not installed" 4
mkdir -p "$out"
page=file://$(cd "$folder" && pwd)/report.html

profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

# Chromium lays nothing out below 500 px and cuts the picture instead, so a phone is a frame.
shoot_narrow() { # name, fragment
  local frame=$profile/frame.html
  printf '<body style="margin:0"><iframe src="%s" width="%s" height="1800" style="border:0"></iframe>' \
    "$page$2" "$phone_px" >"$frame"
  shoot_url "$1" "file://$frame" "$phone_px" 1800
}

# The page draws itself with a script, so the browser waits for virtual time and not for real time.
shoot_url() { # name, address, width, height, further options
  local target=$out/$1.png url=$2 width=$3 height=$4
  shift 4
  timeout "$page_limit_s" "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars \
    --disable-background-networking --user-data-dir="$profile" --window-size="$width,$height" \
    --virtual-time-budget=10000 --screenshot="$target" "$@" \
    "$url" >/dev/null 2>&1 || stop "$browser failed on $target" 3
  [ -s "$target" ] || stop "$browser wrote no $target" 3
}

shoot() { # name, fragment, width, height, further options
  local name=$1 fragment=$2
  shift 2
  shoot_url "$name" "$page$fragment" "$@"
}

# One line per scenario, the worst first: its id and its name.
worst_first() {
  node -e '
    const { readFileSync } = require("node:fs");
    const { byId } = JSON.parse(readFileSync(process.argv[1], "utf8"));
    const all = Object.values(byId).sort((a, b) => a.name.localeCompare(b.name));
    for (const status of ["failed", "broken", "passed"]) {
      for (const one of all.filter((each) => each.status === status)) console.log(one.id, one.name.replaceAll(" ", "_"));
    }' "$folder/allure-report/test-results.json"
}

dark=--blink-settings=preferredColorScheme=0
shoot overview-light "" 1100 800
worst=
while read -r id name; do
  shoot "$name-light" "#$id" 1024 1400
  if [ -z "$worst" ]; then
    shoot "$name-dark" "#$id" 1024 1400 $dark
    shoot_narrow "$name-narrow" "#$id"
  fi
  worst=${worst:-$name}
done < <(worst_first)
ls "$out"
