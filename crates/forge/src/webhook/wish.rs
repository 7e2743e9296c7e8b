//! Which events of a pull request ask for a run. Gates of the project (drafts, labels,
//! skip words, forks) are not looked at here.

use super::PullRequestAction;

/// What an event asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// A run of the newest commit.
    Run,
    /// The same, unless that commit has had one for this pull request and base.
    RunIfNew,
    /// The same as `Run` where a run has to wait for one of these labels; nothing elsewhere.
    RunIfLabelCounts(Vec<String>),
    /// Nothing.
    Nothing,
}

/// What an event asks for. GitHub runs workflows for `opened`, `synchronize` and
/// `reopened` when they name no types; beyond these, what was a draft or has another
/// base to be compared with is worth a run, too.
pub fn wish(action: &PullRequestAction) -> Wish {
    match action {
        PullRequestAction::Opened
        | PullRequestAction::Synchronize
        | PullRequestAction::Reopened
        | PullRequestAction::ReadyForReview
        | PullRequestAction::Edited { base_changed: true } => Wish::Run,
        PullRequestAction::Updated => Wish::RunIfNew,
        PullRequestAction::Labeled { added } => Wish::RunIfLabelCounts(added.clone()),
        PullRequestAction::Edited {
            base_changed: false,
        }
        | PullRequestAction::Unlabeled
        | PullRequestAction::ConvertedToDraft
        | PullRequestAction::Closed { .. }
        | PullRequestAction::Other(_) => Wish::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(PullRequestAction::Opened, Wish::Run)]
    #[case(PullRequestAction::Synchronize, Wish::Run)]
    #[case(PullRequestAction::Reopened, Wish::Run)]
    #[case(PullRequestAction::ReadyForReview, Wish::Run)]
    #[case(PullRequestAction::Edited { base_changed: true }, Wish::Run)]
    #[case(PullRequestAction::Edited { base_changed: false }, Wish::Nothing)]
    #[case(PullRequestAction::Updated, Wish::RunIfNew)]
    #[case(PullRequestAction::Labeled { added: vec!["ci".into()] }, Wish::RunIfLabelCounts(vec!["ci".into()]))]
    #[case(PullRequestAction::Unlabeled, Wish::Nothing)]
    #[case(PullRequestAction::ConvertedToDraft, Wish::Nothing)]
    #[case(PullRequestAction::Closed { merged: true }, Wish::Nothing)]
    #[case(PullRequestAction::Closed { merged: false }, Wish::Nothing)]
    #[case(PullRequestAction::Other("assigned".into()), Wish::Nothing)]
    fn asks_for(#[case] action: PullRequestAction, #[case] expected: Wish) {
        assert_eq!(wish(&action), expected);
    }
}
