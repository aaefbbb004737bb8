"""What the tests with real client libraries share: the calls, and what must land of them."""

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from pinyon.domain.errors import Unavailable

NODE = Path(__file__).parent / "node"


@pytest.fixture
def unavailable():
    """What the log raises when the disk is full."""
    return Unavailable("disk_full", "The disk is full.", "Make room.")


@pytest.fixture(scope="session")
def node_modules(request):
    """The folder of the npm packages in ``node/package-lock.json``, installed once into pytest's cache.

    Without Node, or without a way to get the packages, the tests are skipped; where CI is set they fail.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        give_up("Node.js and npm are not installed")
    lock = NODE / "package-lock.json"
    folder = Path(request.config.cache.mkdir("pinyon-node"))
    installed = folder / sha256(lock.read_bytes()).hexdigest()[:16]
    if not installed.exists():
        fresh = folder / f"fresh-{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for file in (lock, NODE / "package.json"):
            shutil.copy(file, fresh)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=fresh, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            give_up(f"npm ci failed: {done.stderr.strip()[-500:]}")
        try:
            fresh.rename(installed)
        except OSError:  # another worker was quicker
            shutil.rmtree(fresh)
    return installed / "node_modules"


def give_up(reason):
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(f"THE NODE CLIENTS ARE NOT TESTED: {reason}")
