"""Say which scripts mean something at a gateway."""

from typing import Final

from shadow_atlas.stand_ins.script_documents import ScriptRejected, read_script
from shadow_atlas.stand_ins.scripts import Body, Script

FOREIGN_BODIES: Final = (Body.MALFORMED, Body.ERROR_IN_200)
"""Wrong bodies that only a portal has: boundaries and error documents, where blocks are served."""


class GatewayDialect:
    """Scripts of a gateway."""

    def read(self, document: object) -> Script:
        """Build the script that a JSON document describes.

        Raises:
            ScriptRejected: If a field is unknown or out of range, or means nothing here.
        """
        script = read_script(document, states=(), layers=())
        if script.what.page_size is not None:
            raise ScriptRejected(["page_size: a gateway serves blocks, which have no pages"])
        if script.what.body in FOREIGN_BODIES:
            raise ScriptRejected([f"body: a gateway has no {script.what.body} body"])
        return script
