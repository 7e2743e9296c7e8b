//! Runs of pull requests, from intake to what a runner is told.

use std::path::PathBuf;

use rstest::rstest;
use serde_json::{Value, json};
use tappet_model::{ProjectId, PullRequest, PullRequestDetails, RefKind, RunId, Status, UserId};
use tappet_server::intake::{PullRequestRunRequest, Refusal, Started, start_pull_request_run};
use tappet_server::testing::{ROOT_TOKEN, TestServer, commit, git};
use tappet_store::{CiConfigSettings, Hold, IdempotencyKey, PullRequestRun};

use crate::runner::{Runner, Taken};

const PIPELINE: (&str, &str) = (".gitlab-ci.yml", "test: {script: make}\n");

const WORKFLOW: (&str, &str) = (
    ".github/workflows/ci.yml",
    "on: pull_request\njobs: {a: {runs-on: x, steps: [{run: make}]}}\n",
);

/// `acme/web` with a branch `feature`, whose last commit is to go into `main`.
struct Scene {
    server: TestServer,
    project: i64,
    repository: PathBuf,
    base: String,
    head: String,
}

impl Scene {
    async fn new(files: &[(&str, &str)]) -> Self {
        Self::on(TestServer::start().await, files).await
    }

    async fn on(server: TestServer, files: &[(&str, &str)]) -> Self {
        let project = server.project("acme/web", files).await;
        let repository = server.scratch().join("repositories/acme-web");
        let base = git(&repository, &["rev-parse", "HEAD"]);
        git(&repository, &["checkout", "--quiet", "-b", "feature"]);
        let head = commit(&repository, &[("docs/a.md", "hi")], "Add a page");
        Self {
            server,
            project,
            repository,
            base,
            head,
        }
    }

    /// Another commit on the branch.
    fn push(&mut self, files: &[(&str, &str)], message: &str) -> String {
        self.head = commit(&self.repository, files, message);
        self.head.clone()
    }

    async fn set(&self, change: impl FnOnce(&mut CiConfigSettings)) {
        let app = self.server.app();
        let config = self.config().await;
        let mut settings = config.settings;
        change(&mut settings);
        let now = config.updated_at;
        let set = app.store.update_ci_config(config.id, settings, now).await;
        assert!(set.unwrap().is_some());
    }

    async fn config(&self) -> tappet_store::CiConfig {
        let configs = self.server.app().store.ci_configs(ProjectId(self.project));
        configs.await.unwrap().remove(0)
    }

    async fn request(&self) -> PullRequestRunRequest {
        let app = self.server.app();
        let project = app.store.project(ProjectId(self.project)).await.unwrap();
        PullRequestRunRequest {
            project: project.unwrap(),
            config: self.config().await,
            user: app.store.user(UserId(1)).await.unwrap(),
            pull_request: PullRequest {
                number: "6".into(),
                head_branch: "feature".into(),
                head_sha: self.head.clone(),
                base_branch: "main".into(),
                base_sha: self.base.clone(),
                ..PullRequest::default()
            },
            payload: None,
            is_from_forge: false,
            needs_approval: false,
            credential: "token:1".into(),
            hooks: Vec::new(),
            idempotency: None,
        }
    }

    async fn start(&self, request: PullRequestRunRequest) -> Result<Started, Refusal> {
        start_pull_request_run(self.server.app(), request).await
    }

    /// As the API asks for it.
    async fn trigger(&self) -> Started {
        self.start(self.request().await).await.unwrap()
    }

    /// As a forge asks for it.
    async fn told_by_forge(&self, details: PullRequestDetails) -> Result<Started, Refusal> {
        let mut request = self.request().await;
        request.is_from_forge = true;
        request.pull_request.details = details;
        self.start(request).await
    }

    async fn of_run(&self, id: RunId) -> PullRequestRun {
        let found = self.server.app().store.pull_request_run(id).await;
        found.unwrap().unwrap()
    }

    async fn status(&self, id: RunId) -> Status {
        let run = self.server.app().store.run(id).await.unwrap();
        run.unwrap().status
    }

