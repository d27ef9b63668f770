"""Read and write nodes of a Merkle DAG: some data, and links to other blocks.

Source: https://ipld.io/specs/codecs/dag-pb/spec/
"""

from dataclasses import dataclass
from typing import Final

from shadow_atlas.content_addressing.protobuf import field, fields
from shadow_atlas.content_addressing.varint import MalformedBytes

_NODE_DATA: Final = 1
_NODE_LINK: Final = 2
_LINK_HASH: Final = 1
_LINK_NAME: Final = 2
_LINK_SIZE: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link to another block.

    Args:
        target: Binary CID, of any kind; who follows the link reads it.
        name: Name of the target in this node, UTF-8; None if absent. Empty in files.
        tree_bytes: Bytes of the target and of all that it links to, as the author says.
    """

    target: bytes
    name: str | None = None
    tree_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node.

    Args:
        links: In their order in the node.
        data: Its own data, None if absent.
    """

    links: tuple[Link, ...] = ()
    data: bytes | None = None


def decode_node(block: bytes) -> Node:
    """Read a node strictly, so that one node has (nearly) one form.

    Raises:
        MalformedBytes: If a field is unknown, repeated, of a wrong type or out of order.
    """
    data: bytes | None = None
    links: list[Link] = []
    last_number = 0
    for number, value in fields(block):
        if isinstance(value, int) or number not in {_NODE_DATA, _NODE_LINK}:
            raise MalformedBytes(f"a node has no field {number} of this type")
        if number == _NODE_LINK:
            if links and last_number != _NODE_LINK:
                raise MalformedBytes("data stands between links")
            links.append(_decode_link(value))
        elif data is not None:
            raise MalformedBytes("a node has its data twice")
        else:
            data = value
        last_number = number
    return Node(links=tuple(links), data=data)


def encode_node(node: Node) -> bytes:
    """Write a node in the canonical form: links first, then data."""
    links = b"".join(field(_NODE_LINK, _encode_link(link)) for link in node.links)
    return links + (b"" if node.data is None else field(_NODE_DATA, node.data))


def _decode_link(message: bytes) -> Link:
    target: bytes | None = None
    name: str | None = None
    tree_bytes: int | None = None
    last_number = 0
    for number, value in fields(message):
        if number <= last_number:
            raise MalformedBytes("the fields of a link are out of order, or one is repeated")
        last_number = number
        match number, value:
            case (1, bytes(target)):
                pass
            case (2, bytes(encoded)):
                name = _text(encoded)
            case (3, int(tree_bytes)):
                pass
            case _:
                raise MalformedBytes(f"a link has no field {number} of this type")
    if target is None:
        raise MalformedBytes("a link has no target")
    return Link(target=target, name=name, tree_bytes=tree_bytes)


def _encode_link(link: Link) -> bytes:
    name = b"" if link.name is None else field(_LINK_NAME, link.name.encode())
    size = b"" if link.tree_bytes is None else field(_LINK_SIZE, link.tree_bytes)
    return field(_LINK_HASH, link.target) + name + size


def _text(encoded: bytes) -> str:
    try:
        return encoded.decode()
    except UnicodeDecodeError as error:
        raise MalformedBytes("the name of a link is not UTF-8") from error
