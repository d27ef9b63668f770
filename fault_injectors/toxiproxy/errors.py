"""Everything that can go wrong between us and a fault proxy; never a verdict on the system."""


class ProxyError(Exception):
    """The fault proxy did not do what it was asked; base of all errors of this package."""


class ProxyNotStarted(ProxyError):
    """The proxy process could not be started, or never answered as ours."""


class ProxyUnreachable(ProxyError):
    """Nobody answers at the proxy's control port, or not in its protocol: it is gone."""


class ProxyWedged(ProxyError):
    """A call of the control API missed its deadline; what was done about it is in the text."""


class ProxyNotFound(ProxyError):
    """The proxy or the toxic does not exist."""


class ProxyExists(ProxyError):
    """A proxy or a toxic of this name exists already."""


class ProxyRefused(ProxyError):
    """The proxy answered with an error.

    Args:
        status: HTTP status of the answer.
        text: What the proxy said.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{text} (status {status})")
        self.status = status
        self.text = text


class ReadBackDiffers(ProxyError):
    """The proxy accepted a change, and reading it back shows something else."""


class ToxicRefused(ProxyError, ValueError):
    """A toxic was not sent: this proxy would misread it, die of it, or cannot do it."""


class DeadlineMissed(Exception):
    """A call had no answer in time; the client turns it into `ProxyWedged`."""
