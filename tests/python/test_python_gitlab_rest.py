"""python-gitlab 8.6 over everything that surrounds a pipeline: settings, people,
schedules, variables, statuses, hooks."""

import gitlab
import pytest

from conftest import wait_for, wait_for_pipeline

REPORTS = """
stages: [test, deploy, release]
test:
  stage: test
  script:
    - mkdir -p out
    - echo kept > out/kept.txt
    - |
      cat > report.xml <<'XML'
      <testsuite name="unit" tests="2" failures="1" time="0.5">
        <testcase classname="math" name="adds" time="0.2"/>
        <testcase classname="math" name="divides" time="0.3"><failure>by zero</failure></testcase>
      </testsuite>
      XML
    - echo "BUILD_NAME=from-the-first-job" > build.env
  artifacts:
    paths: [out/]
    expire_in: 1 day
    reports:
      junit: report.xml
      dotenv: build.env
deploy:
  stage: deploy
  script: 'echo "name=$BUILD_NAME where=$WHERE secret=$SECRET file=$(cat $CONFIG)"'
release:
  stage: release
  script: 'echo "who=$WHO"'
  when: manual
"""


@pytest.fixture
def project(make_project):
    return make_project(REPORTS, **{"notes.txt": "hello"})


def refused(error: type, call, *arguments, **options):
    """What the server says when it refuses."""
    with pytest.raises(error) as seen:
        call(*arguments, **options)
    return seen.value


def test_the_client_knows_who_and_where_it_is(client):
    client.auth()
    assert client.user.username == "root"
    version, _ = client.version()
    assert version.startswith("18.9.0")
    own = client.personal_access_tokens.get("self")
    assert "api" in own.scopes


def test_a_pipeline_is_created_watched_steered_and_deleted(project, tmp_path):
    project.variables.create({"key": "WHERE", "value": "production"})
    project.variables.create({"key": "SECRET", "value": "hunter2-secret", "masked": True})
    project.variables.create({"key": "CONFIG", "value": "a: 1", "variable_type": "file"})
    pipeline = project.pipelines.create(
        {"ref": "main", "variables": [{"key": "ASKED", "value": "yes"}]}
    )
    assert pipeline.source == "api"
    pipeline = wait_for(
        lambda: project.pipelines.get(pipeline.id), lambda seen: seen.status in ("success", "failed")
    )
    assert pipeline.status == "success"
    jobs = {job.name: project.jobs.get(job.id) for job in pipeline.jobs.list(get_all=True)}
    log = jobs["deploy"].trace().decode()
    assert "name=from-the-first-job where=production secret=[MASKED] file=a: 1" in log

    report = pipeline.test_report.get()
    assert (report.total_count, report.failed_count) == (2, 1)
    cases = {case["name"]: case["status"] for case in report.test_suites[0]["test_cases"]}
    assert cases == {"adds": "success", "divides": "failed"}
    summary = pipeline.test_report_summary.get()
    assert summary.total["failed"] == 1
    assert pipeline.bridges.list(get_all=True) == []

    played = jobs["release"]
    # play() itself cannot send a list of objects.
    project.manager.gitlab.http_post(
        f"/projects/{project.id}/jobs/{played.id}/play",
        post_data={"job_variables_attributes": [{"key": "WHO", "value": "me"}]},
    )
    done = wait_for(lambda: project.jobs.get(played.id), lambda job: job.status == "success")
    assert "who=me" in done.trace().decode()

    assert project.artifacts.raw("main", "out/kept.txt", "test") == b"kept\n"
    jobs["test"].keep_artifacts()
    assert project.jobs.get(jobs["test"].id).artifacts_expire_at is None
    jobs["test"].erase()
    assert project.jobs.get(jobs["test"].id).erased_at is not None
    assert refused(gitlab.GitlabGetError, jobs["test"].artifacts).response_code == 404

    everything = project.jobs.list(get_all=True)
    assert {job.name for job in everything} == {"test", "deploy", "release"}
    assert [one.id for one in project.pipelines.list(status="success", get_all=True)] == [pipeline.id]
    assert project.pipelines.list(username="nobody-of-this-name", get_all=True) == []
    assert project.pipelines.latest(ref="main").id == pipeline.id

    pipeline.delete()
    assert refused(gitlab.GitlabGetError, project.pipelines.get, pipeline.id).response_code == 404


def test_people_have_the_rights_of_their_roles(client, server, project):
    name = f"dev-{project.id}"
    user = client.users.create(
        {
            "email": f"{name}@example.com",
            "username": name,
            "name": "Dev",
            "password": "correct horse battery",
            "skip_confirmation": True,
        }
    )
    token = user.personal_access_tokens.create({"name": "t", "scopes": ["api"]})
    theirs = gitlab.Gitlab(server.url, private_token=token.token)
    unseen = refused(gitlab.GitlabGetError, theirs.projects.get, project.id)
    assert (unseen.response_code, unseen.error_message) == (404, "404 Project Not Found")

    member = project.members.create({"user_id": user.id, "access_level": 20})
    seen = theirs.projects.get(project.id)
    assert refused(gitlab.GitlabCreateError, seen.pipelines.create, {"ref": "main"}).response_code in (400, 403)
    member.access_level = 30
    member.save()
    pipeline = seen.pipelines.create({"ref": "main"})
    assert pipeline.user["username"] == name
    assert refused(gitlab.GitlabListError, seen.triggers.list).response_code == 403
    pipeline.cancel()

    project.protectedbranches.create({"name": "main", "push_access_level": 40, "merge_access_level": 40})
    assert [one.name for one in project.protectedbranches.list(get_all=True)] == ["main"]
    closed = refused(gitlab.GitlabCreateError, seen.pipelines.create, {"ref": "main"})
    assert "do not have sufficient permission to run a pipeline on 'main'" in str(closed.error_message)
    project.protectedbranches.delete("main")
    project.protectedtags.create({"name": "v*", "create_access_level": 40})
    project.protectedtags.delete("v*")

    user.block()
    assert refused(gitlab.GitlabError, theirs.projects.get, project.id).response_code in (401, 403)
    user.unblock()
    project.members.delete(user.id)
    assert refused(gitlab.GitlabGetError, theirs.projects.get, project.id).response_code == 404


