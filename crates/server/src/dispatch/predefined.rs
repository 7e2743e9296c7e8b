//! Predefined variables (facts: GitLab `doc/ci/variables/predefined_variables.md`).
//!
//! Those of the run are known before it exists and may decide rules; those of
//! the job are added when it is handed out. Names that the runner owns
//! (`CI_PROJECT_DIR`, `CI_BUILDS_DIR`, …) are not ours to send.

use tappet_git::Commit;
use tappet_gitlab_ci::AskingJob;
use tappet_model::{CommitSha, RefKind, Source, Variable};
use tappet_store::{Attempt, Project, Run, Trigger, User};

use super::environment;
use super::pull_request_variables::{PullRequestFacts, of_pull_request};
use crate::config::Config;

/// What is known of a run before it exists.
pub struct RunFacts<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its default branch.
    pub default_branch: &'a str,
    /// Why.
    pub source: Source,
    /// Short ref name.
    pub ref_name: &'a str,
    /// Branch or tag.
    pub ref_kind: RefKind,
    /// Of an annotated tag.
    pub tag_message: Option<&'a str>,
    /// The ref is protected.
    pub is_protected: bool,
    /// The commit.
    pub commit: &'a Commit,
    /// Where the ref stood before the push.
    pub before_sha: Option<&'a CommitSha>,
    /// Short token of the trigger.
    pub trigger_short_token: Option<&'a str>,
    /// Of the schedule that started it.
    pub schedule_description: Option<&'a str>,
    /// Whom the run impersonates.
    pub user: Option<&'a User>,
    /// Of a run of a pull request.
    pub pull_request: Option<PullRequestFacts<'a>>,
}

/// GitLab caps `CI_COMMIT_MESSAGE` here.
const MESSAGE_LIMIT_BYTES: usize = 100_000;

/// Lower case, everything but `0-9a-z` becomes `-`, at most 63 bytes, no `-` at
/// the ends (GitLab: `Gitlab::Utils.slugify`).
pub fn slug(text: &str) -> String {
    let mut slug: String = text
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '-'
            }
        })
        .collect();
    slug.truncate(63);
    slug.trim_matches('-').to_owned()
}

/// A text cut to at most `limit` bytes at a character border.
fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Variables of the run that rules may look at.
pub fn of_run(config: &Config, facts: &RunFacts<'_>) -> Vec<Variable> {
    let mut list = List::default();
    let project = facts.project;
    let commit = facts.commit;
    list.add("CI", "true");
    list.add("GITLAB_CI", "true");
    server(&mut list, config);
    list.add("CI_PIPELINE_SOURCE", facts.source.as_str());
    if let Some(short) = facts.trigger_short_token {
        list.add("CI_PIPELINE_TRIGGERED", "true");
        list.add("CI_TRIGGER_SHORT_TOKEN", short);
    }
    if let Some(description) = facts.schedule_description {
        list.raw("CI_PIPELINE_SCHEDULE_DESCRIPTION", description);
    }
    list.add("CI_COMMIT_SHA", commit.sha.as_str());
    list.add("CI_COMMIT_SHORT_SHA", commit.sha.short());
    let before = facts.before_sha.map_or(CommitSha::ZERO, CommitSha::as_str);
    list.add("CI_COMMIT_BEFORE_SHA", before);
    let ref_name = facts.pull_request.map_or(facts.ref_name, |facts| {
        facts.pull_request.head_branch.as_str()
    });
    list.raw("CI_COMMIT_REF_NAME", ref_name);
    list.add("CI_COMMIT_REF_SLUG", &slug(ref_name));
    list.add("CI_COMMIT_REF_PROTECTED", truth(facts.is_protected));
    match facts.ref_kind {
        RefKind::Branch => list.raw("CI_COMMIT_BRANCH", facts.ref_name),
        RefKind::Tag => {
            list.raw("CI_COMMIT_TAG", facts.ref_name);
            list.raw("CI_COMMIT_TAG_MESSAGE", facts.tag_message.unwrap_or(""));
        }
        RefKind::Commit | RefKind::PullRequest => {}
    }
    list.raw(
        "CI_COMMIT_MESSAGE",
        cut(&commit.message, MESSAGE_LIMIT_BYTES),
    );
    list.raw("CI_COMMIT_TITLE", commit.title());
    list.raw("CI_COMMIT_DESCRIPTION", commit.description());
    list.raw(
        "CI_COMMIT_AUTHOR",
        &format!("{} <{}>", commit.author_name, commit.author_email),
    );
    list.add(
        "CI_COMMIT_TIMESTAMP",
        &commit.committed_at.to_seconds_text(),
    );
    list.raw("CI_DEFAULT_BRANCH", facts.default_branch);
    list.raw("CI_CONFIG_PATH", &project.ci_config_path);

    let (namespace, name) = project.path.rsplit_once('/').unwrap_or(("", &project.path));
    list.add("CI_PROJECT_ID", &project.id.to_string());
    list.raw("CI_PROJECT_NAME", name);
    list.raw("CI_PROJECT_TITLE", &project.name);
    list.raw("CI_PROJECT_NAMESPACE", namespace);
    list.raw(
        "CI_PROJECT_ROOT_NAMESPACE",
        namespace.split('/').next().unwrap_or(""),
    );
    list.raw("CI_PROJECT_PATH", &project.path);
    list.add("CI_PROJECT_PATH_SLUG", &slug(&project.path));
    list.add("CI_PROJECT_URL", &config.url(&format!("/{}", project.path)));
    list.add("CI_PROJECT_VISIBILITY", &project.visibility);
    // Projects have no topics here.
    list.add("CI_PROJECT_TOPICS", "");
    if let Some(user) = facts.user {
        list.add("GITLAB_USER_ID", &user.id.to_string());
        list.raw("GITLAB_USER_LOGIN", &user.username);
        list.raw("GITLAB_USER_NAME", &user.name);
        list.raw("GITLAB_USER_EMAIL", &user.email);
    }
    if let Some(facts) = facts.pull_request {
        list.0
            .extend(of_pull_request(config, project, &commit.sha, facts));
    }
    list.0
}

