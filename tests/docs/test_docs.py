"""The pages name what is there, all of it, and nothing else."""

import re
import subprocess
import sys
from typing import get_args

import pytest
from literals import calls, given, texts
from pages import DOCS, PAGES, ROOT, anchors, code_in, links, read, rows, section

from pinyon.cli.commands import application
from pinyon.cli.output import Exit
from pinyon.config import Settings
from pinyon.domain.delivery import State
from pinyon.endpoints.collect import CollectEndpoint
from pinyon.endpoints.health import Health
from pinyon.flows.configure.document import Configuration, DestinationEntry, SourceEntry, WorkspaceEntry
from pinyon.ports.telemetry import Silent
from pinyon.profiles.destinations import TYPES
from pinyon.sandbox import create_app

ERRORS = {"PinyonError", "Unavailable", "RequestRefused", "StoreDamaged", "Fault"}
COMMANDS = {command.name for command in application.registered_commands}
SETTINGS = {f"PINYON_{name.upper()}" for name in Settings.model_fields}

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def test_generated_parts_are_up_to_date():
    command = [sys.executable, "-m", "scripts.docs", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class TestNames:
    def test_commands(self):
        assert set(re.findall(r"^## `pinyon (\w+)`$", read("reference/cli.md"), re.MULTILINE)) == COMMANDS

    @by_page
    def test_commands_that_are_not_there(self, page):
        assert set(re.findall(r"\bpinyon ([a-z]+)\b", code_in(page.read_text()))) <= COMMANDS

    def test_exit_codes(self):
        assert re.findall(r"^\| (\d) \|", read("reference/cli.md"), re.MULTILINE) == [f"{code:d}" for code in Exit]

    def test_settings(self):
        assert {name for name in rows(read("reference/settings.md")) if name.startswith("PINYON_")} == SETTINGS

    @by_page
    def test_settings_that_are_not_there(self, page):
        # Read by the tests alone.
        assert set(re.findall(r"PINYON_[A-Z_]+[A-Z]", page.read_text())) <= SETTINGS | {"PINYON_PUBLISHED_SCHEMA"}

    def test_errors(self):
        assert set(rows(read("reference/errors.md"))) == given(ERRORS) | {"configuration_invalid"}

    def test_log_lines(self):
        lines = {text for text in given({"info", "warning", "error"}) if re.fullmatch(r"[a-z]+\.[a-z_]+", text)}
        assert set(rows(section(read("howto/watch.md"), "## Log lines"))) == lines

    def test_states(self):
        drawing = section(read("explain/delivery.md"), "## States")
        assert set(re.findall(r"▶ (\w+)", drawing)) == set(get_args(State))

    def test_every_page_is_in_the_index(self):
        pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*") if page.suffix in {".md", ".yaml"}}
        assert {target for target in links(read("README.md")) if not target.startswith("..")} == pages - {"README.md"}


class TestCauses:
    PAGE = read("reference/causes.md")

    @pytest.mark.parametrize("state", ["withheld", "dead", "duplicate"])
    def test_final_ones(self, state):
        vendors = {"withheld": {"Withheld"}, "dead": {"Rejected", "Refused"}, "duplicate": set()}
        stopped = {cause for found, cause in _stopped() if found == state}
        assert set(rows(section(self.PAGE, f"## {state.capitalize()}"))) == stopped | given(vendors[state])

    def test_results_of_requests(self):
        failures = given({"Reply"}, "failure") | given({"Unreachable", "Forbidden", "Deferred"})
        documented = set(rows(section(self.PAGE, "### A lane that stands still")))
        assert documented == failures | {"answered"}


def _stopped():
    for module, call in calls({"Stopped"}):
        for state in texts(call.args[0], module):
            for cause in texts(call.args[1], module):
                yield state, cause


class TestRoutes:
    def test_server(self):
        collect = CollectEndpoint(None, Silent(), Settings())
        routes = {path: route.method for path, route in collect._routes.items()}
        assert collect.handles("/v1/projects/wk_shop/settings")
        routes["/v1/projects/{write_key}/settings"] = "GET"
        routes |= dict.fromkeys(Health.paths, "GET, HEAD")
        documented = rows(read("reference/http.md"))
        assert {path: cells[0] for path, cells in documented.items() if path.startswith("/")} == routes

    def test_sandbox(self):
        routes = {
            re.sub(r":\w+", "", route.path): ", ".join(sorted(set(route.methods or {"POST"}) - {"HEAD"}))
            for route in create_app()._app.routes
        }
        documented = rows(read("explain/sandbox.md"))
        assert {path: cells[0] for path, cells in documented.items() if path.startswith("/")} == routes


class TestMetrics:
    NAMES = set(rows(section(read("reference/metrics.md"), "# Metrics"))) - {"workspace"}

    def test_there_are_some(self):
        assert {"pinyon_events", "pinyon_log_bytes", "pinyon_ingest_requests_total"} <= self.NAMES

    def test_each_is_good_for_something(self):
        documented = set(rows(section(read("howto/watch.md"), "## The five questions")))
        assert {name for name in self.NAMES if name.startswith("pinyon_")} == documented

    @by_page
    def test_those_that_are_not_there(self, page):
        for name in re.findall(r"\bpinyon_[a-z_]+", page.read_text()):
            assert any(known.startswith(name) if name.endswith("_") else known == name for known in self.NAMES), name


class TestConfiguration:
    PAGE = read("reference/configuration.md")

    @pytest.mark.parametrize(
        ("heading", "members"),
        [
            ("## `workspaces`", {*Configuration.model_fields, *WorkspaceEntry.model_fields}),
            ("## `sources`", set(SourceEntry.model_fields)),
            ("## `destinations`", set(DestinationEntry.model_fields)),
        ],
    )
    def test_members(self, heading, members):
        assert set(rows(section(self.PAGE, heading))) == members

    @pytest.mark.parametrize("kind", TYPES.values(), ids=lambda kind: kind.name)
    def test_members_of_types(self, kind):
        assert set(rows(section(self.PAGE, f"### `{kind.name}`"))) == {field.name for field in kind.fields}


@by_page
def test_links_lead_somewhere(page):
    for target in links(page.read_text()):
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), target
