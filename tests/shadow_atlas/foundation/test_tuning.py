"""The guide's tuning tables, laid over the services' own numbers by name."""

import pytest

from resilience import StackConfig
from shadow_atlas.batch.settings import BatchSettings
from shadow_atlas.environment import ConfigurationError
from shadow_atlas.presets import API_LOOKUP, PORTAL_REQUEST, STATE_EXTRACTION
from shadow_atlas.settings import ApiSettings, require_room_for_attempts
from shadow_atlas.tuning import NAMES, Tuning

API = {
    "ATLAS_SERVICE": "api",
    "ATLAS_PORT": "8080",
    "ATLAS_DB_ADDRESS": "127.0.0.1:5432",
}
BATCH = {
    **API,
    "ATLAS_PORTAL_WI_ADDRESS": "127.0.0.1:1",
    "ATLAS_PORTAL_CO_ADDRESS": "127.0.0.1:2",
    "ATLAS_PORTAL_NY_ADDRESS": "127.0.0.1:3",
    "ATLAS_TIGER_ADDRESS": "127.0.0.1:4",
}


def test_without_a_preset_the_numbers_are_the_service_s_own():
    assert ApiSettings.from_environment(API).lookup == API_LOOKUP
    assert BatchSettings.from_environment(BATCH).request == PORTAL_REQUEST


def test_a_breaker_preset_keeps_what_the_table_does_not_speak_of():
    lookup = ApiSettings.from_environment({**API, "ATLAS_PRESET": "user_facing_tolerant"}).lookup

    assert lookup.breaker is not None
    assert API_LOOKUP.breaker is not None
    assert (lookup.breaker.failure_threshold, lookup.breaker.open_duration_s) == (20, 60.0)
    assert lookup.breaker.excluded_if is API_LOOKUP.breaker.excluded_if
    assert lookup.retry == API_LOOKUP.retry
    assert lookup.bulkhead == API_LOOKUP.bulkhead


def test_batch_takes_breaker_and_retry_for_portals_and_concurrency_for_extractions():
    text = "background_quick, slow_upstream_tolerant,network_bound_small"

    settings = BatchSettings.from_environment({**BATCH, "ATLAS_PRESET": text})

    request, extraction = settings.request, settings.extraction
    assert request.breaker is not None
    assert request.retry is not None
    assert extraction.bulkhead is not None
    assert (request.breaker.failure_threshold, request.breaker.open_duration_s) == (3, 60.0)
    assert (request.retry.max_attempts, request.retry.initial_delay_s) == (2, 1.0)
    assert request.retry.max_delay_s == 30.0
    assert request.retry.attempt_timeout_s == 10.0
    assert extraction.bulkhead.max_concurrent == 10
    assert extraction.breaker == STATE_EXTRACTION.breaker


def test_presets_are_scaled_like_everything_else():
    settings = ApiSettings.from_environment(
        {**API, "ATLAS_PRESET": "user_facing_tolerant", "ATLAS_TIME_SCALE": "0.1"}
    )

    assert settings.lookup.breaker is not None
    assert settings.lookup.breaker.open_duration_s == pytest.approx(6.0)
    assert settings.lookup.breaker.failure_threshold == 20


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "stack", [API_LOOKUP, PORTAL_REQUEST, STATE_EXTRACTION], ids=lambda stack: stack.name
)
def test_every_preset_leaves_room_for_every_attempt(name, stack):
    tuned = Tuning.parse(name).of_all(stack)

    require_room_for_attempts(tuned.retry)


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_adds_no_part_that_a_stack_does_not_have(name):
    bare = StackConfig(name="bare")

    assert Tuning.parse(name).of_all(bare) == bare


def test_a_total_timeout_grows_with_the_attempts():
    retry = API_LOOKUP.retry
    assert retry is not None
    short = StackConfig(
        name="short", retry=type(retry)(max_attempts=1, attempt_timeout_s=2.0, total_timeout_s=2.0)
    )

    tuned = Tuning.parse("slow_upstream_quick").of_retry(short).retry

    assert tuned is not None
    assert tuned.total_timeout_s == pytest.approx(2 * 2.0 + 0.55)


@pytest.mark.parametrize(
    "text", ["background", "background_quick,background_tolerant", "background_quick,,", "", " "]
)
def test_what_is_no_choice_of_presets_is_told_with_what_is(text):
    with pytest.raises(ConfigurationError, match="ATLAS_PRESET: expected names of user_facing_qui"):
        ApiSettings.from_environment({**API, "ATLAS_PRESET": text})