def test_settings_of_a_project_change(project):
    project.description = "changed"
    project.ci_pipeline_variables_minimum_override_role = "owner"
    project.save()
    again = project.manager.get(project.id)
    assert again.description == "changed"
    assert again.ci_pipeline_variables_minimum_override_role == "owner"


def test_variables_are_kept_at_every_level(client, project):
    variable = project.variables.create({"key": "LEVEL", "value": "project", "protected": True})
    assert project.variables.get("LEVEL").protected
    variable.value = "changed"
    variable.save()
    assert project.variables.get("LEVEL").value == "changed"
    assert [one.key for one in project.variables.list(get_all=True)] == ["LEVEL"]
    variable.delete()
    assert project.variables.list(get_all=True) == []
    twice = {"key": "TWICE", "value": "1"}
    project.variables.create(twice)
    taken = refused(gitlab.GitlabCreateError, project.variables.create, twice)
    assert taken.response_code == 400

    client.variables.create({"key": "INSTANCE_WIDE", "value": "1"})
    assert client.variables.get("INSTANCE_WIDE").value == "1"
    client.variables.delete("INSTANCE_WIDE")
    group = client.groups.get("clients", lazy=True)
    group.variables.create({"key": "GROUP_WIDE", "value": "1"})
    assert [one.key for one in group.variables.list(get_all=True)] == ["GROUP_WIDE"]
    group.variables.delete("GROUP_WIDE")


def test_schedules_are_kept_played_and_taken_over(project):
    schedule = project.pipelineschedules.create(
        {"description": "nightly", "ref": "main", "cron": "30 0 * * *", "cron_timezone": "Europe/Berlin"}
    )
    assert schedule.active and schedule.next_run_at
    schedule = project.pipelineschedules.get(schedule.id)
    schedule.variables.create({"key": "FROM", "value": "schedule"})
    assert project.pipelineschedules.get(schedule.id).attributes["variables"][0]["key"] == "FROM"
    schedule.description = "every night"
    schedule.save()
    schedule.take_ownership()
    kept = schedule.id
    schedule.play()
    # What play() answers replaces the client's picture of the schedule.
    schedule = project.pipelineschedules.get(kept)
    runs = wait_for(lambda: schedule.pipelines.list(get_all=True), lambda seen: len(seen) == 1)
    assert runs[0].source == "schedule"
    schedule.variables.delete("FROM")
    wrong = refused(
        gitlab.GitlabCreateError,
        project.pipelineschedules.create,
        {"description": "x", "ref": "main", "cron": "61 * * * *"},
    )
    assert wrong.error_message == {"cron": ["syntax is invalid"]}
    schedule.delete()
    assert project.pipelineschedules.list(get_all=True) == []


def test_the_repository_shows_its_branches_tags_and_commits(project):
    branch = project.branches.get("main")
    assert branch.default and not branch.protected
    commit = project.commits.get(branch.commit["id"])
    assert commit.title == "Initial commit"
    assert project.tags.list(get_all=True) == []
    commit.statuses.create({"state": "running", "name": "outside"})
    commit.statuses.create({"state": "success", "name": "outside"})
    [status] = commit.statuses.list(name="outside", get_all=True)
    assert status.status == "success"


def test_files_are_checked_without_running_anything(project):
    good = project.ci_lint.create({"content": "job: {script: [make]}"})
    assert good.valid and good.errors == []
    bad = project.ci_lint.create({"content": "job: {stage: nowhere, script: [make]}"})
    assert not bad.valid and "nowhere" in bad.errors[0]
    assert project.ci_lint.get().valid


def test_hooks_are_kept(project):
    hook = project.hooks.create({"url": "http://127.0.0.1:9/x", "pipeline_events": True, "push_events": False})
    assert project.hooks.get(hook.id).pipeline_events
    hook.job_events = True
    hook.save()
    hook.delete()
    assert project.hooks.list(get_all=True) == []


def test_job_tokens_reach_only_projects_that_let_them(make_project):
    upstream, downstream = make_project("job: {script: [\"true\"]}"), make_project("job: {script: [\"true\"]}")
    scope = downstream.job_token_scope.get()
    assert scope.inbound_enabled
    scope.allowlist.create({"target_project_id": upstream.id})
    assert upstream.id in [one.id for one in scope.allowlist.list(get_all=True)]
    scope.allowlist.delete(upstream.id)


def test_what_was_done_is_in_the_audit_log(client, project):
    project.triggers.create({"description": "watched"})
    names = [event.event_name for event in project.audit_events.list(get_all=True)]
    assert "trigger_created" in names
    assert client.audit_events.list(per_page=1)[0].id > 0


def test_a_pipeline_ends_well(project):
    pipeline = project.pipelines.create({"ref": "main"})
    assert wait_for_pipeline(project, pipeline.id).status in ("success", "manual")
