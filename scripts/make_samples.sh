#!/usr/bin/env bash
# Make reports/samples anew: one run of each verdict against two tiny services, their reports, and
# pictures of their Allure pages. Needs Node and Chromium; takes about two minutes.
#
# What is committed stays small: histories, logs and the page itself are left out.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
samples=reports/samples
work=reports/sample-suite
python=${PYTHON:-.venv/bin/python}
harness_error=3 # one of the samples is a run that the harness broke, and worst wins

code=0
"$python" -m harness.cli run $samples/scenarios --time-scale 1 --seed 1 --report-dir $work || code=$?
[ "$code" -eq "$harness_error" ] || { echo "make_samples: expected exit code 3, got $code" >&2; exit 1; }

rm -rf $samples/allure-results $samples/runs $samples/screenshots
cp $work/summary.json $work/summary.md $work/junit.xml $samples/
for run in $work/runs/*; do
  mkdir -p "$samples/runs/$(basename "$run")"
  for file in findings.json timeline.svg run.json; do
    [ ! -f "$run/$file" ] || cp "$run/$file" "$samples/runs/$(basename "$run")/"
  done
done
mkdir -p $samples/allure-results
cp $work/allure-results/*-result.json $work/allure-results/*.properties $samples/allure-results/

# The history of real suites is none of a sample's business.
history=$(mktemp -d)
trap 'rm -rf "$history"' EXIT
ATLAS_REPORT_HISTORY=$history/history.jsonl scripts/make_report.sh $work
scripts/screenshot_report.sh $work $samples/screenshots

if grep -rIl "$PWD" $samples; then
  echo "make_samples: these files name a folder of this machine" >&2
  exit 1
fi
echo "samples: $samples"
