"""The unmodified datafold-sdk, pointed at a Tappet server."""

import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT_TOKEN, git, repository

PROGRAM = Path(sys.executable).with_name("datafold")

PIPELINE = """
build:
  script:
    - test ! -e broken
    - if [ -n "$DATAFOLD_DIFFS" ]; then cat "$DATAFOLD_DIFFS"; fi
"""


class Datafold:
    """`datafold` as a pipeline elsewhere would call it."""

    def __init__(self, server, home: Path, token: str = ROOT_TOKEN):
        self.home = home
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            # `--host` alone would send logs and key to the vendor.
            "DATAFOLD_HOST": server.url,
            "DATAFOLD_API_KEY": token,
            # It asks a package index for its newest version and waits without end for
            # an answer: here nobody listens, so it gives up at once.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def call(self, *words, stdin: str = "", cwd: Path | None = None):
        return subprocess.run(
            [str(PROGRAM), *map(str, words)],
            cwd=cwd or self.home,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
        )

    def __call__(self, *words, stdin: str = "", cwd: Path | None = None) -> str:
        """What it says when it succeeds."""
        done = self.call(*words, stdin=stdin, cwd=cwd)
        assert done.returncode == 0, f"datafold {words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def refused(self, *words, stdin: str = "") -> str:
        """What it says when it fails."""
        done = self.call(*words, stdin=stdin)
        assert done.returncode == 1, f"datafold {words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr


class PullRequest:
    """A branch with changes of a repository."""

    def __init__(self, origin: Path, number: int = 6):
        self.origin = origin
        self.number = number
        self.base = git(origin, "rev-parse", "main")
        git(origin, "checkout", "--quiet", "-b", "feature")
        self.push({"README.md": "changed\n"})

    def push(self, files: dict[str, str]) -> str:
        """One more commit; gives its id."""
        for name, content in files.items():
            (self.origin / name).write_text(content)
        git(self.origin, "add", "--all")
        git(self.origin, "commit", "--quiet", "--message", "Change something")
        self.head = git(self.origin, "rev-parse", "HEAD")
        return self.head

    def options(self) -> list:
        """As `ci trigger` wants them."""
        return [
            *("--pr-num", self.number),
            *("--base-branch", "main", "--base-sha", self.base),
            *("--pr-branch", "feature", "--pr-sha", self.head),
        ]


__all__ = ["Datafold", "PIPELINE", "PullRequest", "repository"]
