"""The control API: which path does what, and how it answers."""

import hashlib
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from fault_injectors.proxy.addresses import is_loopback_host
from fault_injectors.proxy.answers import (
    Answer,
    ApiError,
    plain,
    proxy_shape,
    shown,
    toxic_shape,
    toxic_shapes,
)
from fault_injectors.proxy.live_proxy import InstalledToxic, LiveProxy
from fault_injectors.proxy.proxy_bodies import (
    read_changed_proxy,
    read_new_proxy,
    read_populate,
    read_toxic_value,
)
from fault_injectors.proxy.registry import Registry
from fault_injectors.proxy.toxic_bodies import read_changed_toxic, read_new_toxic

VERSION = b'{"version": "2.12.0+embedded"}\n'  # the API that is spoken, and by whom


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request.

    Args:
        method: Method, upper case.
        target: Path and query as sent.
        headers: Header values by lower-case name; of duplicates the last.
        body: The whole body.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


class Call(NamedTuple):
    """A request that found its route, with the names in its path."""

    request: Request
    names: tuple[str, ...]


Handler = Callable[[Call], Answer]


class Api:
    """Answer requests about the proxies of a registry."""

    def __init__(self, registry: Registry, *, seed: int) -> None:
        self._registry = registry
        self._seed = seed
        self._requests = 0
        self._routes: dict[str, dict[str, Handler]] = {
            "/version": {"GET": self._version},
            "/reset": {"POST": self._reset},
            "/populate": {"POST": self._populate},
            "/proxies": {"GET": self._list, "POST": self._create},
            "/proxies/*": {
                "GET": self._show,
                "POST": self._update,
                "PATCH": self._update,
                "DELETE": self._delete,
            },
            "/proxies/*/toxics": {"GET": self._list_toxics, "POST": self._add_toxic},
            "/proxies/*/toxics/*": {
                "GET": self._show_toxic,
                "POST": self._update_toxic,
                "PATCH": self._update_toxic,
                "DELETE": self._remove_toxic,
            },
        }

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request; errors of the request are answers too."""
        if not is_loopback_host(request.headers.get("host", "localhost")):
            return plain(403, b"Host not allowed: not a loopback name or address\n")
        path = unquote(urlsplit("http://x" + request.target).path) or "/"
        clean = _clean(path)
        if clean != path:
            return Answer(status=301, headers=(("Location", clean),))
        route, names = _route_of(path)
        methods = self._routes.get(route)
        if methods is None:
            return plain(404, b"404 page not found\n")
        handler = methods.get(request.method)
        if handler is None:
            return Answer(status=405)
        answer = self._handle(handler, Call(request, names))
        return replace(answer, headers=(*answer.headers, self._request_id()))

    def _handle(self, handler: Handler, call: Call) -> Answer:
        if call.request.headers.get("user-agent", "").startswith("Mozilla/"):
            return plain(403, b"User agent not allowed\n")
        try:
            return handler(call)
        except ApiError as error:
            return error.answer()

    def _request_id(self) -> tuple[str, str]:
        self._requests += 1
        text = f"{self._seed}\x1f{self._requests}".encode()
        return "X-Toxiproxy-Request-Id", hashlib.blake2b(text, digest_size=10).hexdigest()

    def _version(self, call: Call) -> Answer:  # noqa: ARG002 - every handler is handed its call
        return Answer(status=200, body=VERSION, content_type="application/json;charset=utf-8")

    def _reset(self, call: Call) -> Answer:  # noqa: ARG002 - every handler is handed its call
        self._registry.reset()
        return Answer(status=204)

    def _populate(self, call: Call) -> Answer:
        done: list[LiveProxy] = []
        try:
            self._registry.populate(read_populate(call.request.body), done)
        except ApiError as error:
            failed = {"error": error.text, "status": error.status}
            return shown({**failed, "proxies": _shapes_or_null(done)}, status=error.status)
        return shown({"proxies": _shapes_or_null(done)}, status=201)

    def _list(self, call: Call) -> Answer:  # noqa: ARG002 - every handler is handed its call
        return shown({each.name: proxy_shape(each) for each in self._registry.proxies})

    def _create(self, call: Call) -> Answer:
        proxy = self._registry.create(read_new_proxy(call.request.body))
        return shown(proxy_shape(proxy), status=201)

    def _show(self, call: Call) -> Answer:
        return shown(proxy_shape(self._registry.get(call.names[0])))

    def _update(self, call: Call) -> Answer:
        proxy = self._registry.get(call.names[0])
        self._registry.update(proxy, read_changed_proxy(call.request.body, proxy))
        return shown(proxy_shape(proxy))

    def _delete(self, call: Call) -> Answer:
        self._registry.delete(call.names[0])
        return Answer(status=204)

    def _list_toxics(self, call: Call) -> Answer:
        return shown(toxic_shapes(self._registry.get(call.names[0]).toxics))

    def _add_toxic(self, call: Call) -> Answer:
        proxy = self._registry.get(call.names[0])
        value = read_toxic_value(call.request.body)
        installed = read_new_toxic(value, taken=tuple(each.name for each in proxy.toxics))
        proxy.add_toxic(installed)
        return shown(toxic_shape(installed))

    def _show_toxic(self, call: Call) -> Answer:
        return shown(toxic_shape(self._find(call)[1]))

    def _update_toxic(self, call: Call) -> Answer:
        proxy, present = self._find(call)
        changed = read_changed_toxic(read_toxic_value(call.request.body), present)
        proxy.update_toxic(changed)
        return shown(toxic_shape(changed))

    def _remove_toxic(self, call: Call) -> Answer:
        proxy, present = self._find(call)
        proxy.remove_toxic(present)
        return Answer(status=204)

    def _find(self, call: Call) -> tuple[LiveProxy, InstalledToxic]:
        proxy = self._registry.get(call.names[0])
        installed = proxy.find_toxic(call.names[1])
        if installed is None:
            raise ApiError(404, "toxic not found")
        return proxy, installed


def _shapes_or_null(proxies: list[LiveProxy]) -> list[dict[str, object]] | None:
    return [proxy_shape(each) for each in proxies] or None


def _clean(path: str) -> str:
    """Return the path without empty, `.` and `..` parts; a slash at its end stays."""
    clean = "/" + posixpath.normpath(path).lstrip("/.")
    return clean + "/" if path.endswith("/") and clean != "/" else clean


def _route_of(path: str) -> tuple[str, tuple[str, ...]]:
    """Return the route of a path, with `*` for each name, and the names."""
    parts = path.split("/")[1:]
    names = tuple(parts[index] for index in (1, 3) if index < len(parts))
    marked = ["*" if index in {1, 3} and part else part for index, part in enumerate(parts)]
    return "/" + "/".join(marked), names
