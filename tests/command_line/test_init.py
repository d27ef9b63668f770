"""`init` writes what runs at once, and never over what a user wrote."""

import http.server
import re
import threading
from pathlib import Path

import pytest

from fault_injectors.catalogue import FAULTS
from harness.checks import CHECKS
from harness.environments import world
from harness.scenario_files import load_scenario
from tests.command_line.first_hour import SCENARIO, SYSTEM, atlas_chaos, change

pytestmark = pytest.mark.slow


def test_init_and_run_pass_with_evidence(tmp_path):
    begun = atlas_chaos(tmp_path, "init")
    ran = atlas_chaos(tmp_path, "run", "chaos", "--seed", "1")

    assert begun.returncode == 0, begun.stderr
    assert begun.stdout.endswith("next:\n  atlas-chaos run chaos\n  atlas-chaos explain latency\n")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "PASSED greetings_survive_late_names" in ran.stdout


def test_the_broken_promise_that_the_scenario_offers_is_found(tmp_path):
    atlas_chaos(tmp_path, "init")
    change(tmp_path, SCENARIO, "# variables:\n#   greeter:", "variables:\n  greeter:")

    ran = atlas_chaos(tmp_path, "run", "chaos", "--seed", "1")

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert re.search(r"^FAIL +success_ratio\(greetings, fault\)", ran.stdout, re.MULTILINE)


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def running_service():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/here"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_service_that_runs_already_is_tested_behind_relays(tmp_path, running_service):
    begun = atlas_chaos(tmp_path, "init", "mine", "--url", running_service)
    ran = atlas_chaos(tmp_path, "run", "mine", "--seed", "1")

    assert begun.returncode == 0, begun.stderr
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "PASSED late_answers_turn_nobody_away" in ran.stdout


def test_a_service_that_does_not_run_is_named_as_the_cause(tmp_path, running_service):
    closed = re.sub(r":\d+", ":1", running_service)  # nobody listens on tcpmux
    atlas_chaos(tmp_path, "init", "mine", "--url", closed)

    ran = atlas_chaos(tmp_path, "run", "mine")

    assert ran.returncode == 3
    assert "nothing listens on 127.0.0.1:1; start your service first" in ran.stdout
    assert not [run for run, _ in world.marked_runs() if run.startswith("late_answers")]


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "http://127.0.0.1",
        "https://127.0.0.1:8080",
        "http://example.org:80/",
        "http://127.0.0.1:port/",
    ],
)
def test_a_url_that_is_no_service_of_this_host_is_refused(tmp_path, url):
    done = atlas_chaos(tmp_path, "init", "--url", url)

    assert done.returncode == 4
    assert "expected a service of this host such as 'http://127.0.0.1:8080/health'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_files_of_the_user_are_left_alone_without_force(tmp_path):
    atlas_chaos(tmp_path, "init")
    change(tmp_path, SYSTEM, "A greeter", "My own greeter")

    refused = atlas_chaos(tmp_path, "init")
    kept = (tmp_path / SYSTEM).read_text()
    forced = atlas_chaos(tmp_path, "init", "--force")

    assert refused.returncode == 4
    assert "My own greeter" in kept
    assert forced.returncode == 0
    assert "My own greeter" not in (tmp_path / SYSTEM).read_text()


def test_nothing_is_written_if_one_of_the_files_is_there(tmp_path):
    (tmp_path / "chaos").mkdir()
    (tmp_path / "chaos" / "names.py").write_text("mine\n")

    done = atlas_chaos(tmp_path, "init")

    assert done.returncode == 4
    assert [path.name for path in (tmp_path / "chaos").iterdir()] == ["names.py"]


def test_files_point_an_editor_at_the_schemas_beside_them(tmp_path):
    atlas_chaos(tmp_path, "init")

    for file, schema in ((SCENARIO, "scenario.schema.json"), (SYSTEM, "system.schema.json")):
        first_line = (tmp_path / file).read_text().splitlines()[0]
        assert first_line == f"# yaml-language-server: $schema={schema}"
        assert (tmp_path / file).with_name(schema).exists()


def test_a_folder_with_blanks_works(tmp_path):
    atlas_chaos(tmp_path, "init", "my chaos")

    scenario = load_scenario(
        tmp_path / "my chaos" / Path(SCENARIO).name, faults=FAULTS, checks=CHECKS
    )

    assert scenario.system.service("names").command == ("python", "my chaos/names.py")


def test_no_word_to_our_linter_reaches_a_user(tmp_path):
    atlas_chaos(tmp_path, "init")

    assert "noqa" not in "".join(file.read_text() for file in (tmp_path / "chaos").glob("*.py"))
