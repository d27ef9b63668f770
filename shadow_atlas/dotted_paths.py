"""Load what a variable names as `module:attribute`."""

import importlib
from typing import Any

from shadow_atlas.environment import ConfigurationError


def load(path: str, *, variable: str) -> Any:
    """Import a module and return one of its callables.

    Args:
        path: `package.module:name`; dots are allowed in the name too.
        variable: Which variable said so, for the message.

    Raises:
        ConfigurationError: If the module cannot be imported, or has no such callable.

    >>> load("json:dumps", variable="ATLAS_APP")([1])
    '[1]'
    >>> load("json:dump_all", variable="ATLAS_APP")
    Traceback (most recent call last):
    shadow_atlas.environment.ConfigurationError: ATLAS_APP: module 'json' has no 'dump_all'
    """
    module_name, _, attribute = path.partition(":")
    try:
        loaded: Any = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigurationError(
            f"{variable}: cannot import module {module_name!r}: {error}"
        ) from error
    for part in attribute.split("."):
        loaded = getattr(loaded, part, None)
        if loaded is None:
            raise ConfigurationError(f"{variable}: module {module_name!r} has no {attribute!r}")
    if not callable(loaded):
        raise ConfigurationError(f"{variable}: {path!r} is not callable")
    return loaded
