//! What a person may do in a project: every decision about rights, for the API,
//! the pages and the runs that start on somebody's behalf (GitLab:
//! `app/policies/project_policy.rb`, `app/policies/ci/*_policy.rb`).
//!
//! [`App::standing`] reads who somebody is in a project; [`Standing::may`] decides
//! from that and the project alone.

mod groups;
mod protection;

use tappet_model::UserId;
use tappet_store::{
    Attempt, BuildsAccess, Project, ProtectedRef, Run, StoreResult, User, VariablesRole, Viewer,
};

use crate::app::App;
use crate::clock;

pub use groups::{GroupStanding, group_standing};
pub use protection::{is_open, matches_pattern};

/// What a member of a project is, the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// Looks at what is public inside the project.
    Guest,
    /// Reads everything.
    Reporter,
    /// Starts, retries and cancels pipelines.
    Developer,
    /// Manages triggers, variables and settings.
    Maintainer,
    /// Does everything.
    Owner,
}

impl Role {
    /// All of them, the weakest first.
    pub const ALL: [Role; 5] = [
        Role::Guest,
        Role::Reporter,
        Role::Developer,
        Role::Maintainer,
        Role::Owner,
    ];

    /// GitLab's access level number.
    pub fn level(self) -> u32 {
        match self {
            Role::Guest => 10,
            Role::Reporter => 20,
            Role::Developer => 30,
            Role::Maintainer => 40,
            Role::Owner => 50,
        }
    }

    /// The role with this number.
    pub fn of_level(level: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.level() == level)
    }
}

/// What somebody wants to do in a project.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Right {
    /// See that it exists.
    ReadProject,
    /// See pipelines and their reports.
    ReadPipelines,
    /// See jobs, logs and artifacts.
    ReadJobs,
    /// See values that belong to runs of others, and logs with debug output.
    ReadPipelineVariables,
    /// See branches, tags and commits.
    ReadRepository,
    /// Start runs.
    RunPipelines,
    /// Give a run variables.
    SetPipelineVariables,
    /// Cancel, retry and play.
    SteerPipelines,
    /// Remove runs for good.
    DeletePipelines,
    /// Check pipeline files against the project.
    LintPipelines,
    /// Read and set commit statuses.
    SetCommitStatus,
    /// Remove log and artifacts of any job.
    EraseJobs,
    /// Remove artifacts only.
    DeleteArtifacts,
    /// Have schedules of one's own.
    OwnSchedules,
    /// Take over and remove schedules of others.
    ManageSchedules,
    /// Trigger tokens.
    ManageTriggers,
    /// Variables in settings.
    ManageVariables,
    /// Protected branches and tags.
    ManageProtectedRefs,
    /// Webhooks.
    ManageHooks,
    /// See members.
    ReadMembers,
    /// Add, change and remove members.
    ManageMembers,
    /// Change settings.
    ManageProject,
    /// Read the audit log of the project.
    ReadAudit,
    /// Remove the project, change its visibility, archive it.
    AdministerProject,
}

/// Who somebody is in one project.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// The person; `None` is anybody.
    pub user_id: Option<UserId>,
    /// Instance administrators do everything.
    pub is_admin: bool,
    /// Blocked people do nothing.
    pub is_blocked: bool,
    /// External people see internal projects as members only.
    pub is_external: bool,
    /// As a member.
    pub role: Option<Role>,
}

