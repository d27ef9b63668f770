"""Settings and presets: the guide's numbers, validated, scaled once."""

from dataclasses import replace
from pathlib import Path

import pytest

from resilience import RetryConfig
from shadow_atlas import presets
from shadow_atlas.environment import Address, ConfigurationError
from shadow_atlas.headers import UPSTREAM_REQUEST_HEADERS
from shadow_atlas.service_settings import ServiceSettings
from shadow_atlas.settings import ApiSettings, DatabaseSettings, require_room_for_attempts
from shadow_atlas.upstream_client import CONNECTIONS_MAX

API = presets.API_LOOKUP
EXTRACTION = presets.STATE_EXTRACTION
PORTAL = presets.PORTAL_REQUEST
GATEWAY = presets.IPFS_GATEWAY
BREAKERS = presets.BREAKER_PRESETS
RETRIES = presets.RETRY_PRESETS
BULKHEADS = presets.BULKHEAD_PRESETS

# One row per number of the guide: what it is, what the program uses, what the guide says.
NUMBERS_OF_THE_GUIDE = [
    ("extraction breaker failures", EXTRACTION.breaker.failure_threshold, 5),
    ("extraction breaker open", EXTRACTION.breaker.open_duration_s, 60.0),
    ("extraction attempts", EXTRACTION.retry.max_attempts, 3),
    ("extraction first back-off", EXTRACTION.retry.initial_delay_s, 1.0),
    ("extraction longest back-off", EXTRACTION.retry.max_delay_s, 10.0),
    ("extraction back-off growth", EXTRACTION.retry.multiplier, 2.0),
    ("extraction jitter", EXTRACTION.retry.jitter, 0.1),
    ("extraction concurrency", EXTRACTION.bulkhead.max_concurrent, 5),
    ("extraction queue", EXTRACTION.bulkhead.max_queue, 10),
    ("portal breaker failures", PORTAL.breaker.failure_threshold, 3),
    ("portal breaker open", PORTAL.breaker.open_duration_s, 120.0),
    ("portal attempts", PORTAL.retry.max_attempts, 3),
    ("portal first back-off", PORTAL.retry.initial_delay_s, 0.5),
    ("portal longest back-off", PORTAL.retry.max_delay_s, 10.0),
    ("portal request timeout", PORTAL.retry.attempt_timeout_s, 10.0),
    ("portal total: 30 s in the guide, see presets", PORTAL.retry.total_timeout_s, 32.0),
    ("ipfs breaker failures", GATEWAY.breaker.failure_threshold, 5),
    ("ipfs breaker open", GATEWAY.breaker.open_duration_s, 60.0),
    ("ipfs attempts", GATEWAY.retry.max_attempts, 3),
    ("ipfs first back-off", GATEWAY.retry.initial_delay_s, 1.0),
    ("ipfs longest back-off", GATEWAY.retry.max_delay_s, 30.0),
    ("ipfs back-off growth", GATEWAY.retry.multiplier, 2.0),
    ("ipfs jitter", GATEWAY.retry.jitter, 0.1),
    (
        "ipfs retryable",
        {each.value for each in GATEWAY.retry.retryable},
        {"network_timeout", "network_error", "gateway_timeout"},
    ),
    ("ipfs request timeout", GATEWAY.retry.attempt_timeout_s, 30.0),
    ("ipfs bulkhead spans all gateways", GATEWAY.bulkhead, None),
    ("ipfs concurrency", presets.IPFS_SYNC.bulkhead.max_concurrent, 3),
    ("ipfs queue", presets.IPFS_SYNC.bulkhead.max_queue, 5),
    ("ipfs retries in one place only", presets.IPFS_SYNC.retry, None),
    ("api breaker failures", API.breaker.failure_threshold, 10),
    ("api breaker open", API.breaker.open_duration_s, 30.0),
    ("api attempts", API.retry.max_attempts, 2),
    ("api first back-off", API.retry.initial_delay_s, 0.05),
    ("api longest back-off", API.retry.max_delay_s, 0.5),
    ("api concurrency", API.bulkhead.max_concurrent, 100),
    ("api queue", API.bulkhead.max_queue, 200),
    ("api client tokens", presets.API_CLIENT_LIMITER.capacity, 100.0),
    ("api client refill", presets.API_CLIENT_LIMITER.refill_rate_per_s, 10.0),
    ("api client burst: none", presets.API_CLIENT_LIMITER.burst, None),
    ("api cache age", API.fallback.strategies[0].max_age_s, 3600.0),
    ("api limiter stands before its stack", API.limiter, None),
    ("user facing failures, low", BREAKERS["user_facing_quick"].failure_threshold, 10),
    ("user facing failures, high", BREAKERS["user_facing_tolerant"].failure_threshold, 20),
    ("user facing open, low", BREAKERS["user_facing_quick"].open_duration_s, 30.0),
    ("user facing open, high", BREAKERS["user_facing_tolerant"].open_duration_s, 60.0),
    ("background failures, low", BREAKERS["background_quick"].failure_threshold, 3),
    ("background failures, high", BREAKERS["background_tolerant"].failure_threshold, 5),
    ("background open, low", BREAKERS["background_quick"].open_duration_s, 60.0),
    ("background open, high", BREAKERS["background_tolerant"].open_duration_s, 300.0),
    ("fast attempts, low", RETRIES["fast_upstream_quick"].max_attempts, 2),
    ("fast attempts, high", RETRIES["fast_upstream_tolerant"].max_attempts, 3),
    ("fast first back-off, low", RETRIES["fast_upstream_quick"].initial_delay_s, 0.05),
    ("fast first back-off, high", RETRIES["fast_upstream_tolerant"].initial_delay_s, 0.1),
    ("fast longest back-off, low", RETRIES["fast_upstream_quick"].max_delay_s, 1.0),
    ("fast longest back-off, high", RETRIES["fast_upstream_tolerant"].max_delay_s, 5.0),
    ("slow attempts, low", RETRIES["slow_upstream_quick"].max_attempts, 2),
    ("slow attempts, high", RETRIES["slow_upstream_tolerant"].max_attempts, 2),
    ("slow first back-off, low", RETRIES["slow_upstream_quick"].initial_delay_s, 0.5),
    ("slow first back-off, high", RETRIES["slow_upstream_tolerant"].initial_delay_s, 1.0),
    ("slow longest back-off, low", RETRIES["slow_upstream_quick"].max_delay_s, 10.0),
    ("slow longest back-off, high", RETRIES["slow_upstream_tolerant"].max_delay_s, 30.0),
    ("network concurrency, low", BULKHEADS["network_bound_small"].max_concurrent, 10),
    ("network concurrency, high", BULKHEADS["network_bound_large"].max_concurrent, 50),
    ("cpu concurrency per core", presets.cpu_bound_bulkhead(cores=1).max_concurrent, 2),
    (
        "request headers",
        dict(UPSTREAM_REQUEST_HEADERS),
        {"Accept": "application/json", "User-Agent": "VOTER-Protocol-ShadowAtlas/1.0"},
    ),
]

