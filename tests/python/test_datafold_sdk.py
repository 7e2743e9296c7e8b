"""The real datafold-sdk triggers runs of pull requests, submits and waits for them."""

import json
import subprocess
import sys

import pytest
import requests

from conftest import ROOT_TOKEN, wait_for
from datafold import PIPELINE, Datafold, PullRequest, repository

MANIFEST = {
    "metadata": {"dbt_version": "1.9.0"},
    "nodes": {
        "model.shop.orders": {
            "resource_type": "model",
            "name": "orders",
            "database": "analytics",
            "schema": "core",
            "fqn": ["shop", "orders"],
            "original_file_path": "models/orders.sql",
            "patch_path": "shop://models/schema.yml",
            "columns": {"order_id": {"name": "order_id", "tags": ["primary-key"]}},
        }
    },
}


class Scene:
    """A project with a pull request, and a client for it."""

    def __init__(self, server, client, tmp_path):
        self.server = server
        self.tmp_path = tmp_path
        origin = repository(tmp_path / "origin", {".gitlab-ci.yml": PIPELINE})
        name = tmp_path.name.replace("_", "-").lower()
        self.project = client.projects.create(
            {"path": f"datafold/{name}", "import_url": str(origin)}
        )
        [config] = self.project.ci_configs
        self.config = config["id"]
        self.pull_request = PullRequest(origin)
        self.datafold = Datafold(server, tmp_path)

    def request(self, method: str, path: str, **arguments):
        reply = requests.request(
            method,
            f"{self.server.url}/api/v1/ci/{path}",
            headers={"Authorization": f"Key {ROOT_TOKEN}"},
            timeout=60,
            **arguments,
        )
        assert reply.ok, reply.text
        return reply.json()

    def trigger(self) -> str:
        return self.datafold(
            "ci", "trigger", "--ci-config-id", self.config, *self.pull_request.options()
        )

    def runs(self) -> list[dict]:
        return self.request("GET", f"{self.config}/runs")

    def newest(self) -> dict:
        return self.runs()[0]

    def expect_diffs(self):
        self.request("PATCH", str(self.config), json={"expects_diffs": True})

    def target(self):
        """What dbt leaves behind."""
        folder = self.tmp_path / "target"
        (folder / "run").mkdir(parents=True, exist_ok=True)
        (folder / "manifest.json").write_text(json.dumps(MANIFEST))
        (folder / "run" / "orders.sql").write_text("select 1")
        return folder

    def upload_options(self, commit: str, run_type: str = "pull_request") -> list:
        return [
            *("--ci-config-id", self.config, "--run-type", run_type),
            *("--target-folder", self.target(), "--commit-sha", commit),
        ]


@pytest.fixture
def scene(server, client, tmp_path):
    return Scene(server, client, tmp_path)


def test_a_triggered_run_is_there_at_once_and_its_number_is_told(scene):
    said = scene.trigger()
    newest = scene.newest()
    assert f"Successfully triggered the CI run: {newest['id']}" in said
    assert newest["pr_sha"] == scene.pull_request.head
    assert newest["pr_num"] == "6"
    assert newest["source"] == "api"


def test_uploading_waits_for_the_run_to_be_done(scene):
    scene.trigger()
    options = scene.upload_options(scene.pull_request.head)
    said = scene.datafold("dbt", "upload-and-wait", *options)
    assert "done" in said


def test_a_failed_run_fails_the_pipeline_that_waits(scene):
    scene.pull_request.push({"broken": "x"})
    scene.trigger()
    options = scene.upload_options(scene.pull_request.head)
    said = scene.datafold.refused("dbt", "upload-and-wait", *options)
    assert "The CI job failed" in said


def test_a_run_of_an_older_commit_is_cancelled(scene):
    scene.expect_diffs()
    older = scene.pull_request.head
    scene.trigger()
    scene.pull_request.push({"README.md": "changed again\n"})
    scene.trigger()
    said = scene.datafold.refused("dbt", "upload-and-wait", *scene.upload_options(older))
    assert "probably an old commit hash" in said