fn truth(is_so: bool) -> &'static str {
    if is_so { "true" } else { "false" }
}

fn server(list: &mut List, config: &Config) {
    let address = config.url("");
    list.add("CI_SERVER_URL", &address);
    list.add("CI_API_V4_URL", &config.url("/api/v4"));
    if let Ok(url) = url::Url::parse(&address) {
        let host = url.host_str().unwrap_or("localhost");
        let port = url.port_or_known_default().unwrap_or(80);
        list.add("CI_SERVER_HOST", host);
        list.add("CI_SERVER_PORT", &port.to_string());
        list.add("CI_SERVER_PROTOCOL", url.scheme());
        let fqdn = if url.port().is_some() {
            format!("{host}:{port}")
        } else {
            host.to_owned()
        };
        list.add("CI_SERVER_FQDN", &fqdn);
    }
    list.add("CI_SERVER_NAME", "Tappet");
    list.add("CI_SERVER_VERSION", crate::version::GITLAB_VERSION);
    list.add("CI_SERVER_VERSION_MAJOR", "18");
    list.add("CI_SERVER_VERSION_MINOR", "9");
    list.add("CI_SERVER_VERSION_PATCH", "0");
    list.add("CI_SERVER_REVISION", crate::version::TAPPET_VERSION);
}

/// A variable that is predefined for a job whose rules are decided; the job
/// itself gets the same by [`of_job`].
pub fn of_planned_job(job: &AskingJob<'_>, name: &str) -> Option<Variable> {
    let value = match name {
        "CI_JOB_NAME" | "CI_JOB_GROUP_NAME" => job.name.to_owned(),
        "CI_JOB_NAME_SLUG" => slug(job.name),
        "CI_JOB_STAGE" => job.stage.to_owned(),
        "CI_NODE_TOTAL" => "1".to_owned(),
        "CI_PIPELINE_NAME" => job.pipeline_name?.to_owned(),
        _ => {
            let variables = environment::predefined(job.environment?);
            return variables.into_iter().find(|variable| variable.key == name);
        }
    };
    Some(Variable {
        raw: true,
        ..Variable::new(name, value)
    })
}

/// What is known only when a job is handed out.
pub struct JobFacts<'a> {
    /// The run.
    pub run: &'a Run,
    /// The attempt.
    pub attempt: &'a Attempt,
    /// The project.
    pub project: &'a Project,
    /// Job token.
    pub token: &'a str,
    /// Address of the repository for the runner.
    pub repository_url: &'a str,
    /// Time limit in seconds.
    pub timeout_s: u64,
    /// The runner's id and description.
    pub runner: &'a tappet_store::Runner,
    /// The job waited for a person.
    pub manual: bool,
}

