"""The real Depot CLI runs, follows, steers and inspects workflows on Tappet."""

import json
import subprocess
import zipfile

import pytest

from conftest import ROOT_TOKEN, git, wait_for
from depot import Depot, checkout, repository, run_id

CI = """
name: CI
on: [push, workflow_dispatch]
env:
  GREETING: hello
jobs:
  build:
    runs-on: ubuntu-latest
    outputs:
      version: ${{ steps.version.outputs.version }}
    steps:
      - uses: actions/checkout@v4
      - id: version
        name: Find the version
        run: echo "version=$(cat VERSION)" >> "$GITHUB_OUTPUT"
      - run: |
          mkdir dist
          echo "$GREETING ${{ steps.version.outputs.version }}" > dist/greeting.txt
          echo "### Built ${{ steps.version.outputs.version }}" >> "$GITHUB_STEP_SUMMARY"
      - uses: actions/upload-artifact@v4
        with:
          name: greeting
          path: dist/
  test:
    runs-on: depot-ubuntu-latest
    needs: build
    strategy:
      matrix:
        shard: [1, 2]
    steps:
      - uses: actions/download-artifact@v4
        with:
          name: greeting
      - run: echo "shard ${{ matrix.shard }} says $(cat greeting.txt) of ${{ needs.build.outputs.version }}"
"""

BROKEN = """
on: push
jobs:
  fails:
    runs-on: ubuntu-latest
    steps:
      - run: echo fine
      - name: Run the tests
        run: |
          echo "expected 1, found 2" >&2
          exit 3
  after:
    runs-on: ubuntu-latest
    needs: fails
    steps:
      - run: echo never
"""

LONG = """
on: push
jobs:
  long:
    runs-on: ubuntu-latest
    steps:
      - run: echo begun; sleep 600
"""

DEPLOY = """
name: Deploy
on:
  workflow_dispatch:
    inputs:
      environment:
        type: choice
        options: [staging, production]
        required: true
      dry_run:
        type: boolean
        default: true
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - run: echo "to ${{ inputs.environment }}, dry ${{ inputs.dry_run }}, on ${{ github.ref }}"
"""

FILES = {
    "VERSION": "1.0\n",
    ".depot/workflows/ci.yml": CI,
    ".depot/workflows/broken.yml": BROKEN,
    ".depot/workflows/long.yml": LONG,
    ".depot/workflows/deploy.yml": DEPLOY,
}


@pytest.fixture
def project(client, tmp_path):
    """A project and the address under which the CLI finds it."""
    origin = repository(tmp_path / "origin", FILES)
    name = tmp_path.name.replace("_", "-").lower()
    project = client.projects.create({"path": f"acme/{name}", "import_url": str(origin)})
    return project


@pytest.fixture
def depot(server, project, tmp_path):
    tree = checkout(tmp_path / "origin", tmp_path / "tree", project.path_with_namespace)
    return Depot(server, tmp_path / "home", tree)


def jobs(status: dict) -> dict[str, dict]:
    """The jobs of a status by display name."""
    return {
        job["job_display_name"]: job
        for workflow in status["workflows"]
        for job in workflow["jobs"]
    }


def log(depot: Depot, job: dict) -> str:
    return depot("logs", job["attempts"][-1]["attempt_id"])


def test_a_committed_workflow_runs_and_tells_everything(depot, project, tmp_path):
    printed = depot("run", "--workflow", ".depot/workflows/ci.yml")
    assert f"Repo: {project.path_with_namespace}" in printed
    assert "Org: org_1" in printed
    run = run_id(printed)

    status = depot.ended(run)
    assert status["status"] == "finished", depot("status", run)
    [workflow] = status["workflows"]
    assert workflow["name"] == "CI"
    seen = jobs(status)
    assert set(seen) == {"build", "test (1)", "test (2)"}
    assert seen["build"]["job_key"] == "_inline_0.yaml:build"
    assert seen["test (2)"]["job_key"] == "_inline_0.yaml:test:matrix-1"
    text = depot("status", run)
    assert f"Run: {run} (finished)" in text
    assert f"Logs: depot ci logs {seen['build']['attempts'][0]['attempt_id']}" in text

    assert "shard 2 says hello 1.0 of 1.0" in log(depot, seen["test (2)"])
    by_job = depot("logs", seen["test (1)"]["job_id"])
    assert "shard 1 says hello 1.0" in by_job
    by_run = depot("logs", run, "--job", "build")
    assert "Find the version" in by_run or "cat VERSION" in by_run
    assert "specify one with --job" in depot.refused("logs", run)
    events = depot("logs", seen["build"]["job_id"], "--output", "json").splitlines()
    assert all(json.loads(event) for event in events)

    summary = depot("summary", seen["build"]["job_id"])
    assert "### Built 1.0" in summary

    [artifact] = depot.json("artifacts", "list", run)["artifacts"]
    assert artifact["name"] == "greeting"
    target = tmp_path / "greeting.zip"
    depot("artifacts", "download", artifact["artifact_id"], "--output-file", str(target))
    with zipfile.ZipFile(target) as archive:
        assert archive.read("greeting.txt") == b"hello 1.0\n"

    metrics = depot.json("metrics", "--run", run)
    assert metrics["run"]["run_id"] == run
    assert "No CI failures found" in depot("diagnose", "--run", run)