impl Standing {
    /// Whether they may do something in this project.
    pub fn may(&self, right: Right, project: &Project) -> bool {
        if self.is_blocked || !self.sees(project) {
            return false;
        }
        let settings = &project.settings;
        let builds = settings.builds_access != BuildsAccess::Disabled;
        let changes = !settings.is_archived;
        match right {
            Right::ReadProject => true,
            Right::ReadPipelines => builds && self.reads_pipelines(project),
            Right::ReadJobs => builds && self.reads_pipelines(project),
            Right::ReadPipelineVariables => builds && self.is(Role::Maintainer),
            Right::ReadRepository => project.visibility != "private" || self.is(Role::Reporter),
            Right::RunPipelines
            | Right::SteerPipelines
            | Right::LintPipelines
            | Right::OwnSchedules => builds && changes && self.is(Role::Developer),
            Right::SetPipelineVariables => changes && self.sets_variables(settings.variables_role),
            Right::DeletePipelines => builds && changes && self.is(Role::Owner),
            Right::SetCommitStatus => builds && changes && self.is(Role::Developer),
            Right::EraseJobs
            | Right::DeleteArtifacts
            | Right::ManageSchedules
            | Right::ManageTriggers
            | Right::ManageVariables => builds && changes && self.is(Role::Maintainer),
            Right::ManageProtectedRefs | Right::ManageHooks => changes && self.is(Role::Maintainer),
            Right::ReadMembers => self.user_id.is_some(),
            Right::ManageMembers | Right::ManageProject | Right::ReadAudit => {
                self.is(Role::Maintainer)
            }
            Right::AdministerProject => self.is(Role::Owner),
        }
    }

    /// Whether a ref that these rules protect is open to them: who may push or
    /// merge into a branch, or create a tag, may also run there.
    pub fn may_use(&self, protections: &[ProtectedRef]) -> bool {
        protections.is_empty()
            || self.is_admin
            || protections.iter().any(|rule| {
                [rule.push_level, rule.merge_level]
                    .into_iter()
                    .filter_map(Role::of_level)
                    .any(|role| self.is(role))
            })
    }

    /// Whether they have at least this role; administrators have every role.
    pub fn is(&self, role: Role) -> bool {
        self.is_admin || self.role.is_some_and(|own| own >= role)
    }

    /// The role that counts, for display.
    pub fn effective_role(&self) -> Option<Role> {
        if self.is_admin {
            Some(Role::Owner)
        } else {
            self.role
        }
    }

    fn sees(&self, project: &Project) -> bool {
        match project.visibility.as_str() {
            "public" => true,
            "internal" => self.user_id.is_some() && (!self.is_external || self.is(Role::Guest)),
            _ => self.is(Role::Guest),
        }
    }

    /// GitLab's table of visibility, `builds_access_level` and `public_builds`.
    fn reads_pipelines(&self, project: &Project) -> bool {
        if self.is(Role::Reporter) {
            return true;
        }
        let settings = &project.settings;
        let is_open = settings.builds_access == BuildsAccess::Enabled || self.is(Role::Guest);
        is_open && !settings.hides_pipelines
    }

    fn sets_variables(&self, needed: VariablesRole) -> bool {
        match needed {
            VariablesRole::Developer => self.is(Role::Developer),
            VariablesRole::Maintainer => self.is(Role::Maintainer),
            VariablesRole::Owner => self.is(Role::Owner),
            VariablesRole::NoOneAllowed => false,
        }
    }
}

/// Values that a run was started with are for maintainers, and for developers who
/// started it.
pub fn reads_run_values(standing: &Standing, project: &Project, run: &Run) -> bool {
    let started_it = run.user_id.is_some() && standing.user_id == run.user_id;
    standing.may(Right::ReadPipelineVariables, project)
        || (started_it && standing.may(Right::RunPipelines, project))
}

/// A log with debug output shows every variable, so it is for developers
/// (GitLab: `app/policies/ci/build_policy.rb`).
pub fn reads_log(standing: &Standing, project: &Project, attempt: &Attempt) -> bool {
    let is_open = !attempt.is_debugged || standing.is(Role::Developer);
    is_open && standing.may(Right::ReadJobs, project)
}

/// For whom projects are listed.
pub fn viewer(user: Option<&User>) -> Viewer {
    match user {
        None => Viewer::Anybody,
        Some(user) if user.is_admin => Viewer::Everything,
        Some(user) => Viewer::Person {
            id: user.id,
            is_external: user.is_external,
        },
    }
}

/// Whether a user may create projects.
pub fn can_create_project(user: &User) -> bool {
    user.is_admin
}

