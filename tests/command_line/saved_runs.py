"""Saved runs made here: half of the operations of a run fail, for a while."""

import json
from dataclasses import replace
from pathlib import Path

from harness.composition import judge_saved
from harness.model.history import to_json
from harness.model.records import NS_PER_S, FaultRecord, Operation, Phase
from harness.reporting.run_report import report_of
from harness.reporting.write import write_run_files, write_suite_files

ROOT = Path(__file__).parents[2]
SYSTEM = ROOT / "tests" / "runs" / "system" / "pair.system.yaml"
SCENARIO = """
claim: Half of all requests are answered.
system: pair
load:
  asks: {service: front, request: GET /ask, rate: 40/s}
baseline: 2s
steady_state: {success_ratio: 99%, latency_p95: 400ms}
timeline: [{fault: down, link: front -> back, at: 2s, for: 2s}]
settle: {at_most: 4s, hold: 2s}
checks:
  - success_ratio: {load: asks, during: run, at_least: 50%}
"""
MARCH_1_UNIX_S = 1_772_330_400  # 2026-03-01 02:00 UTC
PHASES = (("baseline", 0, 2), ("fault", 2, 4), ("settle", 4, 7))


def operation(index, *, ok, latency_s):
    t_ns = index * NS_PER_S // 40
    return Operation(
        t_ns=t_ns,
        started_ns=t_ns,
        end_ns=t_ns + round(latency_s * NS_PER_S),
        load="asks",
        call_id=f"c{index}",
        client="x",
        method="GET",
        target="/ask",
        outcome="OK" if ok else "FAILED",
        status=200 if ok else 502,
    )


def saved_run(folder, *, name="half", failing_until_s=4.0, latency_s=0.01, time_scale=1.0):
    """Write a run whose operations fail from second 2 on, for a while."""
    (folder / "inputs").mkdir(parents=True)
    (folder / "inputs" / "pair.system.yaml").write_text(SYSTEM.read_text())
    (folder / "inputs" / f"{name}.chaos.yaml").write_text(SCENARIO)
    about = {"schema": 1, "scenario": f"{name}.chaos.yaml", "path": f"{name}.chaos.yaml"}
    about |= {"environment": "processes", "proxy": "embedded", "seed": 1, "run_id": "r"}
    (folder / "run.json").write_text(json.dumps({**about, "time_scale": time_scale}))
    target = {"fault_id": "0:down", "fault": "down", "target": "front -> back"}
    records = [
        *(Phase(t_ns=a * NS_PER_S, end_ns=b * NS_PER_S, name=phase) for phase, a, b in PHASES),
        FaultRecord(t_ns=2 * NS_PER_S, what="applied", **target),
        FaultRecord(t_ns=3 * NS_PER_S, what="effect", count=40, **target),
        FaultRecord(t_ns=4 * NS_PER_S, what="healed", **target),
        *(
            operation(i, ok=not 2.0 <= i / 40 < failing_until_s, latency_s=latency_s)
            for i in range(280)
        ),
    ]
    text = "".join(f"{to_json(record)}\n" for record in records)
    (folder / "history.ndjson").write_text(text)
    return folder


def saved_night(folder, night, **choices):
    """Write the report folder of a suite of one run that began at 02:00 of a day in March."""
    run = judge_saved(saved_run(folder / "runs" / choices.get("name", "half"), **choices))
    run = replace(run, started_unix_ns=(MARCH_1_UNIX_S + night * 86_400) * NS_PER_S)
    write_run_files(run, None)
    write_suite_files([report_of(run)], folder)
    return folder
