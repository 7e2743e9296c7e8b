//! What the address of a page means. Addresses are GitLab's, since people know
//! them: `/acme/web/-/pipelines/7`, `/acme/web/-/jobs/15`.

use std::str::FromStr;

use percent_encoding::percent_decode_str;
use tappet_model::{AttemptId, CiConfigId, RunId};

/// An address below the server's path prefix.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    /// `/`.
    Home,
    /// `/projects`.
    Projects,
    /// `/-/sign_in`.
    SignIn,
    /// `/-/sign_in/TOKEN`.
    SignInLink {
        /// Good for one use.
        token: String,
    },
    /// `/-/sign_out`.
    SignOut,
    /// `/-/depot/login/ID`.
    DeviceLogin {
        /// Of the login that waits for an answer.
        id: String,
    },
    /// `/acme/web`.
    Project {
        /// Full path.
        path: String,
    },
    /// `/acme/web/-/…`, to look at.
    InProject {
        /// Full path.
        project: String,
        /// What of it.
        page: ProjectPage,
    },
    /// `/acme/web/-/…`, to POST to.
    Action {
        /// Full path.
        project: String,
        /// What to do.
        action: Action,
    },
    /// `/acme/web/-/settings/ci_configs…`, to POST a form to.
    CiConfigs {
        /// Full path.
        project: String,
        /// What to do.
        change: CiConfigChange,
    },
}

/// A page of a project.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProjectPage {
    /// `pipelines`.
    Pipelines,
    /// `pipelines/7`.
    Pipeline(RunId),
    /// `jobs/15`.
    Job(AttemptId),
    /// `settings/ci_cd`.
    CiSettings,
}

/// Something that a button does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// `pipelines/7/cancel`.
    CancelPipeline(RunId),
    /// `pipelines/7/retry`.
    RetryPipeline(RunId),
    /// `jobs/15/cancel`.
    CancelJob(AttemptId),
    /// `jobs/15/retry`.
    RetryJob(AttemptId),
    /// `jobs/15/play`.
    PlayJob(AttemptId),
    /// `pipelines/7/approve`.
    ApprovePipeline(RunId),
}

/// What a form of the settings does to CI configs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CiConfigChange {
    /// `settings/ci_configs`.
    Add,
    /// `settings/ci_configs/3`.
    Update(CiConfigId),
    /// `settings/ci_configs/3/remove`.
    Remove(CiConfigId),
}

impl Address {
    /// Reads a path as it was sent; names are percent-decoded once.
    pub fn parse(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        if let Some(rest) = path.strip_prefix("-/") {
            return Self::of_instance(rest);
        }
        match path.split_once("/-/") {
            Some((project, rest)) => Self::of_project(project_path(project)?, rest),
            None => match path {
                "" => Some(Self::Home),
                "projects" => Some(Self::Projects),
                _ => Some(Self::Project {
                    path: project_path(path)?,
                }),
            },
        }
    }

    fn of_instance(rest: &str) -> Option<Self> {
        match rest.split_once('/') {
            None if rest == "sign_in" => Some(Self::SignIn),
            None if rest == "sign_out" => Some(Self::SignOut),
            Some(("sign_in", token)) if !token.is_empty() => Some(Self::SignInLink {
                token: decode(token)?,
            }),
            Some(("depot", rest)) => Some(Self::DeviceLogin {
                id: decode(rest.strip_prefix("login/").filter(|id| !id.is_empty())?)?,
            }),
            _ => None,
        }
    }

    fn of_project(project: String, rest: &str) -> Option<Self> {
        let parts: Vec<&str> = rest.split('/').collect();
        let page = match parts.as_slice() {
            ["pipelines"] => ProjectPage::Pipelines,
            ["pipelines", id] => ProjectPage::Pipeline(number(id)?),
            ["jobs", id] => ProjectPage::Job(number(id)?),
            ["settings", "ci_cd"] => ProjectPage::CiSettings,
            ["settings", "ci_configs", rest @ ..] => {
                let change = ci_config_change(rest)?;
                return Some(Self::CiConfigs { project, change });
            }
            _ => {
                let action = match parts.as_slice() {
                    ["pipelines", id, "cancel"] => Action::CancelPipeline(number(id)?),
                    ["pipelines", id, "retry"] => Action::RetryPipeline(number(id)?),
                    ["jobs", id, "cancel"] => Action::CancelJob(number(id)?),
                    ["jobs", id, "retry"] => Action::RetryJob(number(id)?),
                    ["jobs", id, "play"] => Action::PlayJob(number(id)?),
                    ["pipelines", id, "approve"] => Action::ApprovePipeline(number(id)?),
                    _ => return None,
                };
                return Some(Self::Action { project, action });
            }
        };
        Some(Self::InProject { project, page })
    }
}

