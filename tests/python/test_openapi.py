"""The API description, as a fuzzer reads it: no call of its shapes breaks the server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT_TOKEN, Server, repository

EXAMPLES = 4


@pytest.fixture
def fuzzed(tmp_path):
    """A server of its own: the fuzzer may do anything to it."""
    server = Server(tmp_path, slots=0)
    yield server
    server.process.kill()
    server.process.wait()


def test_no_call_that_fits_the_description_breaks_the_server(fuzzed, tmp_path):
    source = repository(tmp_path / "repository", {".gitlab-ci.yml": "job: {script: [\"true\"]}"})
    fuzzed.client().projects.create({"path": "fuzzed/project", "import_url": str(source)})
    schemathesis = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [
            schemathesis,
            "run",
            f"{fuzzed.url}/-/openapi.json",
            "--checks=not_a_server_error",
            "--phases=examples,coverage,fuzzing",
            f"--max-examples={EXAMPLES}",
            "--seed=1",
            "--generation-database=none",
            "--request-timeout=20",
            "--exclude-path-regex=/events$",
            f"--header=PRIVATE-TOKEN: {ROOT_TOKEN}",
            "--no-color",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert fuzzed.process.poll() is None, "the server has ended"
