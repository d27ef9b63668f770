"""Walk the pages of one layer, and go on where the last attempt stopped."""

from shadow_atlas.portal_queries.malformed import MalformedAnswer
from shadow_atlas.portal_queries.query_forms import Page

PAGES_MAX = 1000  # a million features at the usual page size; no state has ten thousand


class PageWalk:
    """Collect pages in order.

    The walk outlives an attempt: what earlier attempts collected is kept, so a retry repeats
    the page that failed and no other.

    Attributes:
        features: What was collected.
        is_complete: Whether the portal said that nothing follows.
    """

    def __init__(self) -> None:
        self.features: list[object] = []
        self.is_complete = False
        self._pages = 0

    @property
    def offset(self) -> int:
        """Number of features that the next page has to pass over."""
        return len(self.features)

    def add(self, page: Page) -> None:
        """Take the next page.

        Raises:
            MalformedAnswer: If the portal announces more and sends nothing, or never ends.
        """
        self._pages += 1
        if page.has_more and not page.features:
            raise MalformedAnswer(f"page {self._pages} is empty, yet announces another one")
        if page.has_more and self._pages >= PAGES_MAX:
            raise MalformedAnswer(f"the portal announces more than {PAGES_MAX} pages")
        self.features.extend(page.features)
        self.is_complete = not page.has_more