impl App {
    /// Who somebody is in a project.
    pub async fn standing(&self, user: Option<&User>, project: &Project) -> StoreResult<Standing> {
        let Some(user) = user else {
            return Ok(Standing::default());
        };
        let member = self
            .store
            .membership(project.id, user.id, clock::now())
            .await?;
        Ok(Standing {
            user_id: Some(user.id),
            is_admin: user.is_admin,
            is_blocked: user.is_blocked,
            is_external: user.is_external,
            role: member.and_then(|member| Role::of_level(member.level)),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn project(visibility: &str) -> Project {
        Project {
            visibility: visibility.into(),
            ..Project::example("acme/web")
        }
    }

    fn member(role: Option<Role>) -> Standing {
        Standing {
            user_id: Some(UserId(7)),
            role,
            ..Standing::default()
        }
    }

    fn admin() -> Standing {
        Standing {
            is_admin: true,
            ..member(None)
        }
    }

    #[rstest]
    #[case("private", [false, false, true, true])]
    #[case("internal", [false, true, true, true])]
    #[case("public", [true, true, true, true])]
    fn visibility_decides_who_sees_a_project(
        #[case] visibility: &str,
        #[case] expected: [bool; 4],
    ) {
        let people = [
            Standing::default(),
            member(None),
            member(Some(Role::Guest)),
            admin(),
        ];
        let project = project(visibility);
        assert_eq!(
            people.map(|who| who.may(Right::ReadProject, &project)),
            expected
        );
    }

    #[rstest]
    // Anonymous, non-member, guest, reporter; GitLab's own table.
    #[case("private", BuildsAccess::Enabled, true, [false, false, true, true])]
    #[case("private", BuildsAccess::Enabled, false, [false, false, false, true])]
    #[case("internal", BuildsAccess::Enabled, true, [false, true, true, true])]
    #[case("internal", BuildsAccess::Enabled, false, [false, false, false, true])]
    #[case("internal", BuildsAccess::Private, true, [false, false, true, true])]
    #[case("internal", BuildsAccess::Private, false, [false, false, false, true])]
    #[case("public", BuildsAccess::Enabled, true, [true, true, true, true])]
    #[case("public", BuildsAccess::Enabled, false, [false, false, false, true])]
    #[case("public", BuildsAccess::Private, true, [false, false, true, true])]
    #[case("public", BuildsAccess::Private, false, [false, false, false, true])]
    #[case("public", BuildsAccess::Disabled, true, [false, false, false, false])]
    fn who_sees_pipelines(
        #[case] visibility: &str,
        #[case] access: BuildsAccess,
        #[case] is_public: bool,
        #[case] expected: [bool; 4],
    ) {
        let mut project = project(visibility);
        project.settings.builds_access = access;
        project.settings.hides_pipelines = !is_public;
        let people = [
            Standing::default(),
            member(None),
            member(Some(Role::Guest)),
            member(Some(Role::Reporter)),
        ];
        let seen = people.map(|who| who.may(Right::ReadPipelines, &project));
        assert_eq!(seen, expected);
    }

    #[rstest]
    #[case(Right::RunPipelines, Role::Developer)]
    #[case(Right::SteerPipelines, Role::Developer)]
    #[case(Right::SetPipelineVariables, Role::Maintainer)]
    #[case(Right::ManageTriggers, Role::Maintainer)]
    #[case(Right::ManageVariables, Role::Maintainer)]
    #[case(Right::DeletePipelines, Role::Owner)]
    #[case(Right::AdministerProject, Role::Owner)]
    fn each_right_begins_at_a_role(#[case] right: Right, #[case] first: Role) {
        let project = project("public");
        for role in Role::ALL {
            let may = member(Some(role)).may(right, &project);
            assert_eq!(may, role >= first, "{role:?}");
        }
        assert!(admin().may(right, &project));
        assert!(!Standing::default().may(right, &project));
    }

    #[test]
    fn a_blocked_user_does_nothing() {
        let mut owner = member(Some(Role::Owner));
        owner.is_blocked = true;
        assert!(!owner.may(Right::RunPipelines, &project("public")));
    }
}
