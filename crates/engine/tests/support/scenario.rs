//! Runs written as text. A graph is a list of jobs, `name@stage` followed by
//! words: a `when` (`manual` jobs may fail unless they are `blocking`),
//! `may_fail`, `may_fail(3)` for one exit code, `retry(2)`, `needs(a b)`, `group(0)`.
//! `cancel_on_failure`, `broken` and `held` in the list are about the run, `groups` tells
//! of each group in turn whether it is `fail_fast` and how many `max(2)` at a time.
//!
//! What happens is `verb job…`, where `success` and `drop` of a job that no
//! runner has yet let one take it first, `late_drop` does not, and `give_up`
//! fails it without a runner. `cancel_stage`, `retry_stage` and `rerun_stage` name a
//! stage, `release` and `give_up_run` are about a held run; `expand a b c` makes `a`, `b` and `c` of the waiting job `a`, in a new group
//! with the words after a `:`. Where that leads is `run status: job job status, job status`.

use std::collections::BTreeMap;

use tappet_engine::{
    Event, Graph, GraphJob, JobEvent, Refused, RunEvent, RunState, StageEvent, Transition,
};
use tappet_model::plan::{AllowFailure, JobGroup, RetryPolicy, When};
use tappet_model::{FailureReason, Status};

/// Stands in a list of jobs that may not start yet.
const HELD: &str = "held";

/// A run and everything that happened to it.
pub struct Scenario {
    names: Vec<String>,
    stages: Vec<String>,
    graph: Graph,
    state: RunState,
    last: Vec<Transition>,
}

impl Scenario {
    /// Starts a run of the described graph.
    pub fn start(description: &str) -> Self {
        let (names, stages, graph) = parse_graph(description);
        let is_held = description.split(';').any(|entry| entry.trim() == HELD);
        let (state, last) = if is_held {
            (RunState::held(&graph), Vec::new())
        } else {
            RunState::start(&graph)
        };
        Self {
            names,
            stages,
            graph,
            state,
            last,
        }
    }

    /// Lets something happen to each of the named jobs, or to the run.
    pub fn apply(&mut self, action: &str) -> Result<(), Refused> {
        let mut words = action.split_whitespace();
        let verb = words.next().expect("an action has a verb");
        self.last.clear();
        match verb {
            "cancel_run" => self.step(Event::Run(RunEvent::Cancel))?,
            "retry_run" => self.step(Event::Run(RunEvent::Retry))?,
            "release" => self.step(Event::Run(RunEvent::Release))?,
            "give_up_run" => self.step(Event::Run(RunEvent::GiveUp {
                reason: FailureReason::StuckOrTimeoutFailure,
            }))?,
            "cancel_stage" => self.apply_to_stage(words.next(), StageEvent::Cancel)?,
            "retry_stage" => self.apply_to_stage(words.next(), StageEvent::Retry)?,
            "rerun_stage" => self.apply_to_stage(words.next(), StageEvent::Rerun)?,
            "expand" => {
                let (names, group) = action.split_once(':').unwrap_or((action, ""));
                let names: Vec<&str> = names.split_whitespace().skip(1).collect();
                self.expand(&names, parse_group(group))?;
            }
            _ => {
                for name in words {
                    self.apply_to_job(verb, name)?;
                }
            }
        }
        Ok(())
    }

    /// Where the run stands, in the words that [`Scenario::expect`] compares.
    pub fn expect(&self, expected: &str) {
        let (run, jobs) = expected.split_once(':').expect("`run: jobs`");
        let mut wanted: BTreeMap<&str, &str> = BTreeMap::new();
        for group in jobs.split(',') {
            let (names, status) = group.trim().rsplit_once(' ').expect("`job… status`");
            wanted.extend(names.split(' ').map(|name| (name, status)));
        }
        let actual: BTreeMap<&str, &str> = self
            .names
            .iter()
            .zip(&self.state.jobs)
            .map(|(name, job)| (name.as_str(), job.status.as_str()))
            .collect();
        assert_eq!(
            (self.state.status.as_str(), actual),
            (run, wanted),
            "after {:?}",
            self.story()
        );
    }

    /// What the last action led to, in order: `job: from to`, `job #2: status`
    /// (`job #2 automatic: status`), `run: from to`.
    pub fn story(&self) -> Vec<String> {
        self.last
            .iter()
            .map(|transition| match transition {
                Transition::Job { job, from, to, .. } => {
                    format!("{}: {from} {to}", self.names[*job])
                }
                Transition::NewAttempt {
                    job,
                    number,
                    status,
                    automatic,
                } => {
                    let who = if *automatic { " automatic" } else { "" };
                    format!("{} #{number}{who}: {status}", self.names[*job])
                }
                Transition::Run { from, to } => format!("run: {from} {to}"),
            })
            .collect()
    }

    fn apply_to_stage(&mut self, name: Option<&str>, event: StageEvent) -> Result<(), Refused> {
        let stage = name.map(|name| {
            let position = self.stages.iter().position(|known| known == name);
            position.expect("the stage has jobs")
        });
        self.step(Event::Stage { stage, event })
    }

