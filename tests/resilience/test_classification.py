"""Errors are classified by type and integer status, and Retry-After is read in every form."""

import errno
import socket
from email.utils import formatdate

import pytest

from resilience import (
    CircuitOpen,
    DeadlineExceeded,
    ErrorClass,
    RetryExhausted,
    TemporaryFailure,
    default_classifier,
    retry_after_s,
)
from tests.resilience.virtual_time import WALL_START_S


class Answer(Exception):
    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)


class Response:
    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), ErrorClass.NETWORK_TIMEOUT),
        (OSError(errno.ETIMEDOUT, "timed out"), ErrorClass.NETWORK_TIMEOUT),
        (ConnectionRefusedError(), ErrorClass.NETWORK_ERROR),
        (BrokenPipeError(), ErrorClass.NETWORK_ERROR),
        (socket.gaierror(), ErrorClass.NETWORK_ERROR),
        (OSError(errno.ENETUNREACH, "unreachable"), ErrorClass.NETWORK_ERROR),
        (OSError(errno.EHOSTUNREACH, "unreachable"), ErrorClass.NETWORK_ERROR),
        (OSError(errno.ENOSPC, "disk full"), ErrorClass.PERMANENT),
        (Answer(status=429), ErrorClass.RATE_LIMIT),
        (Answer(status_code=503), ErrorClass.SERVICE_UNAVAILABLE),
        (Answer(response=Response(status_code=504)), ErrorClass.GATEWAY_TIMEOUT),
        (Answer(status=408), ErrorClass.TEMPORARY_FAILURE),
        (Answer(status=425), ErrorClass.TEMPORARY_FAILURE),
        (Answer(status=502), ErrorClass.TEMPORARY_FAILURE),
        (Answer(status=404), ErrorClass.PERMANENT),
        (Answer(status="503"), ErrorClass.PERMANENT),
        (TemporaryFailure(), ErrorClass.TEMPORARY_FAILURE),
        (RuntimeError("503 Service Unavailable"), ErrorClass.PERMANENT),
        (CircuitOpen("b", 0.0), ErrorClass.PERMANENT),
        (RetryExhausted(TimeoutError(), ()), ErrorClass.PERMANENT),
        (DeadlineExceeded("d", 1.0, TimeoutError(), 1), ErrorClass.PERMANENT),
    ],
)
def test_type_and_status_decide_and_the_text_does_not(error, expected):
    assert default_classifier(error) is expected


def test_a_builtin_of_the_wrong_family_is_permanent():
    assert default_classifier(KeyError("no row with id 1503")) is ErrorClass.PERMANENT


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Answer(), None),
        (Answer(retry_after=30), 30.0),
        (Answer(retry_after_s=0.5), 0.5),
        (Answer(retry_after=-5), 0.0),
        (Answer(retry_after=float("inf")), None),
        (Answer(retry_after=True), None),
        (Answer(headers={"retry-after": "12"}), 12.0),
        (Answer(headers={"Retry-After": "12"}), 12.0),
        (Answer(response=Response(headers={"retry-after": "12"})), 12.0),
        (Answer(headers={"retry-after": formatdate(WALL_START_S + 90, usegmt=True)}), 90.0),
        (Answer(headers={"retry-after": formatdate(WALL_START_S - 90, usegmt=True)}), 0.0),
        (Answer(headers={"retry-after": "soon"}), None),
        (Answer(headers={"retry-after": "nan"}), None),
        (Answer(headers={}), None),
        (Answer(headers=None), None),
        (Answer(retry_after=None, headers={"retry-after": "3"}), 3.0),
    ],
)
def test_retry_after_is_read_in_every_form(error, seconds):
    assert retry_after_s(error, WALL_START_S) == seconds
