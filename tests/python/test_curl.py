"""Scripts as people write them: curl with forms, queries and the v3 addresses."""

import json
import subprocess

from conftest import wait_for_pipeline

FILE = """
job:
  script:
    - echo "for ${CUSTOMER:-nobody}, built from ${CI_BUILD_REF_NAME:-today}"
"""


def curl(*words: str) -> tuple[int, dict]:
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--write-out", "\n%{http_code}", *words],
        check=True,
        capture_output=True,
        text=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def test_the_documented_calls_start_pipelines(server, make_project):
    project = make_project(FILE)
    token = project.triggers.create({"description": "curl"}).token
    v4 = f"{server.url}/api/v4/projects/{project.id}"

    form = ["--request", "POST", "--form", f"token={token}", "--form", "ref=main"]
    status, started = curl(*form, "--form", "variables[CUSTOMER]=Ada", f"{v4}/trigger/pipeline")
    assert (status, started["source"]) == (201, "trigger")
    pipeline = wait_for_pipeline(project, started["id"])
    [job] = pipeline.jobs.list(get_all=True)
    assert "for Ada, built from today" in project.jobs.get(job.id).trace().decode()

    status, _ = curl("--request", "POST", f"{v4}/trigger/pipeline?token={token}&ref=main")
    assert status == 201
    # As the address of another project's webhook; its body brings a ref of its own.
    hook = json.dumps({"object_kind": "push", "ref": "refs/heads/elsewhere"})
    json_body = ["--header", "Content-Type: application/json", "--data", hook]
    status, _ = curl(*json_body, f"{v4}/ref/main/trigger/pipeline?token={token}")
    assert status == 201


def test_the_calls_of_version_3_start_pipelines(server, make_project):
    project = make_project(FILE)
    token = project.triggers.create({"description": "old script"}).token
    v3 = f"{server.url}/api/v3/projects/{project.id}"
    form = ["-X", "POST", "-F", f"token={token}", "-F", "variables[CUSTOMER]=Ada"]
    status, request = curl(*form, "-F", "ref=main", f"{v3}/trigger/builds")
    assert status == 201 and request["variables"] == {"CUSTOMER": "Ada"}
    [run] = project.pipelines.list(get_all=True)
    pipeline = wait_for_pipeline(project, run.id)
    [job] = pipeline.jobs.list(get_all=True)
    assert "for Ada, built from main" in project.jobs.get(job.id).trace().decode()

    commit = project.commits.get("main").id
    status, _ = curl("-X", "POST", "-F", f"token={token}", "-F", f"ref={commit}", f"{v3}/trigger/builds")
    assert status == 201
    status, refused = curl("-X", "POST", "-F", "token=wrong", "-F", "ref=main", f"{v3}/trigger/builds")
    assert (status, refused) == (404, {"message": "404 Not Found"})
    status, refused = curl("-X", "POST", "-F", f"token={token}", "-F", "ref=none", f"{v3}/trigger/builds")
    assert (status, refused) == (400, {"message": {"base": ["Reference not found"]}})


def test_the_call_of_7_14_starts_a_pipeline(server, make_project):
    project = make_project(FILE)
    token = project.triggers.create({"description": "older script"}).token
    address = f"{server.url}/api/v1/projects/{project.id}/refs/main/trigger"
    status, _ = curl("-X", "POST", "-F", f"token={token}", "-F", "variables[CUSTOMER]=Ada", address)
    assert status == 201