def test_following_shows_the_log_to_its_end(depot):
    followed = depot("run", "--workflow", ".depot/workflows/ci.yml", "--job", "build", "--follow")
    assert "version" in followed


def test_local_changes_go_along(depot, project):
    git(depot.directory, "remote", "set-head", "origin", "main")
    (depot.directory / "VERSION").write_text("2.0-local\n")
    printed = depot("run", "--workflow", ".depot/workflows/ci.yml", "--job", "build")
    assert "Patch uploaded to Depot Cache" in printed
    status = depot.ended(run_id(printed))
    assert status["status"] == "finished", log(depot, jobs(status)["build"])
    assert set(jobs(status)) == {"build"}
    summary = depot("summary", jobs(status)["build"]["job_id"])
    assert "### Built 2.0-local" in summary
    # The same changes again: the upload is known.
    again = depot("run", "--workflow", ".depot/workflows/ci.yml", "--job", "build")
    assert depot.ended(run_id(again))["status"] == "finished"


def test_a_failure_is_explained_and_repeated(depot):
    run = depot.run("--workflow", ".depot/workflows/broken.yml")
    status = depot.ended(run)
    assert status["status"] == "failed"
    seen = jobs(status)
    assert seen["fails"]["status"] == "failed"
    assert seen["after"]["status"] == "skipped"

    text = depot("diagnose", "--run", run)
    assert "expected 1, found 2" in text
    for kind, target in [
        ("--workflow", status["workflows"][0]["workflow_id"]),
        ("--job", seen["fails"]["job_id"]),
        ("--attempt", seen["fails"]["attempts"][0]["attempt_id"]),
    ]:
        assert "exit" in depot("diagnose", kind, target)

    printed = depot("retry", run, "--job", seen["fails"]["job_id"])
    assert f"Retrying job {seen['fails']['job_id']} (attempt #2, queued)" in printed
    status = depot.ended(run)
    assert len(jobs(status)["fails"]["attempts"]) == 2

    retried = depot.json("retry", run, "--failed")
    assert retried["job_count"] >= 1
    depot.ended(run)
    printed = depot("rerun", run)
    assert "Rerunning workflow" in printed and "jobs reset" in printed
    status = depot.ended(run)
    assert len(jobs(status)["fails"]["attempts"]) == 4
    shown = depot.json("workflow", "show", status["workflows"][0]["workflow_id"])
    # The first one, the repeated failures and the repeated whole.
    assert len(shown["executions"]) == 3


def test_cancelling(depot):
    for words in [
        lambda status: [],
        lambda status: ["--workflow", status["workflows"][0]["workflow_id"]],
        lambda status: ["--job", jobs(status)["long"]["job_id"]],
    ]:
        run = depot.run("--workflow", ".depot/workflows/long.yml")
        status = wait_for(
            lambda: depot.json("status", run), lambda seen: seen["status"] == "running"
        )
        assert "ancelled" in depot("cancel", run, *words(status))
        assert depot.ended(run)["status"] == "cancelled"
    assert "failed_precondition" in depot.refused("cancel", run)


def test_dispatching_with_inputs(depot, project):
    target = ["--repo", project.path_with_namespace, "--workflow", "deploy.yml", "--ref", "main"]
    started = depot.json("dispatch", *target, "--input", "environment=staging")
    status = depot.ended(started["run_id"])
    assert status["workflows"][0]["workflow_path"] == ".depot/workflows/deploy.yml"
    text = log(depot, jobs(status)["deploy"])
    assert "to staging, dry true, on refs/heads/main" in text

    refused = depot.refused("dispatch", *target, "--input", "environment=moon")
    assert "invalid_argument" in refused and "moon" in refused
    refused = depot.refused("dispatch", *target, "--input", "environment=staging", "--input", "x=1")
    assert "invalid_argument" in refused
    target[3] = "ci2.yml"
    assert "not_found" in depot.refused("dispatch", *target, "--input", "environment=staging")


