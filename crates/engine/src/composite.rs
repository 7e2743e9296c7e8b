//! One status for several jobs: of a stage, of a run, or of what a job waits
//! for. A pure function of the set of statuses, so order and number of jobs
//! never matter.
//!
//! Source of the rules: GitLab `lib/gitlab/ci/status/composite.rb`.

use tappet_model::Status;

/// The distinct statuses of some jobs, newest attempts only, after the two
/// mappings that `allow_failure` brings: a failed or canceled job counts as
/// success with warnings, a manual job is ignored.
///
/// Collect it from `(status, allow_failure)` pairs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct StatusSet(u16);

/// A success with warnings; the statuses themselves take the bits below.
const WARNING: u16 = 1 << 13;
/// A manual job that nobody has to start.
const IGNORED: u16 = 1 << 14;

impl StatusSet {
    /// Counts one job in. `allow_failure` tells whether this job, as it ended,
    /// may fail (see [`is_allowed_failure`](crate::is_allowed_failure)).
    pub fn insert(&mut self, status: Status, allow_failure: bool) {
        self.0 |= match status {
            Status::Failed | Status::Canceled if allow_failure => WARNING,
            Status::Manual if allow_failure => IGNORED,
            _ => bit(status),
        };
    }

    /// The set of the jobs of both.
    #[must_use]
    pub fn union(self, other: StatusSet) -> StatusSet {
        StatusSet(self.0 | other.0)
    }

    /// Some job failed or was canceled and was allowed to.
    pub fn has_warnings(self) -> bool {
        self.any(WARNING)
    }

    /// The composite status; `None` for no jobs, which callers take as success.
    /// `dag`: the jobs are the needs of one job, where a need that will not run
    /// by itself makes the whole `skipped`.
    pub fn status(self, dag: bool) -> Option<Status> {
        use Status::{
            Canceled, Canceling, Created, Failed, Manual, Pending, Preparing, Running, Scheduled,
            Skipped, Success, WaitingForCallback, WaitingForResource,
        };

        const PASSED: u16 = WARNING | IGNORED;
        let has = |status| self.any(bit(status));

        let status = if self.0 == 0 {
            return None;
        } else if dag && self.any(bit(Skipped) | IGNORED) || self.only(bit(Skipped) | IGNORED) {
            Skipped
        } else if self.only(bit(Success) | bit(Skipped) | PASSED) {
            Success
        } else if self.only(bit(Created) | PASSED) {
            Created
        } else if self.only(bit(Preparing) | PASSED) {
            Preparing
        } else if self.only(bit(Canceled) | bit(Success) | bit(Skipped) | PASSED) {
            Canceled
        } else if self.only(bit(Pending) | bit(Created) | bit(Skipped) | PASSED) {
            Pending
        } else if has(Running) || has(Pending) {
            Running
        } else if has(WaitingForResource) {
            WaitingForResource
        } else if has(WaitingForCallback) {
            WaitingForCallback
        } else if has(Manual) {
            Manual
        } else if has(Scheduled) {
            Scheduled
        } else if has(Preparing) {
            Preparing
        } else if has(Created) {
            Running
        } else if has(Canceling) {
            Canceling
        } else {
            Failed
        };
        Some(status)
    }

    fn any(self, bits: u16) -> bool {
        self.0 & bits != 0
    }

    fn only(self, bits: u16) -> bool {
        self.0 & !bits == 0
    }
}

impl FromIterator<(Status, bool)> for StatusSet {
    fn from_iter<T: IntoIterator<Item = (Status, bool)>>(jobs: T) -> Self {
        let mut set = StatusSet::default();
        for (status, allow_failure) in jobs {
            set.insert(status, allow_failure);
        }
        set
    }
}

/// The composite status of jobs given as `(status, allow_failure)`; see
/// [`StatusSet::status`].
pub fn composite(jobs: impl Iterator<Item = (Status, bool)>, dag: bool) -> Option<Status> {
    jobs.collect::<StatusSet>().status(dag)
}

/// Whether jobs given as `(status, allow_failure)` include an allowed failure;
/// a success among such jobs is shown as "passed with warnings".
pub fn has_warnings(jobs: impl Iterator<Item = (Status, bool)>) -> bool {
    jobs.collect::<StatusSet>().has_warnings()
}

