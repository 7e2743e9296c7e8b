"""python-gitlab 8.6, unchanged, starts and steers pipelines on Tappet."""

import io
import time
import zipfile

import gitlab
import pytest

from conftest import wait_for, wait_for_pipeline

THREE_STAGES = """
stages: [build, test, deploy]
build:
  stage: build
  script:
    - mkdir out
    - echo "made for $CUSTOMER" > out/result.txt
  artifacts:
    paths: [out/]
test:
  stage: test
  script:
    - grep "$CUSTOMER" out/result.txt
deploy:
  stage: deploy
  script:
    - echo "source=$CI_PIPELINE_SOURCE triggered=$CI_PIPELINE_TRIGGERED"
    - python3 -c 'import json,os; print(json.load(open(os.environ["TRIGGER_PAYLOAD"]))["ref"])'
"""


def test_a_trigger_starts_a_pipeline_whose_results_can_be_read(make_project):
    project = make_project(THREE_STAGES)
    trigger = project.triggers.create({"description": "nightly"})
    assert trigger.token.startswith("glptt-")

    started = project.trigger_pipeline("main", trigger.token, variables={"CUSTOMER": "Ada"})
    assert started.status == "created"
    assert started.ref == "main"
    assert started.attributes["source"] == "trigger"

    pipeline = wait_for_pipeline(project, started.id)
    assert pipeline.status == "success"
    jobs = {job.name: job for job in pipeline.jobs.list(get_all=True)}
    assert set(jobs) == {"build", "test", "deploy"}
    assert {job.status for job in jobs.values()} == {"success"}

    log = project.jobs.get(jobs["deploy"].id).trace().decode()
    assert "source=trigger triggered=true" in log
    assert "\nmain\n" in log

    archive = zipfile.ZipFile(io.BytesIO(project.jobs.get(jobs["build"].id).artifacts()))
    assert archive.read("out/result.txt") == b"made for Ada\n"
    one_file = project.jobs.get(jobs["build"].id).artifact("out/result.txt")
    assert one_file == b"made for Ada\n"

    variables = {variable.key: variable for variable in pipeline.variables.list(get_all=True)}
    assert variables["CUSTOMER"].value == "Ada"
    assert variables["TRIGGER_PAYLOAD"].variable_type == "file"
    assert trigger.token not in variables["TRIGGER_PAYLOAD"].value


def test_trigger_tokens_are_listed_read_and_revoked(make_project):
    project = make_project("job: {script: [\"true\"]}")
    first = project.triggers.create({"description": "first"})
    second = project.triggers.create({"description": "second"})
    assert [one.id for one in project.triggers.list(get_all=True)] == [first.id, second.id]
    assert project.triggers.get(second.id).token == second.token

    project.triggers.delete(first.id)
    with pytest.raises(gitlab.GitlabCreateError) as refused:
        project.trigger_pipeline("main", first.token)
    assert refused.value.response_code == 404
    assert refused.value.error_message == "404 Not Found"


def test_a_running_pipeline_is_canceled_and_retried(make_project):
    project = make_project("job: {script: [echo started, sleep 60]}")
    trigger = project.triggers.create({"description": "t"})
    pipeline = project.trigger_pipeline("main", trigger.token)
    job_id = pipeline.jobs.list(get_all=True)[0].id
    wait_for(
        lambda: project.jobs.get(job_id).trace().decode(), lambda log: "\nstarted\n" in log
    )

    begun = time.monotonic()
    pipeline.cancel()
    assert wait_for_pipeline(project, pipeline.id).status == "canceled"
    assert time.monotonic() - begun < 20
    assert project.jobs.get(job_id).status == "canceled"

    pipeline.retry()
    again = wait_for(
        lambda: pipeline.jobs.list(get_all=True)[0], lambda job: job.status == "running"
    )
    assert again.id != job_id
    project.jobs.get(again.id).cancel()
    assert wait_for_pipeline(project, pipeline.id).status == "canceled"


def test_a_failed_job_is_retried_by_itself(make_project):
    project = make_project("job: {script: ['test -e /nonexistent-for-sure']}")
    trigger = project.triggers.create({"description": "t"})
    pipeline = wait_for_pipeline(project, project.trigger_pipeline("main", trigger.token).id)
    assert pipeline.status == "failed"
    job = project.jobs.get(pipeline.jobs.list(get_all=True)[0].id)
    assert job.failure_reason == "script_failure"

    retried = job.retry()
    assert retried["id"] != job.id
    assert wait_for_pipeline(project, pipeline.id).status == "failed"
    every = pipeline.jobs.list(get_all=True, include_retried=True)
    assert {one.id for one in every} == {job.id, retried["id"]}


def test_projects_are_found_by_id_and_by_path(client, make_project):
    project = make_project("job: {script: [\"true\"]}")
    by_path = client.projects.get(project.path_with_namespace)
    assert by_path.id == project.id
    assert by_path.default_branch == "main"
    assert project.id in {one.id for one in client.projects.list(get_all=True)}


def test_lists_are_paged(make_project):
    project = make_project("job: {script: [\"true\"]}")
    trigger = project.triggers.create({"description": "t"})
    made = [project.trigger_pipeline("main", trigger.token).id for _ in range(5)]
    page = project.pipelines.list(iterator=True, per_page=2)
    assert page.total == 5
    assert page.total_pages == 3
    assert [pipeline.id for pipeline in page] == sorted(made, reverse=True)


def test_an_invalid_file_is_an_error_with_its_line(make_project):
    project = make_project("job:\n  script: [x]\n  sript: [y]\n")
    trigger = project.triggers.create({"description": "t"})
    with pytest.raises(gitlab.GitlabCreateError) as refused:
        project.trigger_pipeline("main", trigger.token)
    assert refused.value.response_code == 422
    assert "jobs:job config contains unknown keys: sript" in str(refused.value.error_message)
    assert "line 3" in str(refused.value.error_message)
    kept = project.pipelines.list(get_all=True)[0]
    assert kept.status == "failed"


def test_the_user_of_a_token_is_known(client):
    client.auth()
    assert client.user.username == "root"
    assert client.version()[0].startswith("18.9.0-tappet")
