"""Check what a client asks for, and say everything that is wrong with it at once."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from shadow_atlas.portal_queries.catalogue import STATES, Layer

KEY_LENGTH_MAX = 128  # an identifier, not a payload


class RequestRejected(ValueError):
    """Says what is wrong with a request; its text is for the client."""


class KeyReused(Exception):
    """An idempotency key came back with another request than the one it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """A job that can be stored.

    Args:
        states: Postal codes, in the order asked for.
        layers: Kinds of boundary, likewise.
        idempotency_key: Makes repeated requests one job; None makes each a new one.
    """

    states: tuple[str, ...]
    layers: tuple[Layer, ...]
    idempotency_key: str | None = None

    @property
    def sha256(self) -> str:
        """Digest of what is asked for, the key left out."""
        text = json.dumps([self.states, self.layers])
        return hashlib.sha256(text.encode()).hexdigest()


def read_job_request(document: object, *, idempotency_key: str | None = None) -> JobRequest:
    """Read the body of a job.

    Raises:
        RequestRejected: If it is not `{"states": [...], "layers": [...]}` with known, distinct
            members; at most all of them can be asked for, so no job is too large.
    """
    members = _object(document, fields=("states", "layers"))
    problems: list[str] = []
    states = _names(members, "states", STATES, problems)
    layers = _names(members, "layers", tuple(Layer), problems)
    if idempotency_key is not None and not _is_key(idempotency_key):
        problems.append(f"idempotency-key: expected 1 to {KEY_LENGTH_MAX} printable characters")
    if problems:
        raise RequestRejected("; ".join(problems))
    return JobRequest(
        states=states,
        layers=tuple(Layer(layer) for layer in layers),
        idempotency_key=idempotency_key,
    )


def read_extraction_request(document: object) -> tuple[str, Layer]:
    """Read the body of a single extraction.

    Raises:
        RequestRejected: If it is not `{"state": ..., "layer": ...}` with known values.
    """
    members = _object(document, fields=("state", "layer"))
    problems = [
        f"{name}: expected one of {', '.join(known)}, got {members.get(name)!r}"
        for name, known in (("state", STATES), ("layer", tuple(Layer)))
        if members.get(name) not in known
    ]
    if problems:
        raise RequestRejected("; ".join(problems))
    return str(members["state"]), Layer(str(members["layer"]))


def _object(document: object, *, fields: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(document, Mapping):
        raise RequestRejected(f"expected a JSON object, got {type(document).__name__}")
    unknown = sorted(str(name) for name in set(document) - set(fields))
    if unknown:
        raise RequestRejected(f"unknown fields {', '.join(unknown)}; expected {', '.join(fields)}")
    return document


def _names(
    members: Mapping[str, object], field: str, known: tuple[str, ...], problems: list[str]
) -> tuple[str, ...]:
    value = members.get(field)
    if not isinstance(value, list) or not value:
        problems.append(f"{field}: expected a list with at least one of {', '.join(known)}")
        return ()
    if len(value) > len(known):
        problems.append(f"{field}: expected at most {len(known)} members, got {len(value)}")
        return ()
    unknown = [member for member in value if member not in known]
    if unknown:
        problems.append(f"{field}: expected only {', '.join(known)}, got {unknown!r}")
        return ()
    if len(set(value)) < len(value):
        problems.append(f"{field}: expected each member once")
    return tuple(value)


def _is_key(text: str) -> bool:
    return 0 < len(text) <= KEY_LENGTH_MAX and text.isascii() and text.isprintable()
