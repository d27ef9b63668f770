"""The configuration of Allure 3: what it refers to exists, and a report calls nobody."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "reports" / "allure"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")

PAGE = """<head>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-X"></script>
<script>window.dataLayer = window.dataLayer || []; function gtag(){} gtag('config');</script>
<script>app();</script></head>"""


def node(program: str) -> str:
    assert NODE is not None
    command = [NODE, "--input-type=module", "-e", program]
    done = subprocess.run(
        command, cwd=FOLDER, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_version_is_pinned_exactly_and_locked():
    wanted = json.loads((FOLDER / "package.json").read_text())["devDependencies"]
    locked = json.loads((FOLDER / "package-lock.json").read_text())["packages"]

    for name, version in wanted.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert locked[f"node_modules/{name}"]["version"] == version


def test_paths_of_the_configuration_exist():
    text = (FOLDER / "allurerc.mjs").read_text()

    (categories,) = re.findall(r'read\("([^"]*allure_categories\.json)"\)', text)
    assert (FOLDER / categories).is_file()


@needs_node
@pytest.mark.slow
def test_categories_of_the_page_are_those_of_the_results():
    out = node(
        "import c from './allurerc.mjs'; console.log(JSON.stringify(c.categories.rules.length))"
    )

    path = FOLDER / "../../harness/reporting/allure_categories.json"
    assert int(out) == len(json.loads(path.read_text()))


@needs_node
@pytest.mark.slow
def test_only_a_run_that_is_no_gate_writes_history():
    program = "import c from './allurerc.mjs'; console.log(c.appendHistory)"

    assert node(program).strip() == "true"
    assert node(f"process.env.GATE = '1'; {_dynamic(program)}").strip() == "false"


def _dynamic(program: str) -> str:
    return program.replace(
        "import c from './allurerc.mjs';", "const c = (await import('./allurerc.mjs')).default;"
    )


@needs_node
@pytest.mark.slow
def test_analytics_are_taken_out_and_nothing_else():
    out = node(
        f"import {{ strip }} from './strip-analytics.mjs';console.log(strip({json.dumps(PAGE)}))"
    )

    assert "googletagmanager" not in out
    assert "gtag" not in out
    assert "<script>app();</script></head>" in out
