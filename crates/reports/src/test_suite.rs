//! Test results as they are counted and shown
//! (GitLab: `lib/gitlab/ci/reports/test_suite.rb`, `test_case.rb`).

use std::collections::HashMap;
use std::ops::AddAssign;

use serde::Serialize;

/// How a test ended, in the order in which results are listed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It could not be carried out.
    Error,
    /// It found something wrong.
    Failed,
    /// All is well.
    Success,
    /// It was left out.
    Skipped,
}

/// One test.
#[derive(Clone, PartialEq, Debug)]
pub struct TestCase {
    /// How it ended.
    pub outcome: Outcome,
    /// The job that ran it, as the caller numbers them.
    pub job_id: i64,
    /// The suite in the file that holds it, else the job's.
    pub suite_name: String,
    /// As written.
    pub name: Option<String>,
    /// As written.
    pub classname: Option<String>,
    /// As written.
    pub file: Option<String>,
    /// Seconds.
    pub execution_time: f64,
    /// What went wrong, with the test's own output.
    pub system_output: Option<String>,
    /// A path inside the job's artifacts.
    pub attachment: Option<String>,
}

/// How many tests ended how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Passed.
    pub success: u64,
    /// Failed.
    pub failed: u64,
    /// Left out.
    pub skipped: u64,
    /// Not carried out.
    pub error: u64,
}

impl Counts {
    /// All of them.
    pub fn total(self) -> u64 {
        self.success + self.failed + self.skipped + self.error
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.success += other.success;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.error += other.error;
    }
}

/// The results of one or more jobs of the same name.
#[derive(Clone, PartialEq, Debug)]
pub struct TestSuite {
    name: String,
    total_time: f64,
    error: Option<String>,
    cases: Vec<TestCase>,
    places: HashMap<(Outcome, String), usize>,
}

impl TestSuite {
    /// A suite without results; `name` as [`suite_name`](crate::suite_name()) says.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            total_time: 0.0,
            error: None,
            cases: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a result. One of the same suite, class, name and outcome replaces the
    /// earlier one, but its time counts, too.
    pub fn add(&mut self, case: TestCase) {
        self.total_time += case.execution_time;
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let key = format!(
            "{}_{}_{}",
            case.suite_name,
            part(&case.classname),
            part(&case.name)
        );
        match self.places.entry((case.outcome, key)) {
            std::collections::hash_map::Entry::Occupied(known) => self.cases[*known.get()] = case,
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(self.cases.len());
                self.cases.push(case);
            }
        }
    }

    /// Says that a file could not be read; from then on the suite counts nothing.
    pub fn fail(&mut self, error: String) {
        self.error = Some(error);
    }

    /// Why a file could not be read.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Seconds of all results.
    pub fn total_time(&self) -> f64 {
        self.total_time
    }

    /// Zero when a file could not be read.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for case in self.cases() {
            *match case.outcome {
                Outcome::Error => &mut counts.error,
                Outcome::Failed => &mut counts.failed,
                Outcome::Success => &mut counts.success,
                Outcome::Skipped => &mut counts.skipped,
            } += 1;
        }
        counts
    }

    /// The results: those that need attention first, then the slowest first.
    /// None when a file could not be read.
    pub fn sorted_cases(&self) -> Vec<&TestCase> {
        let mut cases: Vec<&TestCase> = self.cases().iter().collect();
        cases.sort_by(|a, b| {
            let by_outcome = a.outcome.cmp(&b.outcome);
            by_outcome.then_with(|| b.execution_time.total_cmp(&a.execution_time))
        });
        cases
    }

    fn cases(&self) -> &[TestCase] {
        match self.error {
            Some(_) => &[],
            None => &self.cases,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(outcome: Outcome, name: &str, execution_time: f64) -> TestCase {
        TestCase {
            outcome,
            job_id: 7,
            suite_name: "rspec".into(),
            name: Some(name.into()),
            classname: None,
            file: None,
            execution_time,
            system_output: None,
            attachment: None,
        }
    }

    #[test]
    fn the_same_test_again_counts_once_with_both_times() {
        let mut suite = TestSuite::new("rspec");
        suite.add(case(Outcome::Failed, "a", 1.0));
        suite.add(case(Outcome::Failed, "a", 2.0));
        suite.add(case(Outcome::Success, "a", 4.0));
        assert_eq!(
            suite.counts(),
            Counts {
                failed: 1,
                success: 1,
                ..Counts::default()
            }
        );
        assert_eq!(suite.total_time(), 7.0);
    }

    #[test]
    fn trouble_comes_first_and_the_slowest_before_the_others() {
        let mut suite = TestSuite::new("rspec");
        for (outcome, name, time) in [
            (Outcome::Skipped, "left out", 9.0),
            (Outcome::Success, "quick", 1.0),
            (Outcome::Success, "slow", 2.0),
            (Outcome::Failed, "wrong", 0.1),
            (Outcome::Error, "broken", 0.0),
        ] {
            suite.add(case(outcome, name, time));
        }
        let names: Vec<_> = suite
            .sorted_cases()
            .iter()
            .filter_map(|case| case.name.clone())
            .collect();
        assert_eq!(names, ["broken", "wrong", "slow", "quick", "left out"]);
    }

    #[test]
    fn a_suite_that_could_not_be_read_counts_nothing() {
        let mut suite = TestSuite::new("rspec");
        suite.add(case(Outcome::Failed, "a", 1.0));
        suite.fail("broken".into());
        assert_eq!(suite.counts(), Counts::default());
        assert!(suite.sorted_cases().is_empty());
    }
}
