"""Say which scripts mean something at a portal."""

from dataclasses import dataclass

from shadow_atlas.stand_ins.script_documents import ScriptRejected, read_script
from shadow_atlas.stand_ins.scripts import Script
from shadow_atlas.upstreams.portals import LAYERS, PortalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalDialect:
    """Scripts of one portal.

    Args:
        kind: The portal.
    """

    kind: PortalKind

    def read(self, document: object) -> Script:
        """Build the script that a JSON document describes.

        Raises:
            ScriptRejected: If a field is unknown or out of range, or means nothing here.
        """
        script = read_script(document, states=self.kind.states, layers=LAYERS)
        if script.what.page_size is not None and not self.kind.marks_capped_pages:
            raise ScriptRejected(["page_size: this portal has no way to mark a capped page"])
        if script.match.block is not None:
            raise ScriptRejected(["match.block: a portal publishes layers, not blocks"])
        return script