def test_lists(depot, project):
    run = depot.run("--workflow", ".depot/workflows/broken.yml")
    depot.ended(run)
    repo = project.path_with_namespace
    runs = depot.json("run", "list", "--repo", repo, "--status", "failed")
    assert [one["run_id"] for one in runs] == [run]
    assert "No queued or active runs found" in depot("run", "list", "--repo", repo)
    shown = depot.json("run", "show", run)
    assert (shown["repo"], shown["trigger"]) == (repo, "api")
    workflows = depot.json("workflow", "list", "--repo", repo)
    assert [one["run_id"] for one in workflows] == [run]


def test_a_workflow_that_cannot_be_read_says_where(depot):
    (depot.directory / "bad.yml").write_text("on: push\njobs:\n  a:\n    steps: []\n")
    run = depot.run("--workflow", "bad.yml")
    text = depot("status", run)
    assert f"Run: {run} (failed)" in text
    assert "Error:" in text and "Line: " in text


def test_secrets_and_variables(depot, project):
    repo = project.path_with_namespace
    depot("secrets", "set", "API_KEY", "--from-stdin", stdin="organisation-wide")
    depot(
        *("secrets", "set", "API_KEY", "of-repo", "--from-stdin", "--repo", repo),
        stdin="for-this-repository",
    )
    depot("vars", "set", "REGION", "--value", "north")
    listed = depot("secrets", "list")
    assert "API_KEY" in listed and "for-this-repository" not in listed
    assert "REGION" in depot("vars", "list")

    (depot.directory / "uses.yml").write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: |\n"
        "          echo \"${#KEY} in ${{ vars.REGION }}: $KEY\"\n"
        "        env:\n          KEY: ${{ secrets.API_KEY }}\n"
    )
    run = depot.run("--workflow", "uses.yml")
    text = log(depot, jobs(depot.ended(run))["a"])
    assert f"{len('for-this-repository')} in north: ***" in text or "[MASKED]" in text
    assert "for-this-repository" not in text

    depot("secrets", "remove", "API_KEY", "--force")
    depot("vars", "remove", "REGION", "--force")
    assert "API_KEY" not in depot("secrets", "list")


def test_a_wrong_token_is_refused(server, depot, tmp_path):
    stranger = Depot(server, tmp_path / "other", depot.directory, token="nobody")
    assert "unauthenticated" in stranger.refused("status", "r1")
    assert "not_found" in depot.refused("status", "r999999")


def test_there_are_no_terminals_yet(depot):
    run = depot.run("--workflow", ".depot/workflows/long.yml")
    wait_for(lambda: depot.json("status", run), lambda seen: seen["status"] == "running")
    assert "unimplemented: this server opens no terminals" in depot.on_a_terminal("ssh", run)
    depot("cancel", run)
    depot.ended(run)


def test_the_documented_curl(server, project, tmp_path):
    """The call of the API's page, as it stands there and with its placeholders made valid."""

    def run(message: dict) -> tuple[int, dict]:
        done = subprocess.run(
            [
                *("curl", "--silent", "--show-error", "--write-out", "\n%{http_code}"),
                *("-X", "POST", f"{server.url}/depot.ci.v1.CIService/Run"),
                *("-H", f"Authorization: Bearer {ROOT_TOKEN}"),
                *("-H", "Content-Type: application/json"),
                *("-H", "Connect-Protocol-Version: 1"),
                *("--data-binary", "@-"),
            ],
            input=json.dumps(message),
            check=True,
            capture_output=True,
            text=True,
        )
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body)

    example = {
        "repo": "repo_example",
        "sha": "b2f5ff47436671b6e533d8dc3614845d",
        "workflow": "workflow_example",
        "workflowContent": ["workflowContent_example"],
        "job": "job_example",
    }
    status, refused = run(example)
    assert (status, refused["code"]) == (400, "invalid_argument")

    valid = {
        "repo": project.path_with_namespace,
        "sha": git(tmp_path / "origin", "rev-parse", "HEAD"),
        "workflowContent": [BROKEN],
        "job": "after",
    }
    status, started = run(valid)
    assert (status, started["orgId"]) == (200, "org_1")
    assert started["runId"].startswith("r")
    # Its 32 digits alone are refused, too.
    status, refused = run({**valid, "sha": example["sha"]})
    assert (status, refused["code"]) == (400, "invalid_argument")
    assert "sha" in refused["message"]
