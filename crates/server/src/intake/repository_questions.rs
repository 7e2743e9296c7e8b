//! What rules of a pipeline file ask of the repository. Planning neither waits nor
//! reads, so it is done again once a new question is answered; most files ask none.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use tappet_git::{Paths, ReadError, Repository};
use tappet_gitlab_ci::Changed;
use tappet_model::{CommitSha, RefName};
use tappet_store::Project;

use super::Refusal;
use super::refusal::unavailable;
use crate::app::App;

/// Something that a rule wants to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Question {
    /// What changed, against the commit of this name.
    Changed(Option<String>),
    /// Which files there are.
    Files,
}

/// The questions that came up for the first time.
#[derive(Default)]
pub(super) struct Questions(RefCell<Vec<Question>>);

/// What was answered already.
#[derive(Default)]
pub(super) struct Answers {
    changed: HashMap<Option<String>, Changed>,
    files: Option<Paths>,
}

impl Questions {
    /// The answer, or anything at all when it has to be found first.
    pub fn changed(&self, answers: &Answers, compare_to: Option<&str>) -> Changed {
        let compare_to = compare_to.map(str::to_owned);
        if let Some(answer) = answers.changed.get(&compare_to) {
            return answer.clone();
        }
        self.ask(Question::Changed(compare_to));
        Changed::Unknown
    }

    /// The same for the files.
    pub fn files(&self, answers: &Answers) -> Paths {
        if answers.files.is_none() {
            self.ask(Question::Files);
        }
        answers.files.clone().flatten()
    }

    fn ask(&self, question: Question) {
        let mut asked = self.0.borrow_mut();
        if !asked.contains(&question) {
            asked.push(question);
        }
    }

    /// All of them.
    pub fn into_inner(self) -> Vec<Question> {
        self.0.into_inner()
    }
}

/// Where answers come from.
pub(super) struct Asked<'a> {
    pub app: &'a App,
    pub project: &'a Project,
    pub repository: &'a Repository,
    /// The commit of the run.
    pub sha: &'a CommitSha,
    /// With which commit changes are told, when nothing else is named.
    pub compared_with: Option<&'a CommitSha>,
}

impl Asked<'_> {
    /// Answers a question for good.
    pub async fn answer(&self, question: Question, answers: &mut Answers) -> Result<(), Refusal> {
        match question {
            Question::Files => {
                let files = self.repository.all_paths(self.sha).await;
                answers.files = Some(files.map_err(unreadable)?);
            }
            Question::Changed(None) => {
                let changed = changed_since(self.repository, self.compared_with, self.sha).await?;
                answers.changed.insert(None, known(changed));
            }
            Question::Changed(Some(name)) => {
                let changed = self.changed_since_named(&name).await?;
                answers.changed.insert(Some(name), changed);
            }
        }
        Ok(())
    }

    /// Against the place where the run's commit and the named one parted (GitLab:
    /// `Ci::Pipeline#modified_paths_since`).
    async fn changed_since_named(&self, name: &str) -> Result<Changed, Refusal> {
        if let Ok(ref_name) = RefName::new(name) {
            let refreshed = self.app.repositories.refresh(self.project, &ref_name).await;
            refreshed.map_err(|error| unavailable(error.message))?;
        }
        let found = self.repository.find_commit(name).await;
        let Some(named) = found.map_err(unreadable)? else {
            return Ok(Changed::NoSuchRef);
        };
        let base = self.repository.merge_base(&named, self.sha).await;
        let base = base.map_err(unreadable)?;
        let changed = changed_since(self.repository, base.as_ref(), self.sha).await?;
        Ok(known(changed))
    }
}

/// The files that differ between the two commits; `None` when there is nothing to
/// compare with, or too much.
pub(super) async fn changed_since(
    repository: &Repository,
    from: Option<&CommitSha>,
    to: &CommitSha,
) -> Result<Paths, Refusal> {
    let Some(from) = from else {
        return Ok(None);
    };
    match repository.commit(from).await {
        Ok(_) => {}
        // A push may have left it behind.
        Err(ReadError::NoCommit { .. }) => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    }
    repository.changed_paths(from, to).await.map_err(unreadable)
}

fn known(paths: Option<Arc<[String]>>) -> Changed {
    paths.map_or(Changed::Unknown, Changed::Paths)
}

fn unreadable(error: ReadError) -> Refusal {
    unavailable(error.to_string())
}