    /// Names of the jobs of a run.
    async fn jobs(&self, started: &Started) -> Vec<String> {
        let path = format!(
            "/api/v4/projects/{}/pipelines/{}/jobs",
            self.project, started.run.id
        );
        let jobs = self.server.get(&path).root().send().await.json();
        let jobs = jobs.as_array().unwrap().iter();
        jobs.map(|job| job["name"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn take(&self) -> Taken {
        Runner::default().with_steps().take(&self.server).await
    }
}

#[tokio::test]
async fn a_pull_request_runs_the_pipeline_file_of_its_head() {
    let scene = Scene::new(&[PIPELINE]).await;
    let started = scene.trigger().await;
    assert!(!started.replayed);
    let run = &started.run;
    assert_eq!(run.source.as_str(), "merge_request_event");
    assert_eq!(run.ref_kind, RefKind::PullRequest);
    assert_eq!(run.ref_name, "refs/merge-requests/6/head");
    assert_eq!(run.sha.as_str(), scene.head);
    assert_eq!(run.commit_title, "Add a page");
    assert_eq!(scene.jobs(&started).await, ["test"]);
    let of = scene.of_run(run.id).await;
    assert_eq!(
        of.pull_request.merge_base.unwrap().as_str(),
        scene.base.as_str()
    );
}

#[tokio::test]
async fn a_job_is_told_of_its_merge_request() {
    let scene = Scene::new(&[PIPELINE]).await;
    scene.trigger().await;
    let job = scene.take().await;
    for (key, value) in [
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_COMMIT_REF_NAME", "feature"),
        ("CI_COMMIT_REF_SLUG", "feature"),
        ("CI_COMMIT_REF_PROTECTED", "false"),
        ("CI_MERGE_REQUEST_IID", "6"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "feature"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &scene.base),
        ("CI_OPEN_MERGE_REQUESTS", "acme/web!6"),
    ] {
        assert_eq!(job.value(key), Some(value), "{key}");
    }
    assert!(job.variable("CI_COMMIT_BRANCH").is_none());
    assert!(job.variable("DATAFOLD_DIFFS").is_none());
    let git = &job.payload["git_info"];
    assert_eq!(git["ref"], "refs/merge-requests/6/head");
    assert_eq!(git["sha"], scene.head);
    let pinned = format!("+{}:refs/pipelines/", scene.head);
    let refspec = git["refspecs"][0].as_str().unwrap();
    assert!(refspec.starts_with(&pinned), "{refspec}");
}

#[tokio::test]
async fn a_protected_branch_protects_no_pull_request_that_is_called_so() {
    let mut scene = Scene::new(&[PIPELINE]).await;
    git(&scene.repository, &["checkout", "--quiet", "main"]);
    scene.push(&[("x", "y")], "On main");
    let path = format!("/api/v4/projects/{}/variables", scene.project);
    let secret = json!({ "key": "DEPLOY", "value": "secret", "protected": true });
    let reply = scene.server.post(&path).root().json(&secret).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let mut request = scene.request().await;
    request.pull_request.head_branch = "main".into();
    scene.start(request).await.unwrap();
    let job = scene.take().await;
    assert_eq!(job.value("CI_COMMIT_REF_NAME"), Some("main"));
    assert!(job.variable("DEPLOY").is_none());
}

#[rstest]
#[case::word("aaa", None, "`aaa` is no commit id")]
#[case::empty("", None, "`` is no commit id")]
#[case::option("--upload-pack=x", None, "is no commit id")]
#[case::unknown("0123456789012345678901234567890123456789", None, "push it first")]
#[case::unknown_base("", Some("0123456789012345678901234567890123456789"), "push it first")]
#[tokio::test]
async fn commits_that_are_not_there_make_a_failed_run(
    #[case] head: &str,
    #[case] base: Option<&str>,
    #[case] expected: &str,
) {
    let scene = Scene::new(&[PIPELINE]).await;
    let mut request = scene.request().await;
    match base {
        Some(base) => request.pull_request.base_sha = base.into(),
        None => request.pull_request.head_sha = head.into(),
    }
    let started = scene.start(request).await.unwrap();
    assert_eq!(started.run.status, Status::Failed);
    let errors = started.run.yaml_errors.unwrap();
    assert!(errors.contains(expected), "{errors}");
}

#[tokio::test]
async fn commits_without_a_common_history_make_a_failed_run() {
    let mut scene = Scene::new(&[PIPELINE]).await;
    git(&scene.repository, &["checkout", "--quiet", "--orphan", "x"]);
    scene.push(&[], "Unrelated");
    let run = scene.trigger().await.run;
    assert_eq!(run.status, Status::Failed);
    let errors = run.yaml_errors.unwrap();
    assert!(errors.contains("have nothing in common"), "{errors}");
}

#[tokio::test]
async fn nothing_to_run_is_a_failed_run_for_the_api_and_nothing_for_a_forge() {
    let scene = Scene::new(&[("README.md", "hi")]).await;
    let run = scene.trigger().await.run;
    assert_eq!(run.status, Status::Failed);
    let errors = run.yaml_errors.unwrap();
    assert!(
        errors.contains("has neither the file `.gitlab-ci.yml`"),
        "{errors}"
    );
    let told = scene.told_by_forge(PullRequestDetails::default()).await;
    assert!(
        matches!(told, Err(Refusal::NothingToRun { .. })),
        "{told:?}"
    );
}

#[tokio::test]
async fn twenty_parallel_triggers_make_one_run() {
    let scene = Scene::new(&[PIPELINE]).await;
    let mut requests = Vec::new();
    for _ in 0..20 {
        requests.push(scene.request().await);
    }
    let app = scene.server.app();
    let started = futures_util::future::join_all(
        requests
            .into_iter()
            .map(|request| start_pull_request_run(app, request)),
    )
    .await;
    let started: Vec<Started> = started.into_iter().map(Result::unwrap).collect();
    let first = started[0].run.id;
    assert!(started.iter().all(|one| one.run.id == first));
    assert_eq!(started.iter().filter(|one| !one.replayed).count(), 1);
}

#[tokio::test]
async fn a_run_that_is_over_is_run_again() {
    let scene = Scene::new(&[PIPELINE]).await;
    let first = scene.trigger().await;
    scene.take().await.report(&scene.server, "success").await;
    let second = scene.trigger().await;
    assert!(!second.replayed);
    assert_ne!(first.run.id, second.run.id);
}

#[tokio::test]
async fn a_newer_commit_takes_the_place_of_an_older_one() {
    let mut scene = Scene::new(&[PIPELINE]).await;
    let first = scene.trigger().await.run.id;
    scene.push(&[], "More");
    let second = scene.trigger().await.run.id;
    assert_eq!(scene.status(first).await, Status::Canceled);
    assert_eq!(scene.of_run(first).await.superseded_by, Some(second));
    assert_eq!(scene.status(second).await, Status::Pending);
}

#[tokio::test]
async fn an_older_commit_that_arrives_late_cancels_nothing() {
    let mut scene = Scene::new(&[PIPELINE]).await;
    let older = scene.head.clone();
    scene.push(&[], "More");
    let newer = scene.trigger().await.run.id;
    scene.head = older;
    let told = scene.told_by_forge(PullRequestDetails::default()).await;
    assert!(matches!(told, Err(Refusal::Superseded)), "{told:?}");
    let late = scene.trigger().await.run.id;
    assert_eq!(scene.status(newer).await, Status::Pending);
    assert_eq!(scene.status(late).await, Status::Pending);
}

#[tokio::test]
async fn a_ci_config_may_keep_runs_of_older_commits() {
    let mut scene = Scene::new(&[PIPELINE]).await;
    scene
        .set(|settings| settings.cancels_superseded = false)
        .await;
    let first = scene.trigger().await.run.id;
    scene.push(&[], "More");
    scene.trigger().await;
    assert_eq!(scene.status(first).await, Status::Pending);
}

#[tokio::test]
async fn the_same_key_starts_one_run_even_when_it_is_over() {
    let scene = Scene::new(&[PIPELINE]).await;
    let with_key = async |digest: u8| {
        let mut request = scene.request().await;
        let key = IdempotencyKey {
            project_id: ProjectId(scene.project),
            credential: "token:1".into(),
            key: "k".into(),
        };
        request.idempotency = Some((key, [digest; 32]));
        scene.start(request).await
    };
    let first = with_key(1).await.unwrap();
    scene.take().await.report(&scene.server, "success").await;
    let again = with_key(1).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.run.id, first.run.id);
    assert!(matches!(with_key(2).await, Err(Refusal::KeyReused)));
}

#[tokio::test]
async fn who_may_not_run_pipelines_starts_nothing() {
    let scene = Scene::new(&[PIPELINE]).await;
    let guest = scene.server.member(scene.project, "guest", 10).await;
    let mut request = scene.request().await;
    let app = scene.server.app();
    request.user = app.store.user(UserId(guest.id)).await.unwrap();
    let refused = scene.start(request).await;
    assert!(
        matches!(refused, Err(Refusal::NotStarted { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_full_queue_takes_no_pull_request() {
    let server = TestServer::start_with(|config| config.queue_limit = 0).await;
    let scene = Scene::on(server, &[PIPELINE]).await;
    let refused = scene.start(scene.request().await).await;
    assert!(
        matches!(refused, Err(Refusal::QueueFull { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn changed_files_are_those_since_the_branches_parted() {
    let file = "\
docs: {script: x, rules: [{changes: [docs/**/*]}]}
code: {script: x, rules: [{changes: [src/**/*]}]}
since: {script: x, rules: [{changes: {paths: [src/**/*], compare_to: main}}]}
exists: {script: x, rules: [{exists: [docs/a.md]}]}
";
    let mut scene = Scene::new(&[(".gitlab-ci.yml", file)]).await;
    git(&scene.repository, &["checkout", "--quiet", "main"]);
    scene.base = commit(&scene.repository, &[("src/lib.rs", "x")], "On main");
    let started = scene.trigger().await;
    let mut jobs = scene.jobs(&started).await;
    jobs.sort();
    assert_eq!(jobs, ["docs", "exists"]);
}

#[rstest]
#[case("a: {script: x}\nb: {script: x, only: [branches]}\n", &["a"])]
#[case("a: {script: x}\nb: {script: x, only: [merge_requests]}\n", &["b"])]
#[case("a: {script: x}\nb: {script: x, rules: [{when: always}]}\n", &["b"])]
#[tokio::test]
async fn a_file_without_a_word_about_merge_requests_runs_all_the_same(
    #[case] file: &str,
    #[case] expected: &[&str],
) {
    let scene = Scene::new(&[(".gitlab-ci.yml", file)]).await;
    let started = scene.trigger().await;
    assert_eq!(scene.jobs(&started).await, expected);
}

#[tokio::test]
async fn a_ci_config_names_the_pipeline_file() {
    let other = ("ci/pr.yml", "other: {script: x}\n");
    let scene = Scene::new(&[PIPELINE, other]).await;
    scene
        .set(|settings| settings.pipeline_files = vec!["ci/pr.yml".into()])
        .await;
    let started = scene.trigger().await;
    assert_eq!(scene.jobs(&started).await, ["other"]);
}

#[tokio::test]
async fn a_named_file_that_is_missing_is_told() {
    let scene = Scene::new(&[PIPELINE]).await;
    for path in ["ci/pr.yml", ".github/workflows/pr.yml"] {
        let path = path.to_owned();
        scene
            .set(|settings| settings.pipeline_files = vec![path.clone()])
            .await;
        let run = scene.trigger().await.run;
        assert_eq!(run.status, Status::Failed);
        let errors = run.yaml_errors.unwrap();
        assert!(errors.contains(&format!("no file `{path}`")), "{errors}");
    }
}

#[tokio::test]
async fn without_a_pipeline_file_workflows_see_a_pull_request() {
    let scene = Scene::new(&[WORKFLOW]).await;
    scene.trigger().await;
    let job = scene.take().await;
    let github = &job.payload["tappet"]["contexts"]["github"];
    for (key, value) in [
        ("event_name", "pull_request"),
        ("head_ref", "feature"),
        ("base_ref", "main"),
        ("ref", "refs/pull/6/merge"),
        ("ref_name", "6/merge"),
        ("sha", &scene.head),
    ] {
        assert_eq!(github[key], value, "{key}");
    }
    let event = &github["event"];
    assert_eq!(event["action"], "synchronize");
    assert_eq!(event["number"], 6);
    assert_eq!(event["repository"]["full_name"], "acme/web");
    let pull_request = &event["pull_request"];
    assert_eq!(pull_request["head"]["ref"], "feature");
    assert_eq!(pull_request["head"]["sha"], scene.head);
    assert_eq!(pull_request["base"]["sha"], scene.base);
}

/// A call of Depot's API, which keeps secrets of workflows.
async fn add_secret(scene: &Scene) {
    let call = json!({ "secretName": "DEPLOY_KEY", "value": "s3cret-value" });
    let reply = scene
        .server
        .post("/depot.ci.v3beta2.SecretService/SetSecretVariant")
        .header("authorization", &format!("Bearer {ROOT_TOKEN}"))
        .json(&call)
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[rstest]
#[case(None, true)]
#[case(Some("bob/web"), false)]
#[tokio::test]
async fn workflows_of_forks_get_no_secrets(#[case] fork: Option<&str>, #[case] expected: bool) {
    let scene = Scene::new(&[WORKFLOW]).await;
    add_secret(&scene).await;
    let details = PullRequestDetails {
        fork: fork.map(str::to_owned),
        ..PullRequestDetails::default()
    };
    scene.told_by_forge(details).await.unwrap();
    let job = scene.take().await;
    let secrets = &job.payload["tappet"]["contexts"]["secrets"];
    assert_eq!(secrets.get("DEPLOY_KEY").is_some(), expected, "{secrets}");
    assert!(secrets.get("GITHUB_TOKEN").is_some());
}

#[tokio::test]
async fn workflows_see_what_the_forge_told() {
    let scene = Scene::new(&[WORKFLOW]).await;
    let mut request = scene.request().await;
    request.is_from_forge = true;
    request.pull_request.details.action = "opened".into();
    request.payload = Some(json!({ "action": "opened", "installation": { "id": 3 } }));
    scene.start(request).await.unwrap();
    let job = scene.take().await;
    let event = &job.payload["tappet"]["contexts"]["github"]["event"];
    assert_eq!(event["installation"]["id"], 3);
    assert_eq!(event["action"], "opened");
}

/// `on` of a workflow, the label that runs wait for, what a forge says happened, and
/// whether that starts it.
#[rstest]
#[case("pull_request", None, "opened", true)]
#[case("pull_request", None, "closed", false)]
#[case("pull_request", None, "labeled", false)]
#[case("pull_request", Some("ci"), "labeled", true)]
#[case("{pull_request: {types: [closed]}}", None, "closed", true)]
#[case("{pull_request: {branches: [main]}}", None, "opened", true)]
#[case("{pull_request: {branches: [dev]}}", None, "opened", false)]
#[case("{pull_request: {paths: ['docs/**']}}", None, "opened", true)]
#[case("{pull_request: {paths: ['src/**']}}", None, "opened", false)]
#[case("push", None, "opened", false)]
#[tokio::test]
async fn a_workflow_starts_when_its_filters_fit(
    #[case] on: &str,
    #[case] label: Option<&str>,
    #[case] action: &str,
    #[case] expected: bool,
) {
    let workflow = format!("on: {on}\njobs: {{a: {{runs-on: x, steps: [{{run: make}}]}}}}\n");
    let scene = Scene::new(&[(WORKFLOW.0, &workflow)]).await;
    scene
        .set(|settings| settings.label = label.map(str::to_owned))
        .await;
    let details = PullRequestDetails {
        action: action.into(),
        ..PullRequestDetails::default()
    };
    let told = scene.told_by_forge(details).await;
    match expected {
        true => assert!(told.is_ok(), "{told:?}"),
        false => assert!(
            matches!(told, Err(Refusal::NothingToRun { .. })),
            "{told:?}"
        ),
    }
}

#[tokio::test]
async fn the_api_is_told_which_workflows_start_on_nothing() {
    let workflow = "on: push\njobs: {a: {runs-on: x, steps: [{run: make}]}}\n";
    let scene = Scene::new(&[(WORKFLOW.0, workflow)]).await;
    let run = scene.trigger().await.run;
    assert_eq!(run.status, Status::Failed);
    let errors = run.yaml_errors.unwrap();
    assert!(
        errors.contains("`.github/workflows/ci.yml` starts on `pull_request`"),
        "{errors}"
    );
}

#[rstest]
#[case(PIPELINE, "[skip ci] x", true)]
#[case(PIPELINE, "x datafold-skip-ci", true)]
#[case(PIPELINE, "x [no ci]", false)]
#[case(WORKFLOW, "x [no ci]", true)]
#[case(WORKFLOW, "x\n\nskip-checks: true", true)]
#[tokio::test]
async fn a_commit_can_ask_a_forge_for_no_run_but_never_the_api(
    #[case] file: (&str, &str),
    #[case] message: &str,
    #[case] expected: bool,
) {
    let mut scene = Scene::new(&[file]).await;
    scene.push(&[], message);
    let details = PullRequestDetails {
        action: "synchronize".into(),
        ..PullRequestDetails::default()
    };
    let told = scene.told_by_forge(details).await;
    match expected {
        true => assert!(matches!(told, Err(Refusal::Skipped)), "{told:?}"),
        false => assert!(told.is_ok(), "{told:?}"),
    }
    assert_ne!(scene.trigger().await.run.status, Status::Failed);
}

#[tokio::test]
async fn a_run_waits_for_pairs_of_tables_and_hands_them_to_its_jobs() {
    let scene = Scene::new(&[PIPELINE]).await;
    scene.set(|settings| settings.expects_diffs = true).await;
    let run = scene.trigger().await.run;
    assert_eq!(run.status, Status::Created);
    let none = Runner::default().request(&scene.server).send().await;
    assert_eq!(none.status, 204, "{}", none.text());
    let app = scene.server.app();
    let config = scene.config().await.id;
    let pairs = r#"[{"prod":"A.B","pr":"A.C"}]"#;
    let now = app.config.clock.now();
    let submitted = app
        .store
        .submit_diffs(config, "6".into(), pairs.into(), now);
    let submitted = submitted.await.unwrap().unwrap();
    app.announce(&submitted.released.unwrap()).await;
    let job = scene.take().await;
    let variable = job.variable("DATAFOLD_DIFFS").unwrap();
    assert_eq!(variable["value"], pairs);
    assert_eq!(variable["file"], Value::Bool(true));
}

#[tokio::test]
async fn nobody_waits_for_pairs_of_tables_for_ever() {
    let server = TestServer::start_with(|config| config.limits.diffs_wait_s = 0).await;
    let scene = Scene::on(server, &[PIPELINE]).await;
    scene.set(|settings| settings.expects_diffs = true).await;
    let app = scene.server.app();
    let id = scene.trigger().await.run.id;
    let mut changes = app.changes.subscribe(id);
    let over = async {
        while scene.status(id).await != Status::Failed {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), over)
        .await
        .expect("the run fails");
    assert!(scene.of_run(id).await.is_overdue);
}

#[tokio::test]
async fn what_comes_from_a_fork_waits_for_approval() {
    let scene = Scene::new(&[PIPELINE]).await;
    let mut request = scene.request().await;
    request.needs_approval = true;
    request.pull_request.details.fork = Some("bob/web".into());
    let id = scene.start(request).await.unwrap().run.id;
    let hold = scene.of_run(id).await.hold;
    assert_eq!(hold, Some(Hold::Approval { then_diffs_s: None }));
    let none = Runner::default().request(&scene.server).send().await;
    assert_eq!(none.status, 204, "{}", none.text());
    scene.server.app().approve_run(id).await.unwrap();
    let job = scene.take().await;
    assert_eq!(
        job.value("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"),
        Some("bob/web")
    );
    assert!(scene.server.app().approve_run(id).await.is_err());
}
