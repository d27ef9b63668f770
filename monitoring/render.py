#!/usr/bin/env python3
"""Render `alerts.template.yml` into the rules that a production Prometheus loads.

Usage, from the root of the repository:

    python monitoring/render.py                 # writes monitoring/alerts.yml
    python monitoring/render.py --check         # says whether that file is what it should be
    python monitoring/render.py --time-scale 0.1 --out rules.yml    # what a chaos run loads
"""

import argparse
import sys
from pathlib import Path

from harness.model.alert_rules import render_rules

HERE = Path(__file__).parent
TEMPLATE = HERE / "alerts.template.yml"
RENDERED = HERE / "alerts.yml"
_HEAD = """\
# Rendered from {template} at time scale {scale:g} by monitoring/render.py.
# Edit the template: a test compares this file with it.
"""


def rendered(template: Path = TEMPLATE, *, time_scale: float = 1.0) -> str:
    """Return the rules with a head that says where they come from, instead of the template's."""
    text = render_rules(template.read_text(encoding="utf-8"), time_scale)
    body = text[text.index("groups:") :]
    return _HEAD.format(template=template.name, scale=time_scale) + body


def main() -> int:
    """Write the rules, or compare them with the file: 0 if it is current, 1 if it is not."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--time-scale", type=float, default=1.0, metavar="FACTOR")
    options.add_argument("--out", type=Path, default=RENDERED, metavar="FILE")
    options.add_argument("--check", action="store_true", help="compare instead of writing")
    chosen = options.parse_args()
    text = rendered(time_scale=chosen.time_scale)
    if not chosen.check:
        chosen.out.write_text(text, encoding="utf-8")
        return 0
    if chosen.out.exists() and chosen.out.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{chosen.out} is not what {TEMPLATE.name} renders to; run {sys.argv[0]}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