/// Variables that exist only inside the job.
pub fn of_job(config: &Config, facts: &JobFacts<'_>) -> Vec<Variable> {
    let mut list = List::default();
    let JobFacts {
        run,
        attempt,
        project,
        ..
    } = facts;
    list.add("CI_PIPELINE_ID", &run.id.to_string());
    list.add("CI_PIPELINE_IID", &run.iid.to_string());
    list.add(
        "CI_PIPELINE_URL",
        &config.url(&format!("/{}/-/pipelines/{}", project.path, run.id)),
    );
    list.add("CI_PIPELINE_CREATED_AT", &run.created_at.to_seconds_text());
    if let Some(name) = &run.name {
        list.raw("CI_PIPELINE_NAME", name);
    }
    list.add("CI_JOB_ID", &attempt.id.to_string());
    list.raw("CI_JOB_NAME", &attempt.name);
    list.add("CI_JOB_NAME_SLUG", &slug(&attempt.name));
    list.raw("CI_JOB_GROUP_NAME", &attempt.name);
    list.raw("CI_JOB_STAGE", &attempt.stage);
    list.add(
        "CI_JOB_URL",
        &config.url(&format!("/{}/-/jobs/{}", project.path, attempt.id)),
    );
    list.add("CI_JOB_TIMEOUT", &facts.timeout_s.to_string());
    if let Some(started_at) = attempt.started_at {
        list.add("CI_JOB_STARTED_AT", &started_at.to_seconds_text());
    }
    if facts.manual {
        list.add("CI_JOB_MANUAL", "true");
    }
    list.add("CI_NODE_TOTAL", "1");
    let environment = attempt.environment.as_ref();
    list.0
        .extend(environment.into_iter().flat_map(environment::predefined));
    list.add("CI_RUNNER_ID", &facts.runner.id.to_string());
    list.raw("CI_RUNNER_DESCRIPTION", &facts.runner.description);
    let tags = serde_json::to_string(&facts.runner.tags).unwrap_or_default();
    list.raw("CI_RUNNER_TAGS", &tags);
    list.0.push(Variable::secret("CI_JOB_TOKEN", facts.token));
    list.raw("CI_REPOSITORY_URL", facts.repository_url);
    // gitlab-python-runner runs the steps it is sent only with this.
    list.add("GITLAB_PYTHON_RUNNER_COMPUTED", "true");
    list.0
}

/// The short token of a trigger as it is shown.
pub fn short_token(trigger: Option<&Trigger>) -> Option<&str> {
    trigger.map(|trigger| trigger.short_token.as_str())
}

/// Names that belong to the runner, to ids and to tokens: a caller's variable
/// of this name is left out, since it would break the job or its fence.
pub fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "CI_PROJECT_DIR"
            | "CI_BUILDS_DIR"
            | "CI_CONCURRENT_ID"
            | "CI_CONCURRENT_PROJECT_ID"
            | "CI_SERVER"
            | "CI_JOB_ID"
            | "CI_JOB_TOKEN"
            | "CI_JOB_STATUS"
            | "CI_PIPELINE_ID"
            | "CI_PIPELINE_IID"
            | "CI_PROJECT_ID"
            | "CI_REPOSITORY_URL"
            | "CI_RUNNER_ID"
            | "CI_RUNNER_SHORT_TOKEN"
            | "CI_RUNNER_VERSION"
            | "CI_RUNNER_REVISION"
            | "CI_RUNNER_EXECUTABLE_ARCH"
            | "CI_SHARED_ENVIRONMENT"
            | "CI_DISPOSABLE_ENVIRONMENT"
            | "GITLAB_ENV"
            | "RUNNER_TEMP_PROJECT_DIR"
            | "TAPPET_ATTEMPT_MARK"
    )
}

/// Variables in the making.
#[derive(Default)]
pub(super) struct List(pub(super) Vec<Variable>);

impl List {
    pub(super) fn add(&mut self, key: &str, value: &str) {
        self.0.push(Variable::new(key, value));
    }

    /// Texts from outside: a `$` in them is theirs.
    pub(super) fn raw(&mut self, key: &str, value: &str) {
        self.0.push(Variable {
            raw: true,
            ..Variable::new(key, value)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Feature/Über_X", "feature--ber-x")]
    #[case("-a-", "a")]
    #[case("v1.2.3", "v1-2-3")]
    #[case("$(id)", "id")]
    fn slugs(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(slug(name), expected);
    }

    #[rstest]
    #[case("CI_JOB_NAME", Some("unit: api"))]
    #[case("CI_JOB_GROUP_NAME", Some("unit: api"))]
    #[case("CI_JOB_NAME_SLUG", Some("unit--api"))]
    #[case("CI_JOB_STAGE", Some("test"))]
    #[case("CI_NODE_TOTAL", Some("1"))]
    #[case("CI_PIPELINE_NAME", None)]
    #[case("CI_JOB_ID", None)]
    fn rules_know_the_job(#[case] name: &str, #[case] expected: Option<&str>) {
        let job = AskingJob {
            name: "unit: api",
            stage: "test",
            pipeline_name: None,
            environment: None,
        };
        let value = of_planned_job(&job, name).map(|variable| variable.value);
        assert_eq!(value.as_deref(), expected);
    }

    #[test]
    fn slugs_have_at_most_63_bytes() {
        assert_eq!(slug(&"x".repeat(200)).len(), 63);
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("ab", 9), "ab");
    }

    #[test]
    fn tokens_and_paths_cannot_be_overridden_but_the_rest_can() {
        assert!(is_reserved("CI_JOB_TOKEN"));
        assert!(is_reserved("CI_PROJECT_DIR"));
        assert!(!is_reserved("CI_COMMIT_REF_NAME"));
        assert!(!is_reserved("CI_DEBUG_TRACE"));
    }
}
