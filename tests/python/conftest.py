"""A real Tappet server for the tests of this folder, and helpers to feed it."""

import os
import signal
import subprocess
import time
from pathlib import Path

import gitlab
import pytest

ROOT_TOKEN = "glpat-python-clients"
ENDED = {"success", "failed", "canceled", "skipped", "manual"}


class Server:
    """A `tappet serve` process with a fresh data directory."""

    def __init__(self, directory: Path, slots: int = 2):
        self.directory = directory
        self.process = subprocess.Popen(
            [
                os.environ["TAPPET_BINARY"],
                "serve",
                "--listen=127.0.0.1:0",
                f"--data={directory / 'data'}",
                f"--slots={slots}",
            ],
            env={**os.environ, "TAPPET_ROOT_TOKEN": ROOT_TOKEN},
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert "is ready on" in line, line
        self.url = line.rsplit(" ", 1)[1].strip()

    def client(self) -> gitlab.Gitlab:
        return gitlab.Gitlab(self.url, private_token=ROOT_TOKEN)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def git(directory: Path, *arguments: str) -> str:
    """Runs git with an identity and without the machine's configuration."""
    return subprocess.run(
        ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com", *arguments],
        cwd=directory,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"},
    ).stdout.strip()


def repository(directory: Path, files: dict[str, str]) -> Path:
    """A repository with one commit of these files on `main`."""
    directory.mkdir(parents=True)
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content)
    git(directory, "init", "--quiet", "--initial-branch=main")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", "Initial commit")
    return directory


def wait_for(look, reached, seconds: float = 30):
    """Polls as a client's script would, until `reached(look())`."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if reached(seen):
            return seen
        assert time.monotonic() < end, f"still {seen!r} after {seconds} s"
        time.sleep(0.05)


def wait_for_pipeline(project, pipeline_id: int):
    """The pipeline once it has ended."""
    return wait_for(
        lambda: project.pipelines.get(pipeline_id), lambda seen: seen.status in ENDED
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    assert server.stop() == 0


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def make_project(client, tmp_path):
    """Makes a project over a new repository with this pipeline file."""
    made = 0

    def make(pipeline: str, **files: str):
        nonlocal made
        made += 1
        source = repository(tmp_path / f"repository{made}", {".gitlab-ci.yml": pipeline, **files})
        name = f"{tmp_path.name}-{made}".lower()
        return client.projects.create({"path": f"clients/{name}", "import_url": str(source)})

    return make
