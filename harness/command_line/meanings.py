"""What verdicts, exit codes and the findings about evidence say, in a few sentences each."""

from collections.abc import Mapping

from harness.command_line.exit_codes import ExitCode
from harness.model.verdict import Verdict

VERDICTS: Mapping[Verdict, str] = {
    Verdict.PASSED: (
        "Every check held, on enough evidence: the baseline was steady, every fault was seen to "
        "act, and undoing it was read back. Nothing is left to do."
    ),
    Verdict.FAILED: (
        "The system broke a check. Read its block, the worst cases and then the timeline.svg of "
        "the run; the replay command repeats every choice."
    ),
    Verdict.INCONCLUSIVE: (
        "The evidence cannot decide, and the sentence says why: no steady baseline, a fault "
        "without effect, too few operations, a machine that stalled. The scenario or the machine "
        "is to blame as often as the system."
    ),
    Verdict.HARNESS_ERROR: (
        "The harness broke, or a service did not start; never a verdict on the system. The last "
        "words stand in the block, everything else in the logs of the run's folder."
    ),
    Verdict.SKIPPED: (
        "This machine cannot run the scenario, and it was found in a folder. Nothing was started. "
        "A scenario whose file you name is refused instead, with exit code 4."
    ),
}

EXIT_CODES: Mapping[ExitCode, str] = {
    ExitCode.PASSED: "every scenario that was judged PASSED; 'up' was stopped as it should be",
    ExitCode.FAILED: "the worst verdict is FAILED",
    ExitCode.INCONCLUSIVE: "the worst verdict is INCONCLUSIVE, or nothing was judged at all",
    ExitCode.HARNESS_ERROR: "the worst verdict is HARNESS_ERROR, or the harness itself crashed",
    ExitCode.USAGE: "the command line or a file cannot be meant; nothing was started",
    ExitCode.INTERRUPTED: "Ctrl-C or SIGTERM; everything that was started has been stopped",
}

EVIDENCE: Mapping[str, str] = {
    "baseline": (
        "The steady state held before the first fault. If it did not, nothing was injected and no "
        "check was asked: what was broken before tells nothing. Lengthen the baseline, lower the "
        "rate, or widen steady_state."
    ),
    "fault_effect": (
        "The fault was applied, was seen to act on traffic or on its target, and was healed. "
        "'touched 0 of 312 operations' means that nothing went its way: look at the link, at its "
        "direction, and at what the load asks."
    ),
    "load": (
        "Every load sent operations in every phase that it spans. A load with start, for or count "
        "may have ended too early."
    ),
    "dispatch": (
        "99 % of operations were sent within 10 ms of their time. A later dispatch is the "
        "harness's own stall: run fewer workers, or on a machine with less to do."
    ),
    "processors": (
        "No service was kept waiting for a processor for more than half of any second. Beyond that "
        "a check that failed is INCONCLUSIVE, unless its rule holds at any speed; run fewer "
        "scenarios at once, or on a machine with less to do."
    ),
    "stall_budget": (
        "No stall of the machine was longer than half the shortest open time of the breakers that "
        "are judged. On a busy machine choose a larger --time-scale."
    ),
}
"""The findings that every run has beside those of its checks."""
