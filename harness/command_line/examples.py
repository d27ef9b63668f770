"""An example of each fault and each check, as it stands in a scenario about Shadow Atlas.

A test reads every one of them with the parser; `explain` and the matrix of faults show them.
"""

from collections.abc import Mapping

FAULT_EXAMPLES: Mapping[str, str] = {
    "latency": "{fault: latency, link: api -> db, delay: 800ms, jitter: 100ms, at: 20s, for: 60s}",
    "bandwidth": "{fault: bandwidth, link: batch -> tiger, rate: 64KiB/s, at: 20s, for: 60s}",
    "timeout": "{fault: timeout, link: api -> db, at: 20s, for: 60s}",
    "reset_peer": "{fault: reset_peer, link: batch -> portal_wi, share: 50%, at: 20s, for: 60s}",
    "slow_close": "{fault: slow_close, link: batch -> portal_wi, delay: 5s, at: 20s, for: 60s}",
    "slicer": (
        "{fault: slicer, link: batch -> portal_wi, average_size: 64B, delay: 1s, at: 20s, for: 60s}"
    ),
    "limit_data": "{fault: limit_data, link: batch -> portal_wi, size: 1KiB, at: 20s, for: 60s}",
    "down": "{fault: down, link: api -> db, at: 20s, for: 60s}",
    "partition": "{fault: partition, link: api -> db, direction: response, at: 20s, for: 60s}",
    "disconnect": "{fault: disconnect, service: tiger, at: 20s, for: 30s}",
    "dns_failure": "{fault: dns_failure, service: api, how: silence, at: 20s, for: 60s}",
    "dns_delay": "{fault: dns_delay, service: batch, delay: 2s, at: 20s, for: 60s}",
    "kill": "{fault: kill, service: batch, at: 20s, for: 10s}",
    "stop": "{fault: stop, service: batch, at: 20s, for: 10s}",
    "pause": "{fault: pause, service: db, at: 20s, for: 10s}",
    "restart": "{fault: restart, service: api, at: 20s, for: 10s}",
    "cpu_pressure": "{fault: cpu_pressure, service: api, workers: 2, at: 20s, for: 60s}",
    "memory_pressure": "{fault: memory_pressure, service: api, size: 32MiB, at: 20s, for: 60s}",
    "fds_exhausted": "{fault: fds_exhausted, service: api, spare: 0, at: 20s, for: 60s}",
    "connections_exhausted": "{fault: connections_exhausted, service: db, at: 20s, for: 60s}",
    "cpu_quota": "{fault: cpu_quota, service: portal_wi, cores: 0.05, at: 20s, for: 60s}",
    "oom_kill": "{fault: oom_kill, service: batch, at: 20s, for: 10s}",
    "disk_full": "{fault: disk_full, service: db, spare: 0B, at: 20s, for: 60s}",
    "clock_skew": "{fault: clock_skew, service: api, offset: -1h, at: 20s, for: 60s}",
    "in_process": (
        "{fault: in_process, service: batch, kind: timeout, fail_first: 2, at: 20s, for: 60s}"
    ),
    "upstream_response": (
        "{fault: upstream_response, service: portal_wi, state: WI, status: 503, at: 20s, for: 60s}"
    ),
}
"""Entries of a timeline whose baseline lasts 20 s."""

CHECK_EXAMPLES: Mapping[str, str] = {
    "success_ratio": "{load: lookups, during: fault, at_least: 99%}",
    "latency": "{load: lookups, during: baseline, percentile: p95, at_most: 250ms}",
    "recovery_time": "{load: lookups, at_most: 60s}",
    "retry_success": "{link: batch -> portal_wi, attempts: 3}",
    "retry_amplification": "{link: batch -> portal_wi, at_most: 3}",
    "retry_spacing": "{link: batch -> portal_wi, at_least: 2s, status: 503}",
    "retry_spread": "{link: batch -> portal_wi, at_most: 15, within: 1s, samples: 30}",
    "breaker_transitions": "{breaker: api-server, opens_within: 10s, closes_within: 35s}",
    "fallback": ("{load: lookups, during: fault, source: stale_cache, at_least: 90%, max_age: 1h}"),
    "answer_source": "{load: lookups, during: baseline, only: [primary]}",
    "rate_limit": "{load: lookups, capacity: 100, refill: 10/s}",
    "bulkhead": "{service: batch, bulkhead: portals, max_concurrent: 5, max_queue: 10}",
    "work_items": "{service: batch, ends: [finished, failed]}",
    "probe_value": "{probe: health, value: level, during: fault, not_equals: healthy}",
    "alert": "{alert: CircuitBreakerOpenCritical, labels: [name=api-server], fires_within: 60s}",
}
"""The fields of checks on the load `lookups` and the probe `health` of the api.

The check `alert` needs a section `alerts` besides, which names the rules.
"""
