"""What the pages show can be done as it is shown."""

import os
import re
import subprocess
import sys
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path

import pytest
import yaml
from pages import DOCS, PAGES, ROOT, examples

from pinyon.flows.configure import parse
from pinyon.flows.configure.document import Configuration, DestinationEntry, SourceEntry, WorkspaceEntry
from pinyon.profiles.destinations import TYPES

SHOWN = {str(page.relative_to(ROOT)): list(examples(page.read_text(encoding="utf-8"))) for page in PAGES}
END = "== the end of a command =="


@pytest.mark.parametrize("page", [name for name, commands in SHOWN.items() if commands])
def test_what_is_marked_is_run(page, tmp_path):
    script = "".join(f"{command}\necho '{END}'\n" for command, _ in SHOWN[page])
    printed = run(script, tmp_path).split(f"{END}\n")
    assert printed.pop() == ""
    for (command, expected), got in zip(SHOWN[page], printed, strict=True):
        assert OutputChecker().check_output(expected, got, ELLIPSIS), f"$ {command}{got}\ninstead of\n{expected}"


def run(script, folder):
    """What a shell prints that finds the commands of this environment, and nothing set for them."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PINYON_")}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "80", "LANG": "C.UTF-8"}
    shell = ["bash", "-c", script]
    done = subprocess.run(
        shell, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout


def test_some_are_marked():
    assert {"docs/start/quickstart.md", "docs/reference/events.md"} <= {name for name in SHOWN if SHOWN[name]}


@pytest.mark.parametrize("name", ["minimal.yaml", "full.yaml"])
def test_configurations_can_be_read(name):
    text = (DOCS / "reference/examples" / name).read_text(encoding="utf-8")
    configuration = parse(text, name, TYPES, lambda reference: f"pina_{re.sub(r'[^A-Za-z]', '_', reference)}")
    assert configuration.workspaces[0].destinations[0].settings["ad_account_id"] == "549755885175"
    assert configuration.workspaces[0].sources[0].write_key[0] == "pina_env_SHOP_WRITE_KEY"


def test_the_full_configuration_has_every_member():
    data = yaml.safe_load((DOCS / "reference/examples/full.yaml").read_text(encoding="utf-8"))
    assert set(data) == set(Configuration.model_fields)
    workspace = data["workspaces"][0]
    assert set(workspace) == set(WorkspaceEntry.model_fields)
    assert set(workspace["sources"][0]) == set(SourceEntry.model_fields)
    types = {field.name for destination in workspace["destinations"] for field in TYPES[destination["type"]].fields}
    assert set().union(*workspace["destinations"]) == set(DestinationEntry.model_fields) | types