fn ci_config_change(rest: &[&str]) -> Option<CiConfigChange> {
    match rest {
        [] => Some(CiConfigChange::Add),
        [id] => Some(CiConfigChange::Update(number(id)?)),
        [id, "remove"] => Some(CiConfigChange::Remove(number(id)?)),
        _ => None,
    }
}

/// A project's path has a namespace, and its first segment belongs to no API.
fn project_path(raw: &str) -> Option<String> {
    let path = decode(raw)?;
    let (first, _) = path.split_once('/')?;
    let is_reserved = matches!(first, "api" | "ci" | "-" | "") || first.starts_with("depot.");
    (!is_reserved).then_some(path)
}

fn decode(raw: &str) -> Option<String> {
    percent_decode_str(raw)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// Digits only: no sign, no blanks.
fn number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn in_project(project: &str, page: ProjectPage) -> Option<Address> {
        Some(Address::InProject {
            project: project.into(),
            page,
        })
    }

    #[rstest]
    #[case("/", Some(Address::Home))]
    #[case("", Some(Address::Home))]
    #[case("/projects", Some(Address::Projects))]
    #[case("/projects/", Some(Address::Projects))]
    #[case("/-/sign_in", Some(Address::SignIn))]
    #[case("/-/sign_in/tpsi-x", Some(Address::SignInLink { token: "tpsi-x".into() }))]
    #[case("/-/sign_out", Some(Address::SignOut))]
    #[case("/acme/web", Some(Address::Project { path: "acme/web".into() }))]
    #[case("/acme/team/web/", Some(Address::Project { path: "acme/team/web".into() }))]
    #[case(
        "/acme/web/-/pipelines",
        in_project("acme/web", ProjectPage::Pipelines)
    )]
    #[case(
        "/a/b/c/-/pipelines/7",
        in_project("a/b/c", ProjectPage::Pipeline(RunId(7)))
    )]
    #[case(
        "/acme/web/-/jobs/15",
        in_project("acme/web", ProjectPage::Job(AttemptId(15)))
    )]
    #[case(
        "/acme/w%65b/-/jobs/15",
        in_project("acme/web", ProjectPage::Job(AttemptId(15)))
    )]
    #[case(
        "/acme/w%2565b/-/jobs/15",
        in_project("acme/w%65b", ProjectPage::Job(AttemptId(15)))
    )]
    #[case(
        "/acme/web/-/settings/ci_cd",
        in_project("acme/web", ProjectPage::CiSettings)
    )]
    #[case("/acme", None)]
    #[case("/acme/web/-/jobs/x", None)]
    #[case("/acme/web/-/jobs/-1", None)]
    #[case("/acme/web/-/jobs/+1", None)]
    #[case("/acme/web/-/jobs/99999999999999999999", None)]
    #[case("/acme/web/-/jobs/", None)]
    #[case("/acme/web/-/wiki", None)]
    #[case("/acme/%ff/-/pipelines", None)]
    #[case("/api/v4/x", None)]
    #[case("/ci/api/v1", None)]
    #[case("/depot.ci.v1.CIService/Run", None)]
    #[case("/-/nothing", None)]
    #[case("/-/sign_in/", Some(Address::SignIn))]
    #[case("//web/-/pipelines", None)]
    fn an_address_means_one_page(#[case] path: &str, #[case] expected: Option<Address>) {
        assert_eq!(Address::parse(path), expected);
    }

    #[rstest]
    #[case("", Some(CiConfigChange::Add))]
    #[case("/3", Some(CiConfigChange::Update(CiConfigId(3))))]
    #[case("/3/remove", Some(CiConfigChange::Remove(CiConfigId(3))))]
    #[case("/x", None)]
    #[case("/3/other", None)]
    fn forms_of_ci_configs_have_addresses(
        #[case] rest: &str,
        #[case] expected: Option<CiConfigChange>,
    ) {
        let expected = expected.map(|change| Address::CiConfigs {
            project: "acme/web".into(),
            change,
        });
        let path = format!("/acme/web/-/settings/ci_configs{rest}");
        assert_eq!(Address::parse(&path), expected);
    }

    #[rstest]
    #[case("pipelines/7/cancel", Action::CancelPipeline(RunId(7)))]
    #[case("pipelines/7/retry", Action::RetryPipeline(RunId(7)))]
    #[case("jobs/15/cancel", Action::CancelJob(AttemptId(15)))]
    #[case("jobs/15/retry", Action::RetryJob(AttemptId(15)))]
    #[case("jobs/15/play", Action::PlayJob(AttemptId(15)))]
    #[case("pipelines/7/approve", Action::ApprovePipeline(RunId(7)))]
    fn buttons_have_addresses_of_their_own(#[case] rest: &str, #[case] action: Action) {
        let expected = Address::Action {
            project: "acme/web".into(),
            action,
        };
        assert_eq!(
            Address::parse(&format!("/acme/web/-/{rest}")),
            Some(expected)
        );
    }
}
