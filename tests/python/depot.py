"""The unmodified Depot CLI, pointed at a Tappet server."""

import contextlib
import json
import os
import subprocess
from pathlib import Path

from conftest import ROOT_TOKEN, git, repository, wait_for

BINARY = (
    Path(os.environ["TAPPET_NODE_PACKAGES"]) / "node_modules/@depot/cli-linux-x64/bin/depot"
)
ENDED = {"finished", "failed", "cancelled"}


class Depot:
    """`depot` as a person with a token would call it, in a work tree of theirs."""

    def __init__(self, server, home: Path, directory: Path, token: str = ROOT_TOKEN):
        self.directory = directory
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "DEPOT_API_URL": server.url,
            "DEPOT_CACHE_HOST": server.url,
            "DEPOT_EXEC_URL": server.url,
            "DEPOT_TOKEN": token,
            "DEPOT_NO_UPDATE_NOTIFIER": "1",
            "DEPOT_ERROR_TELEMETRY": "0",
            "DEPOT_DISABLE_OTEL": "1",
        }

    def call(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(BINARY), *words],
            cwd=self.directory,
            env=self.environment,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        """What it prints when it succeeds."""
        done = self.call("ci", *words, stdin=stdin)
        assert done.returncode == 0, f"depot ci {words}: {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words: str):
        return json.loads(self(*words, "--output", "json"))

    def refused(self, *words: str) -> str:
        """What it complains of when it fails."""
        done = self.call("ci", *words)
        assert done.returncode == 1, f"depot ci {words}: {done.stdout}{done.stderr}"
        return done.stderr + done.stdout

    def on_a_terminal(self, *words: str) -> str:
        """What it shows a person."""
        ours, theirs = os.openpty()
        done = subprocess.Popen(
            [str(BINARY), "ci", *words],
            cwd=self.directory,
            env=self.environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        # Reading ends with an error once the other side is closed.
        with contextlib.suppress(OSError):
            while piece := os.read(ours, 4096):
                shown += piece
        os.close(ours)
        done.wait(timeout=60)
        return shown.decode()

    def run(self, *words: str) -> str:
        """The id of a run that `depot ci run` starts."""
        return run_id(self("run", *words))

    def ended(self, run: str) -> dict:
        """The status of a run once it is over."""
        return wait_for(
            lambda: self.json("status", run), lambda seen: seen["status"] in ENDED
        )


def run_id(printed: str) -> str:
    """The id in what `depot ci run` prints."""
    [line] = [line for line in printed.splitlines() if line.startswith("Run: ")]
    return line.removeprefix("Run: ").strip()


def checkout(origin: Path, directory: Path, remote: str) -> Path:
    """A work tree whose remote has the address that the CLI reads a project from."""
    git(origin.parent, "clone", "--quiet", str(origin), str(directory))
    git(directory, "remote", "set-url", "origin", f"https://github.com/{remote}.git")
    return directory


__all__ = ["Depot", "checkout", "repository", "run_id"]