fn bit(status: Status) -> u16 {
    1 << status as u16
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::Status::{self, *};

    use super::*;

    const STRICT: bool = false;
    const ALLOWED: bool = true;

    #[rstest]
    #[case::no_jobs(&[], None)]
    #[case::only_skipped(&[(Skipped, STRICT)], Some(Skipped))]
    #[case::only_ignored(&[(Manual, ALLOWED)], Some(Skipped))]
    #[case::skipped_and_ignored(&[(Skipped, STRICT), (Manual, ALLOWED)], Some(Skipped))]
    #[case::success(&[(Success, STRICT)], Some(Success))]
    #[case::success_and_skipped(&[(Success, STRICT), (Skipped, STRICT)], Some(Success))]
    #[case::only_a_warning(&[(Failed, ALLOWED)], Some(Success))]
    #[case::allowed_cancel(&[(Canceled, ALLOWED), (Manual, ALLOWED)], Some(Success))]
    #[case::created(&[(Created, STRICT), (Failed, ALLOWED), (Manual, ALLOWED)], Some(Created))]
    #[case::preparing(&[(Preparing, STRICT), (Failed, ALLOWED)], Some(Preparing))]
    #[case::canceled(&[(Canceled, STRICT), (Success, STRICT), (Skipped, STRICT)], Some(Canceled))]
    #[case::pending(&[(Pending, STRICT), (Created, STRICT), (Skipped, STRICT)], Some(Pending))]
    #[case::pending_after_warning(&[(Pending, STRICT), (Failed, ALLOWED)], Some(Pending))]
    #[case::pending_after_success(&[(Pending, STRICT), (Success, STRICT)], Some(Running))]
    #[case::running_hides_a_failure(&[(Running, STRICT), (Failed, STRICT)], Some(Running))]
    #[case::resource(&[(WaitingForResource, STRICT), (Manual, STRICT)], Some(WaitingForResource))]
    #[case::callback(&[(WaitingForCallback, STRICT), (Manual, STRICT)], Some(WaitingForCallback))]
    #[case::blocking_manual(&[(Manual, STRICT), (Scheduled, STRICT), (Success, STRICT)], Some(Manual))]
    #[case::scheduled(&[(Scheduled, STRICT), (Preparing, STRICT)], Some(Scheduled))]
    #[case::preparing_among_others(&[(Preparing, STRICT), (Success, STRICT)], Some(Preparing))]
    #[case::created_among_others(&[(Created, STRICT), (Success, STRICT)], Some(Running))]
    #[case::canceling(&[(Canceling, STRICT), (Failed, STRICT)], Some(Canceling))]
    #[case::failed(&[(Failed, STRICT), (Success, STRICT)], Some(Failed))]
    #[case::failed_beats_canceled(&[(Failed, STRICT), (Canceled, STRICT)], Some(Failed))]
    fn first_matching_row_gives_the_status(
        #[case] jobs: &[(Status, bool)],
        #[case] expected: Option<Status>,
    ) {
        assert_eq!(composite(jobs.iter().copied(), false), expected);
        assert_eq!(
            composite(jobs.iter().rev().copied(), false),
            expected,
            "the order of the jobs must not matter"
        );
    }

    #[rstest]
    #[case::no_needs(&[], None)]
    #[case::one_skipped(&[(Skipped, STRICT), (Running, STRICT)], Some(Skipped))]
    #[case::one_not_played(&[(Manual, ALLOWED), (Success, STRICT)], Some(Skipped))]
    #[case::blocking_manual(&[(Manual, STRICT), (Success, STRICT)], Some(Manual))]
    #[case::all_done(&[(Success, STRICT), (Failed, ALLOWED)], Some(Success))]
    fn a_need_that_will_not_run_makes_needs_skipped(
        #[case] jobs: &[(Status, bool)],
        #[case] expected: Option<Status>,
    ) {
        assert_eq!(composite(jobs.iter().copied(), true), expected);
    }

    #[test]
    fn every_status_alone_is_its_own_composite() {
        for status in Status::ALL {
            assert_eq!(
                composite([(status, STRICT)].into_iter(), false),
                Some(status)
            );
        }
    }

    #[rstest]
    #[case::allowed_failure(Failed, ALLOWED, true)]
    #[case::allowed_cancel(Canceled, ALLOWED, true)]
    #[case::failure(Failed, STRICT, false)]
    #[case::optional_success(Success, ALLOWED, false)]
    #[case::not_played(Manual, ALLOWED, false)]
    fn warnings_are_allowed_failures_and_cancels(
        #[case] status: Status,
        #[case] allow_failure: bool,
        #[case] expected: bool,
    ) {
        let jobs = [(Success, STRICT), (status, allow_failure)];
        assert_eq!(has_warnings(jobs.into_iter()), expected);
    }
}