ENVIRONMENT = {
    "ATLAS_SERVICE": "api",
    "ATLAS_PORT": "8080",
    "ATLAS_DB_ADDRESS": "127.0.0.1:5432",
}


@pytest.mark.parametrize(
    ("got", "expected"),
    [row[1:] for row in NUMBERS_OF_THE_GUIDE],
    ids=[row[0] for row in NUMBERS_OF_THE_GUIDE],
)
def test_default_is_the_number_of_the_guide(got, expected):
    assert got == expected


@pytest.mark.parametrize(
    "config", [API, EXTRACTION, PORTAL, GATEWAY], ids=lambda config: config.name
)
def test_total_timeout_leaves_room_for_every_attempt(config):
    require_room_for_attempts(config.retry)


def test_orchestrator_leaves_room_for_every_portal_call():
    require_room_for_attempts(EXTRACTION.retry, attempt_timeout_s=PORTAL.retry.total_timeout_s)


def test_lookup_leaves_room_for_a_full_wait_in_the_queue():
    needed_s = presets.needed_total_timeout_s(API.retry, attempt_timeout_s=2.0)

    assert API.retry.total_timeout_s >= needed_s + API.bulkhead.queue_timeout_s


def test_total_timeout_of_the_guide_would_cut_the_third_attempt():
    as_in_the_guide = replace(PORTAL.retry, total_timeout_s=30.0)

    with pytest.raises(ValueError, match=r"total_timeout_s=30\.0 must be at least 31\.65"):
        require_room_for_attempts(as_in_the_guide)


