"""Every foreign error has its class; 4xx that blame the request never reach a breaker."""

import errno
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import asyncpg
import httpx
import pytest
from hypothesis import given, strategies as st

from resilience import CircuitOpen, ErrorClass, InjectedUpstreamError, RetryExhausted
from shadow_atlas.errors import (
    DatabaseUnreachable,
    UpstreamRefused,
    UpstreamStatus,
    blames_request,
    classify,
    parse_retry_after,
    response_error,
    status_error,
)
from shadow_atlas.presets import API_LOOKUP, PORTAL_REQUEST, STATE_EXTRACTION

REQUEST = httpx.Request("GET", "http://portal.example/")

CLASS_OF_ERROR = [
    (httpx.ConnectTimeout("", request=REQUEST), "network_timeout"),
    (httpx.ReadTimeout("", request=REQUEST), "network_timeout"),
    (httpx.WriteTimeout("", request=REQUEST), "network_timeout"),
    (httpx.PoolTimeout("", request=REQUEST), "temporary_failure"),
    (httpx.ConnectError("", request=REQUEST), "network_error"),
    (httpx.ReadError("", request=REQUEST), "network_error"),
    (httpx.WriteError("", request=REQUEST), "network_error"),
    (httpx.CloseError("", request=REQUEST), "network_error"),
    (httpx.RemoteProtocolError("", request=REQUEST), "network_error"),
    (httpx.ProxyError("", request=REQUEST), "network_error"),
    (httpx.DecodingError("", request=REQUEST), "temporary_failure"),
    (httpx.LocalProtocolError("", request=REQUEST), "permanent"),
    (httpx.UnsupportedProtocol("", request=REQUEST), "permanent"),
    (httpx.TooManyRedirects("", request=REQUEST), "permanent"),
    (httpx.InvalidURL(""), "permanent"),
    (asyncpg.CannotConnectNowError(""), "service_unavailable"),
    (asyncpg.AdminShutdownError(""), "service_unavailable"),
    (asyncpg.CrashShutdownError(""), "service_unavailable"),
    (asyncpg.TooManyConnectionsError(""), "service_unavailable"),
    (asyncpg.QueryCanceledError(""), "network_timeout"),
    (asyncpg.ConnectionDoesNotExistError(""), "network_error"),
    (asyncpg.ConnectionFailureError(""), "network_error"),
    (asyncpg.ConnectionRejectionError(""), "network_error"),
    (asyncpg.DiskFullError(""), "temporary_failure"),
    (asyncpg.OutOfMemoryError(""), "temporary_failure"),
    (asyncpg.DeadlockDetectedError(""), "temporary_failure"),
    (asyncpg.SerializationError(""), "temporary_failure"),
    (asyncpg.UndefinedTableError(""), "permanent"),
    (asyncpg.InvalidCatalogNameError(""), "permanent"),
    (asyncpg.InvalidAuthorizationSpecificationError(""), "permanent"),
    (asyncpg.InterfaceError("connection is closed"), "permanent"),
    (DatabaseUnreachable("refused"), "network_error"),
    (TimeoutError(), "network_timeout"),
    (ConnectionResetError(), "network_error"),
    (socket.gaierror(), "network_error"),
    (OSError(errno.EHOSTUNREACH, ""), "network_error"),
    (OSError(errno.ENOSPC, ""), "permanent"),
    (RuntimeError("order 4290 not found"), "permanent"),
    (ValueError('unexpected "timeout"'), "permanent"),
    (CircuitOpen("inner", 1.0), "permanent"),
    (RetryExhausted(TimeoutError(), ()), "permanent"),
]

CLASS_OF_STATUS = {
    408: "temporary_failure",
    425: "temporary_failure",
    429: "rate_limit",
    502: "temporary_failure",
    503: "service_unavailable",
    504: "gateway_timeout",
}


@pytest.mark.parametrize(
    ("error", "expected"), CLASS_OF_ERROR, ids=[repr(error)[:60] for error, _ in CLASS_OF_ERROR]
)
def test_error_has_its_class(error, expected):
    assert classify(error) == ErrorClass(expected)


@pytest.mark.parametrize("status", range(300, 600))
def test_status_has_its_class_and_blames_the_request_or_the_upstream(status):
    error = status_error("", status=status)

    assert classify(error) == ErrorClass(CLASS_OF_STATUS.get(status, "permanent"))
    is_about_the_request = 400 <= status < 500 and status not in CLASS_OF_STATUS
    assert isinstance(error, UpstreamRefused) is is_about_the_request
    assert blames_request(error) is is_about_the_request


def test_injected_error_is_judged_like_a_real_one():
    assert blames_request(InjectedUpstreamError("", 404))
    assert not blames_request(InjectedUpstreamError("", 429))
    assert not blames_request(TimeoutError())


@pytest.mark.parametrize("config", [API_LOOKUP, PORTAL_REQUEST, STATE_EXTRACTION])
def test_every_breaker_excludes_refusals_and_nothing_else(config):
    assert config.breaker.excluded_if is blames_request
    assert config.breaker.excluded == ()


@given(seconds=st.integers(0, 10**6))
def test_retry_after_is_read_in_both_forms(seconds):
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    date = format_datetime(now + timedelta(seconds=seconds), usegmt=True)

    by_number = parse_retry_after(str(seconds), now_wall_s=now.timestamp())
    by_date = parse_retry_after(date, now_wall_s=now.timestamp())

    assert (by_number, by_date) == (seconds, seconds)


@pytest.mark.parametrize("text", ["-5", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_retry_after_in_the_past_means_now(text):
    assert parse_retry_after(text, now_wall_s=1e9) == 0.0


@given(text=st.text())
def test_unreadable_retry_after_never_raises(text):
    seconds = parse_retry_after(text, now_wall_s=0.0)

    assert seconds is None or seconds >= 0.0


def test_error_of_an_answer_carries_status_and_retry_after():
    response = httpx.Response(429, headers={"Retry-After": "7"})

    error = response_error(response, now_wall_s=0.0)

    assert isinstance(error, UpstreamStatus)
    assert (error.status, error.retry_after_s) == (429, 7.0)
    assert str(error) == "HTTP 429 Too Many Requests"
