"""Read `host:port` texts as Go's network package does, and keep to loopback unless told."""

import ipaddress

PORT_MAX = 65535


class AddressRefused(Exception):
    """An address that cannot be listened on or connected to; the text says why."""


def split_host_port(text: str) -> tuple[str, int]:
    """Return host and port of `host:port` or `[v6]:port`; the host may be empty.

    Raises:
        AddressRefused: In the words of the vendor's server.

    >>> split_host_port("127.0.0.1:80")
    ('127.0.0.1', 80)
    >>> split_host_port("[::1]:80")
    ('::1', 80)
    """
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        raise AddressRefused(f"address {text}: missing port in address")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise AddressRefused(f"address {text}: too many colons in address")
    if not (port.isascii() and port.isdigit() and int(port) <= PORT_MAX):
        raise AddressRefused(f"address {port}: invalid port")
    return host, int(port)


def resolve_listen(text: str, *, beyond_loopback: bool = False) -> tuple[str, int]:
    """Return where to listen; an empty text means any free port of 127.0.0.1.

    Names other than `localhost` are not looked up, so no call of the API waits for a name server.

    Args:
        text: `host:port`.
        beyond_loopback: Whether other addresses will do, as in a container with networks of its
            own.

    Raises:
        AddressRefused: If the text is malformed or the address is not to be listened on.

    >>> resolve_listen("localhost:80")
    ('127.0.0.1', 80)
    >>> resolve_listen("0.0.0.0:80", beyond_loopback=True)
    ('0.0.0.0', 80)
    """
    host, port = split_host_port(text) if text else ("", 0)
    if host in {"", "localhost"}:
        return "127.0.0.1", port
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        raise AddressRefused(f"lookup {host}: no such host") from error
    if not (address.is_loopback or beyond_loopback):
        raise AddressRefused(f"{join_host_port(host, port)}: bind: not a loopback address")
    return host, port


def join_host_port(host: str, port: int) -> str:
    """Return `host:port`, with brackets around an IPv6 host.

    >>> join_host_port("::1", 80)
    '[::1]:80'
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback_host(header: str) -> bool:
    """Return whether a Host header names loopback; anything else may be DNS rebinding.

    >>> is_loopback_host("localhost:8474"), is_loopback_host("evil.example:8474")
    (True, False)
    """
    host, _, port = header.rpartition(":")
    if not host or not port.isdigit():
        host = header
    host = host.removeprefix("[").removesuffix("]").lower()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