def test_unbounded_attempts_or_calls_need_no_room():
    require_room_for_attempts(None)
    require_room_for_attempts(RetryConfig(total_timeout_s=None, attempt_timeout_s=9.0))
    require_room_for_attempts(RetryConfig(total_timeout_s=1.0, attempt_timeout_s=None))


def test_lookup_settings_are_validated():
    too_short = replace(API, retry=replace(API.retry, total_timeout_s=3.0))

    with pytest.raises(ValueError, match="2 attempts of 2 s"):
        replace(ApiSettings.from_environment(ENVIRONMENT), lookup=too_short)


def test_minimal_environment_gives_the_defaults():
    settings = ApiSettings.from_environment(ENVIRONMENT)

    assert settings == ApiSettings(
        service=ServiceSettings(
            name="api", host="127.0.0.1", port=8080, app="shadow_atlas.api:create_app"
        ),
        database=DatabaseSettings(address=Address(host="127.0.0.1", port=5432)),
    )


def test_every_variable_reaches_its_setting():
    settings = ApiSettings.from_environment(
        {
            **ENVIRONMENT,
            "ATLAS_HOST": "127.0.0.2",
            "ATLAS_EVENT_DIR": "/var/events",
            "ATLAS_INCARNATION": "4",
            "ATLAS_CHAOS_TOKEN": "open",
            "ATLAS_SEED": "17",
            "ATLAS_RESILIENCE": "adapters:stack",
            "ATLAS_APP": "variants:create_app",
            "ATLAS_DB_USER": "reader",
            "ATLAS_DB_NAME": "districts",
        }
    )

    assert settings.service == ServiceSettings(
        name="api",
        host="127.0.0.2",
        port=8080,
        event_dir=Path("/var/events"),
        incarnation="4",
        chaos_token="open",  # noqa: S106 -- no secret
        seed=17,
        resilience="adapters:stack",
        app="variants:create_app",
    )
    assert (settings.database.user, settings.database.name) == ("reader", "districts")


def test_time_scale_multiplies_every_duration_and_divides_every_rate():
    settings = ApiSettings.from_environment({**ENVIRONMENT, "ATLAS_TIME_SCALE": "0.1"})

    lookup = settings.lookup
    durations_s = (
        lookup.breaker.open_duration_s,
        lookup.breaker.monitoring_window_s,
        lookup.retry.initial_delay_s,
        lookup.retry.max_delay_s,
        lookup.retry.attempt_timeout_s,
        lookup.retry.total_timeout_s,
        lookup.bulkhead.queue_timeout_s,
        lookup.fallback.strategies[0].max_age_s,
        settings.database.connect_timeout_s,
        settings.database.command_timeout_s,
        settings.service.shutdown_grace_s,
    )
    assert durations_s == pytest.approx(
        (3.0, 6.0, 0.005, 0.05, 0.2, 1.0, 0.5, 360.0, 0.2, 0.2, 1.2)
    )
    assert settings.clients.refill_rate_per_s == pytest.approx(100.0)
    assert settings.clients.capacity == 100.0


def test_secret_does_not_show_in_the_representation():
    settings = ApiSettings.from_environment({**ENVIRONMENT, "ATLAS_CHAOS_TOKEN": "s3cret"})

    assert "s3cret" not in repr(settings)


def test_missing_variables_are_all_named():
    with pytest.raises(ConfigurationError) as raised:
        ApiSettings.from_environment({})

    named = [line.split(":")[0] for line in str(raised.value).splitlines()]
    assert named == ["ATLAS_SERVICE", "ATLAS_PORT", "ATLAS_DB_ADDRESS"]


def test_memory_bound_bulkhead_needs_room_for_one_operation():
    with pytest.raises(ValueError, match="operation_bytes=2"):
        presets.memory_bound_bulkhead(memory_bytes=1, operation_bytes=2)


def test_no_pool_of_connections_is_narrower_than_a_bulkhead_of_calls_to_upstreams():
    bulkheads = [EXTRACTION.bulkhead, presets.IPFS_SYNC.bulkhead, *BULKHEADS.values()]

    assert max(one.max_concurrent for one in bulkheads) <= CONNECTIONS_MAX
