"""Requests in the shapes that glab (client-go) sends, recorded from its source:
`.` as `%2E` in project paths, JSON bodies with null and empty members, and its
habit to ask for `pipelines/latest` before it lists jobs."""

import json
import urllib.error
import urllib.request

from conftest import ROOT_TOKEN, wait_for

AGENT = "glab/1.78.0 (linux, amd64)"


def call(server, method: str, path: str, body=None, token=ROOT_TOKEN):
    headers = {"User-Agent": AGENT, "Accept": "application/json"}
    if token:
        headers["Private-Token"] = token
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(server.url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            text = reply.read()
            return reply.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        text = error.read()
        return error.code, json.loads(text) if text else None


def test_what_glab_does_around_a_pipeline(server, make_project):
    project = make_project("job: {script: [echo hi]}")
    path = project.path_with_namespace.replace("/", "%2F").replace(".", "%2E").replace("-", "%2D")
    base = f"/api/v4/projects/{path}"

    # glab auth status, and every command's look at its repository.
    assert call(server, "GET", "/api/v4/user")[1]["username"] == "root"
    status, shown = call(server, "GET", f"{base}?license=true&with_custom_attributes=true")
    assert (status, shown["id"]) == (200, project.id)

    # glab ci run
    body = {"ref": "main", "variables": [{"key": "A", "value": "1", "variable_type": "env_var"}]}
    status, started = call(server, "POST", f"{base}/pipeline", body)
    assert status == 201
    assert isinstance(started["id"], int) and started["coverage"] is None

    # glab ci status
    status, latest = call(server, "GET", f"{base}/pipelines/latest?ref=main")
    assert (status, latest["id"]) == (200, started["id"])
    status, jobs = call(server, "GET", f"{base}/pipelines/{started['id']}/jobs?per_page=100&sort=asc")
    assert [job["name"] for job in jobs] == ["job"]

    # glab ci trace polls job and trace.
    job = wait_for(
        lambda: call(server, "GET", f"{base}/jobs/{jobs[0]['id']}")[1],
        lambda seen: seen["status"] == "success",
    )
    assert isinstance(job["duration"], float)

    # glab ci run-trig, without an access token.
    status, trigger = call(server, "POST", f"{base}/triggers", {"description": "glab"})
    assert status == 201
    body = {"ref": "main", "token": trigger["token"], "variables": {"A": "1"}, "inputs": None}
    status, run = call(server, "POST", f"{base}/trigger/pipeline", body, token=None)
    assert (status, run["source"]) == (201, "trigger")

    # glab ci lint
    body = {"content": "job: {script: [make]}", "dry_run": False, "ref": "", "include_jobs": False}
    status, lint = call(server, "POST", f"{base}/ci/lint", body)
    assert (status, lint["valid"]) == (200, True)

    # glab ci list, get, cancel, delete
    status, listed = call(server, "GET", f"{base}/pipelines?order_by=id&page=1&per_page=30&sort=desc")
    assert listed[0]["id"] == run["id"]
    assert call(server, "POST", f"{base}/pipelines/{run['id']}/cancel")[0] == 200
    assert call(server, "DELETE", f"{base}/pipelines/{run['id']}")[0] == 204

    # glab variable set, schedule create
    body = {"key": "FROM_GLAB", "value": "1", "variable_type": "env_var", "masked": False,
            "protected": False, "raw": False, "environment_scope": "*", "description": ""}
    assert call(server, "POST", f"{base}/variables", body)[0] == 201
    body = {"description": "nightly", "ref": "main", "cron": "0 1 * * *", "cron_timezone": "UTC", "active": True}
    assert call(server, "POST", f"{base}/pipeline_schedules", body)[0] == 201
