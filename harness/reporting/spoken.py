"""Tell the timeline in a sentence, for people who do not see it."""

from harness.reporting.quantities import count, ratio, seconds
from harness.reporting.timeline import Timeline


def spoken_timeline(timeline: Timeline) -> str:
    """Return what the picture shows, in the order in which the run went."""
    phases = ", ".join(span.label for span in timeline.phases) or "no phase"
    parts = [f"Timeline of {timeline.title}, {timeline.verdict.replace('_', ' ')}", phases]
    for fault in timeline.faults:
        when = f"from {seconds(fault.start_s)} to {seconds(fault.end_s)}"
        parts.append(f"{fault.label} {when}")
    counts = [f"{number} {group}" for group, number in timeline.cloud.counts.items()]
    parts.append(f"operations: {', '.join(counts) or 'none'}")
    worst = max(timeline.bins, key=lambda item: item.not_ok_ratio, default=None)
    if worst is not None and worst.not_ok_ratio > 0.0:
        parts.append(f"at worst {ratio(worst.not_ok_ratio)} not ok, at {seconds(worst.start_s)}")
    moved = sum(lane.has_moved for lane in timeline.lanes)
    if timeline.lanes:
        parts.append(f"{moved} of {count(len(timeline.lanes), 'breaker')} moved")
    if timeline.recovery is not None:
        parts.append(timeline.recovery.label.rstrip(" ✓✗"))
    return "; ".join(parts) + "."