    fn expand(&mut self, names: &[&str], group: JobGroup) -> Result<(), Refused> {
        let job = self.names.iter().position(|name| name == names[0]);
        let job = job.expect("the job exists");
        let legs = vec![AllowFailure::No; names.len()];
        let graph = self.graph.expanded(job, legs, Some(group));
        self.last.extend(self.state.expand(&graph, job)?);
        self.graph = graph;
        self.names
            .extend(names[1..].iter().map(|&name| name.to_owned()));
        Ok(())
    }

    fn apply_to_job(&mut self, verb: &str, name: &str) -> Result<(), Refused> {
        let job = self
            .names
            .iter()
            .position(|known| known == name)
            .unwrap_or(usize::MAX);
        let takes_it_first = matches!(verb, "success" | "drop" | "drop(3)");
        if takes_it_first && self.state.jobs[job].status == Status::Pending {
            self.apply_to_job("run", name)?;
        }
        let event = match verb {
            "run" => JobEvent::Run {
                cancels_gracefully: false,
            },
            "run_gracefully" => JobEvent::Run {
                cancels_gracefully: true,
            },
            "success" => JobEvent::Success,
            "drop" => failure(FailureReason::ScriptFailure, Some(1)),
            "drop(3)" => failure(FailureReason::ScriptFailure, Some(3)),
            "late_drop" => failure(FailureReason::ScriptFailure, Some(1)),
            "misfit" => failure(FailureReason::ConfigError, None),
            "give_up" => failure(FailureReason::StuckOrTimeoutFailure, None),
            "cancel" => JobEvent::Cancel,
            "force_cancel" => JobEvent::ForceCancel,
            "play" => JobEvent::Play,
            "retry" => JobEvent::Retry,
            "skip" => JobEvent::Skip,
            "enqueue" => JobEvent::Enqueue,
            other => panic!("`{other}` is no verb"),
        };
        self.step(Event::Job { job, event })
    }

    fn step(&mut self, event: Event) -> Result<(), Refused> {
        self.last.extend(self.state.step(&self.graph, event)?);
        Ok(())
    }
}

fn failure(reason: FailureReason, exit_code: Option<i32>) -> JobEvent {
    JobEvent::Drop { reason, exit_code }
}

/// `fail_fast max(2)`.
fn parse_group(words: &str) -> JobGroup {
    JobGroup {
        fail_fast: words.contains("fail_fast"),
        max_parallel: argument(words, "max").map(|text| text.parse().expect("a number")),
    }
}

fn parse_graph(description: &str) -> (Vec<String>, Vec<String>, Graph) {
    let mut names: Vec<String> = Vec::new();
    let mut stages: Vec<&str> = Vec::new();
    let mut graph = Graph::default();
    let mut needs = Vec::new();
    for entry in description.split(';').map(str::trim) {
        if entry == "cancel_on_failure" {
            graph.cancel_on_job_failure = true;
            continue;
        }
        if entry == "broken" {
            graph.is_broken = true;
            continue;
        }
        if entry == HELD {
            continue;
        }
        if let Some(groups) = entry.strip_prefix("groups ") {
            graph.groups = groups.split(',').map(parse_group).collect();
            continue;
        }
        let (job, options) = entry.split_once(' ').unwrap_or((entry, ""));
        let (name, stage) = job.split_once('@').expect("`name@stage`");
        let stage = stages
            .iter()
            .position(|known| *known == stage)
            .unwrap_or_else(|| {
                stages.push(stage);
                stages.len() - 1
            });
        names.push(name.to_owned());
        needs.push(argument(options, "needs"));
        graph.jobs.push(parse_job(stage, options));
    }
    for (job, needs) in graph.jobs.iter_mut().zip(needs) {
        job.needs = needs.map(|needs| {
            needs
                .split_whitespace()
                .map(|need| {
                    let position = names.iter().position(|name| name == need);
                    position.expect("needs name jobs of the graph")
                })
                .collect()
        });
    }
    let stages = stages.into_iter().map(str::to_owned).collect();
    (names, stages, graph)
}

fn parse_job(stage: usize, options: &str) -> GraphJob {
    let has = |word| options.split(' ').any(|option| option == word);
    let number = |word| argument(options, word).map(|text| text.parse().expect("a number"));
    let when = if has("manual") {
        When::Manual
    } else if has("delayed") {
        When::Delayed { start_in_s: 5 }
    } else if has("on_failure") {
        When::OnFailure
    } else if has("always") {
        When::Always
    } else if has("decided") {
        When::Decided
    } else if has("never") {
        When::Never
    } else {
        When::OnSuccess
    };
    let allow_failure = if has("may_fail") || (has("manual") && !has("blocking")) {
        AllowFailure::Yes
    } else if let Some(code) = number("may_fail") {
        AllowFailure::ExitCodes(vec![code])
    } else {
        AllowFailure::No
    };
    GraphJob {
        stage,
        when,
        allow_failure,
        needs: None,
        retry: RetryPolicy {
            max: number("retry").unwrap_or_default().unsigned_abs(),
            ..RetryPolicy::default()
        },
        group: argument(options, "group").map(|text| text.parse().expect("a number")),
    }
}

fn argument<'a>(options: &'a str, word: &str) -> Option<&'a str> {
    let (_, rest) = options.split_once(word)?;
    Some(rest.strip_prefix('(')?.split_once(')')?.0)
}
