#!/usr/bin/env bash
# Make the Allure page of a suite. It opens from the disk and asks nobody for anything.
#
#   scripts/make_report.sh [--gate | --gate-only] [FOLDER]
#
# FOLDER holds allure-results and is reports/latest unless given. Written are
#   FOLDER/report.html      one file with everything, to send or to attach
#   FOLDER/allure-report/   the same page and a dashboard
# With --gate, the quality gate decides the exit code; with --gate-only nothing is written.
# Exit codes: 0 done, 1 the gate failed, 3 Allure broke, 4 something is missing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
allure_dir=$root/reports/allure
node_major_min=20

stop() {
  echo "make_report: $1" >&2
  exit "$2"
}

gate=no write=yes folder=
for word in "$@"; do
  case $word in
    --gate) gate=yes ;;
    --gate-only) gate=yes write=no ;;
    -*) stop "no option $word; expected --gate or --gate-only" 4 ;;
    *) [ -z "$folder" ] || stop "expected one folder, got $folder and $word" 4; folder=$word ;;
  esac
done
folder=${folder:-$root/reports/latest}
results=$folder/allure-results

[ -d "$results" ] || stop "no results in $results; run scenarios first, e.g. make chaos" 4
compgen -G "$results/*-result.json" >/dev/null || stop "$results holds no result; nothing was run" 4
for program in node npm; do
  command -v "$program" >/dev/null ||
    stop "$program is not installed; Allure 3 needs Node $node_major_min or later (nodejs.org). Without it, $folder/summary.md tells the same in text" 4
done
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge "$node_major_min" ] || stop "Node $(node --version) is too old; Allure 3 needs $node_major_min or later" 4

# A folder of modules that is older than the lock file holds other versions than the lock says.
if [ ! -x "$allure_dir/node_modules/.bin/allure" ] || [ "$allure_dir/package-lock.json" -nt "$allure_dir/node_modules/.package-lock.json" ]; then
  log=$(mktemp)
  (cd "$allure_dir" && npm ci --no-audit --no-fund >"$log" 2>&1) || { tail -n 20 "$log" >&2; rm -f "$log"; stop "npm ci failed; it needs the network once" 4; }
  rm -f "$log"
fi

folder=$(cd "$folder" && pwd)
export ATLAS_REPORT_DIR=$folder
cd "$allure_dir"
allure() { node_modules/.bin/allure "$@" --config allurerc.mjs; }

# The gate comes first and writes no history: afterwards it would compare the run with itself.
verdict=0
if [ "$gate" = yes ]; then
  GATE=1 allure quality-gate "$folder/allure-results" || verdict=1
fi
if [ "$write" = yes ]; then
  rm -rf "$folder/allure-report" # Allure leaves an old page in place and writes beside it
  allure generate "$folder/allure-results" || stop "allure generate failed" 3
  node strip-analytics.mjs "$folder/allure-report" || stop "the page still calls somebody" 3
  cp "$folder/allure-report/awesome/index.html" "$folder/report.html"
  echo "report: $folder/report.html"
fi
exit "$verdict"
