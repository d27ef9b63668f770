"""What is read without a click, measured in a browser: on a phone nothing is cut off."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from harness.reporting.allure import content_of

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# Layout needs a browser and its fonts, which neither a developer nor the CI stage has to install
# for three tests: without fonts one of them measures nothing. Whoever changes the page has both.
needs_browser = pytest.mark.skipif(
    BROWSER is None, reason="NOT RUN: neither Chromium nor Chrome is installed"
)
PHONE_PX, DESK_PX = 300, 870  # what Allure leaves of a screen of 400 px, and of a wide one
# What Allure 3.18 says of a description.
ALLURE = """
table {display: block; width: max-content; max-width: 100%; overflow-x: auto}
td {padding: 6px 13px; border: 1px solid; white-space: nowrap}
img {max-width: 100% !important; height: auto !important}
"""
MEASURE = """
const tables = [...document.querySelectorAll("table")];
const [first] = tables[0].querySelectorAll("tr");
const found = {
  hidden_px: Math.max(...tables.map((one) => one.scrollWidth - one.clientWidth)),
  page_px: document.body.scrollWidth,
  lines: new Set([...first.children].map((one) => one.offsetTop)).size,
  figure_px: document.querySelector("img").clientWidth,
};
document.body.dataset.found = JSON.stringify(found);
"""


@pytest.fixture(scope="module")
def html(failed, digest):
    return content_of(failed, digest, Path.cwd()).description_html


def measured(html, width_px, folder):
    page = folder / "page.html"
    style = f"<style>{ALLURE} body {{width: {width_px}px; margin: 0; font-size: 16px}}</style>"
    head = f'<!doctype html><html><head><meta charset="utf-8">{style}</head>'
    page.write_text(f"{head}<body>{html}<script>{MEASURE}</script></body></html>")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    done = subprocess.run(
        [BROWSER, *options, f"--user-data-dir={folder}/profile", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = re.search(r'data-found="([^"]*)"', done.stdout)
    assert found is not None, done.stderr
    return json.loads(unescape(found[1]))


@pytest.mark.slow
@needs_browser
def test_phone_shows_all_of_every_cell_and_a_figure_that_can_be_read(html, tmp_path):
    found = measured(html, PHONE_PX, tmp_path)

    assert found["hidden_px"] == 0
    assert found["lines"] == 3  # check, expected and got, margin: one below the other
    assert found["page_px"] <= PHONE_PX  # only the figure scrolls, in its own box
    assert found["figure_px"] >= 720


@pytest.mark.slow
@needs_browser
def test_wide_screen_shows_a_check_in_one_row(html, tmp_path):
    found = measured(html, DESK_PX, tmp_path)

    assert (found["hidden_px"], found["lines"]) == (0, 1)


@pytest.mark.slow
@needs_browser
def test_table_that_does_not_wrap_would_be_caught(html, tmp_path):
    found = measured(html.replace("white-space:normal;", ""), PHONE_PX, tmp_path)

    assert found["hidden_px"] > 0