def test_a_submission_lets_a_waiting_run_go_and_reaches_its_job(scene):
    scene.expect_diffs()
    scene.trigger()
    assert scene.newest()["status"] == "waiting"
    pairs = [{"prod": "analytics.core.orders", "pr": "pr6.core.orders", "pk": ["order_id"]}]
    submit = ["ci", "submit", "--ci-config-id", scene.config, "--pr-num", 6]
    said = scene.datafold(*submit, stdin=json.dumps(pairs))
    assert f"Run ID {scene.newest()['id']}" in said
    wait_for(scene.newest, lambda run: run["status"] == "done", seconds=60)
    [job] = scene.project.pipelines.get(scene.newest()["id"]).jobs.list()
    log = scene.project.jobs.get(job.id).trace().decode()
    assert '"prod":"analytics.core.orders"' in log
    said = scene.datafold(*submit, stdin=json.dumps(pairs))
    assert "Could not find an active job for the pull request" in said


def test_changes_are_found_triggered_and_submitted_in_one_go(scene):
    scene.expect_diffs()
    scene.pull_request.push(
        {"orders.sql": "-- datafold: pk=order_id\ncreate or replace table ${schema}.orders as\n"}
    )
    scene.datafold(
        *("ci", "auto", "trigger", "--ci-config-id", scene.config),
        *scene.pull_request.options(),
        *("--pr-params", '{"schema": "pr6"}', "--reference-params", '{"schema": "core"}'),
        cwd=scene.pull_request.origin,
    )
    run = wait_for(scene.newest, lambda run: run["status"] == "done", seconds=60)
    assert len(scene.runs()) == 1
    shown = scene.request("GET", f"runs/{run['id']}")
    assert shown["diffs"] == [
        {
            "prod": "core.orders",
            "pr": "pr6.orders",
            "pk": ["order_id"],
            "include_columns": [],
            "exclude_columns": [],
        }
    ]


def test_an_upload_lets_a_waiting_run_go_and_is_found(scene):
    scene.expect_diffs()
    scene.trigger()
    head = scene.pull_request.head
    check = [
        *("dbt", "check-post-upload-dbt-artifacts", "--ci-config-id", scene.config),
        *("--run-type", "pull_request", "--branch", "feature", "--commit-sha", head),
    ]
    assert "Cannot find dbt artifacts" in scene.datafold(*check)
    scene.datafold("dbt", "upload", *scene.upload_options(head), "--run-id", "low-drift")
    assert "Dbt artifacts exist" in scene.datafold(*check)
    wait_for(scene.newest, lambda run: run["status"] == "done", seconds=60)


def test_primary_keys_are_told(scene):
    manifest = scene.target() / "manifest.json"
    said = scene.datafold("dbt", "check-primary-keys", "--ci-config-id", scene.config, manifest)
    assert "order_id" in said and "tags" in said


def test_runs_are_listed_in_python(scene):
    scene.trigger()
    program = f"""
import datafold_sdk.cli  # the module below cannot be imported first
from datafold_sdk.sdk.ci import list_runs

runs = list_runs({scene.server.url!r}, {ROOT_TOKEN!r}, {scene.config}, pr_num=6, limit=5)
print([(run.id, run.pr_num, run.pr_sha) for run in runs])
"""
    listed = subprocess.run(
        [sys.executable, "-c", program],
        env=scene.datafold.environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=240,
    )
    newest = scene.newest()
    assert listed.stdout.strip() == str([(newest["id"], "6", newest["pr_sha"])])


@pytest.mark.parametrize(
    ("token", "config", "reason"),
    [("glpat-nobody", None, "Not authenticated"), (ROOT_TOKEN, 999999, "CI config not found")],
)
def test_a_refusal_is_printed_and_fails_the_command(scene, token, config, reason):
    datafold = Datafold(scene.server, scene.tmp_path, token)
    config = config or scene.config
    options = scene.pull_request.options()
    said = datafold.refused("ci", "trigger", "--ci-config-id", config, *options)
    assert reason in said
