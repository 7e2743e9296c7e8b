//! What holds for every run, whatever its graph and whatever happens to it.
//! The checks rebuild the run from the transitions alone, as a store would,
//! and know the rules only in their plainest form.

use proptest::prelude::*;
use proptest::sample::Index;
use tappet_engine::{
    Event, Graph, GraphJob, JobEvent, JobState, RunEvent, RunHold, RunState, StageEvent,
    Transition, composite, is_allowed_failure,
};
use tappet_model::plan::{AllowFailure, JobGroup, RetryPolicy, When};
use tappet_model::{FailureReason, Status};

/// What people, runners and timers do.
#[derive(Clone, Debug)]
enum Act {
    /// A runner takes one of the pending jobs.
    Take { which: Index, gracefully: bool },
    /// A runner ends one of its jobs; `None`: well.
    End {
        which: Index,
        exit_code: Option<i32>,
    },
    /// Somebody plays one of the manual or scheduled jobs.
    Play { which: Index },
    /// Somebody retries one of the ended jobs.
    Retry { which: Index },
    /// Somebody decides about one of the jobs that wait for it.
    Decide { which: Index, starts: bool },
    /// One of the jobs that wait for a decision turns out to be several.
    Expand {
        which: Index,
        legs: usize,
        group: Option<JobGroup>,
    },
    /// Anything happens to any job, or to one that does not exist.
    Any { job: usize, event: JobEvent },
    /// Something happens to the run.
    Run(RunEvent),
    /// Something happens to one of its workflows.
    Stage {
        stage: Option<usize>,
        event: StageEvent,
    },
}

/// A run, and beside it what its transitions say.
struct Watched {
    graph: Graph,
    state: RunState,
    jobs: Vec<WatchedJob>,
    run: Status,
    story: Vec<Transition>,
}

struct WatchedJob {
    status: Status,
    attempt: u32,
    exit_code: Option<i32>,
    /// A runner has had the newest attempt.
    taken: bool,
}

impl Watched {
    fn start(graph: &Graph) -> Self {
        let (state, transitions) = RunState::start(graph);
        let mut watched = Self {
            graph: graph.clone(),
            state,
            jobs: graph.jobs.iter().map(|_| WatchedJob::created()).collect(),
            run: Status::Created,
            story: Vec::new(),
        };
        watched.follow(transitions);
        watched
    }

    fn hold(graph: &Graph) -> Self {
        let watched = Self {
            graph: graph.clone(),
            state: RunState::held(graph),
            jobs: graph.jobs.iter().map(|_| WatchedJob::created()).collect(),
            run: Status::Created,
            story: Vec::new(),
        };
        watched.check_state();
        watched
    }

    fn act(&mut self, act: &Act) {
        let event = match *act {
            Act::Take { which, gracefully } => self.pick(which, &[Status::Pending]).map(|job| {
                let cancels_gracefully = gracefully;
                (job, JobEvent::Run { cancels_gracefully })
            }),
            Act::End { which, exit_code } => self
                .pick(which, &[Status::Running, Status::Canceling])
                .map(|job| (job, end(exit_code))),
            Act::Play { which } => self
                .pick(which, &[Status::Manual, Status::Scheduled])
                .map(|job| (job, JobEvent::Play)),
            Act::Retry { which } => self
                .pick(which, &[Status::Success, Status::Failed, Status::Canceled])
                .map(|job| (job, JobEvent::Retry)),
            Act::Decide { which, starts } => {
                let event = if starts {
                    JobEvent::Enqueue
                } else {
                    JobEvent::Skip
                };
                self.pick(which, &[Status::WaitingForCallback])
                    .map(|job| (job, event))
            }
            Act::Expand { which, legs, group } => {
                if let Some(job) = self.pick(which, &[Status::WaitingForCallback]) {
                    self.expand(job, legs, group);
                }
                return;
            }
            Act::Any { job, ref event } => Some((job, event.clone())),
            Act::Run(event) => return self.step(Event::Run(event)),
            Act::Stage { stage, event } => return self.step(Event::Stage { stage, event }),
        };
        if let Some((job, event)) = event {
            self.step(Event::Job { job, event });
        }
    }

    fn step(&mut self, event: Event) {
        let before = self.state.clone();
        match self.state.step(&self.graph, event.clone()) {
            Ok(transitions) => self.follow(transitions),
            Err(refused) => {
                assert_eq!(self.state, before, "{event:?} was refused: {refused}");
            }
        }
    }

    fn expand(&mut self, job: usize, legs: usize, group: Option<JobGroup>) {
        let legs = vec![AllowFailure::No; legs];
        self.graph = self.graph.expanded(job, legs, group);
        self.jobs
            .resize_with(self.graph.jobs.len(), WatchedJob::created);
        let expansion = self.state.expand(&self.graph, job);
        let transitions = expansion.expect("the job waits for a decision");
        self.follow(transitions);
    }

    /// Lets runners take and end everything, well or badly by turns; what has to be
    /// decided starts or is skipped by turns.
    fn drain(&mut self) {
        for turn in 0.. {
            let moves = |status: Status| {
                (status.is_active() || status.is_executing())
                    && status != Status::WaitingForResource
            };
            let Some(job) = self.find(moves) else {
                break;
            };
            let event = match self.jobs[job].status {
                Status::Pending => JobEvent::Run {
                    cancels_gracefully: false,
                },
                Status::WaitingForCallback if turn % 3 == 0 => JobEvent::Skip,
                Status::WaitingForCallback => JobEvent::Enqueue,
                _ => end((turn % 3 == 0).then_some(1)),
            };
            self.step(Event::Job { job, event });
            assert!(
                turn < 100 * self.jobs.len(),
                "the run does not come to an end"
            );
        }
    }

    fn pick(&self, which: Index, statuses: &[Status]) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.jobs.len())
            .filter(|&job| statuses.contains(&self.jobs[job].status))
            .collect();
        (!fitting.is_empty()).then(|| *which.get(&fitting))
    }

    fn find(&self, fits: impl Fn(Status) -> bool) -> Option<usize> {
        self.jobs.iter().position(|job| fits(job.status))
    }

    fn follow(&mut self, transitions: Vec<Transition>) {
        for transition in &transitions {
            match *transition {
                Transition::Job {
                    job,
                    from,
                    to,
                    reason,
                    exit_code,
                } => {
                    assert_eq!(self.jobs[job].status, from, "job {job}");
                    assert_ne!(from, to, "job {job}");
                    assert_eq!(reason.is_some(), to == Status::Failed, "job {job}");
                    self.check_order(job, from, to);
                    let watched = &mut self.jobs[job];
                    assert!(
                        !from.is_completed() || (from, to) == (Status::Skipped, Status::Created),
                        "job {job} is over and cannot become {to}"
                    );
                    if to == Status::Running {
                        assert_eq!(from, Status::Pending, "job {job}");
                        let twice = std::mem::replace(&mut watched.taken, true);
                        assert!(
                            !twice,
                            "attempt {} of job {job} runs twice",
                            watched.attempt
                        );
                    }
                    watched.status = to;
                    watched.exit_code = exit_code;
                }
                Transition::NewAttempt {
                    job,
                    number,
                    status,
                    ..
                } => {
                    let old = self.jobs[job].status;
                    assert!(
                        old.is_completed() && old != Status::Skipped,
                        "job {job} is {old} and gets a new attempt"
                    );
                    assert_eq!(number, self.jobs[job].attempt + 1, "job {job}");
                    self.check_order(job, Status::Created, status);
                    self.jobs[job] = WatchedJob {
                        status,
                        attempt: number,
                        exit_code: None,
                        taken: false,
                    };
                }
                Transition::Run { from, to } => {
                    assert_eq!(self.run, from);
                    assert_ne!(from, to);
                    self.run = to;
                }
            }
        }
        self.check_groups(&transitions);
        self.story.extend(transitions);
        self.check_state();
    }

    /// No more legs at a time than may be, and none waits while there is room; a leg
    /// that fails for good leaves no other on its way.
    fn check_groups(&self, transitions: &[Transition]) {
        for (group, fixed) in self.graph.groups.iter().enumerate() {
            let legs = || {
                let jobs = self.jobs.iter().zip(&self.graph.jobs);
                jobs.filter(move |(_, job)| job.group == Some(group))
                    .map(|(job, _)| job.status)
            };
            let count = |wanted: &[Status]| legs().filter(|leg| wanted.contains(leg)).count();
            let held = count(&[Status::Pending, Status::Running, Status::Canceling]);
            let waiting = count(&[Status::WaitingForResource]);
            let limit = fixed
                .max_parallel
                .map_or(usize::MAX, |limit| limit as usize);
            assert!(held <= limit, "{held} legs of group {group} at a time");
            assert!(
                waiting == 0 || held == limit,
                "{waiting} legs of group {group} wait although {held} are on their way"
            );
            let fails = transitions.iter().any(|transition| match *transition {
                Transition::Job { job, to, .. } => {
                    to == Status::Failed
                        && self.graph.jobs[job].group == Some(group)
                        && self.jobs[job].status == Status::Failed
                        && !self.allowed(job)
                }
                _ => false,
            });
            if fixed.fail_fast && fails {
                let going = legs().filter(|leg| leg.is_cancelable()).count();
                assert_eq!(going, 0, "legs of group {group} go on after a failure");
            }
        }
    }

    /// A job sets off only when those before it are over, and well enough.
    fn check_order(&self, job: usize, from: Status, to: Status) {
        let sets_off = matches!(
            to,
            Status::Pending
                | Status::Manual
                | Status::Scheduled
                | Status::WaitingForResource
                | Status::WaitingForCallback
        );
        if from != Status::Created || !sets_off {
            return;
        }
        let fixed = &self.graph.jobs[job];
        let before: Vec<usize> = match &fixed.needs {
            Some(needs) => needs.clone(),
            None => (0..self.jobs.len())
                .filter(|&other| self.graph.jobs[other].stage < fixed.stage)
                .collect(),
        };
        let optional =
            |other: &usize| self.jobs[*other].status == Status::Manual && self.allowed(*other);
        let absent = |other: &usize| self.jobs[*other].status == Status::Skipped || optional(other);
        let broken = |other: &usize| {
            matches!(self.jobs[*other].status, Status::Failed | Status::Canceled)
                && !self.allowed(*other)
        };
        let goes_without =
            fixed.when == When::Always && fixed.needs.is_some() && before.iter().any(absent);
        for other in &before {
            assert!(
                goes_without || self.jobs[*other].status.is_completed() || optional(other),
                "job {job} becomes {to} before job {other} is over"
            );
        }
        match fixed.when {
            When::OnFailure => assert!(before.iter().any(broken), "job {job} without a failure"),
            When::Always | When::Decided => {}
            When::Never => panic!("job {job} is not part of the run"),
            When::OnSuccess | When::Manual | When::Delayed { .. } => {
                assert!(!before.iter().any(broken), "job {job} after a failure");
                let missing = fixed.needs.is_some() && before.iter().any(absent);
                assert!(!missing, "job {job} without one of its needs");
            }
        }
    }

    fn check_state(&self) {
        let told = |job: &WatchedJob| (job.status, job.attempt, job.exit_code);
        let kept = |job: &JobState| (job.status, job.attempt, job.exit_code);
        assert!(
            self.jobs
                .iter()
                .map(told)
                .eq(self.state.jobs.iter().map(kept)),
            "the transitions do not tell the whole story"
        );
        assert_eq!(self.run, self.state.status);

        let counted = |job: usize| match self.jobs[job].status {
            Status::WaitingForCallback => Status::Created,
            status => status,
        };
        let jobs = (0..self.jobs.len()).map(|job| (counted(job), self.allowed(job)));
        let composite = match composite(jobs, false).unwrap_or(Status::Success) {
            composite if self.is_held() && !composite.is_completed() => Status::Created,
            Status::Success | Status::Skipped if self.state.hold == RunHold::GivenUp => {
                Status::Failed
            }
            composite => composite,
        };
        let begun = (self.run, composite) == (Status::Running, Status::Pending);
        assert!(
            self.run == composite || begun,
            "the run is {} and its jobs are {composite}",
            self.run
        );

        let moving = self.find(|status| {
            status.is_active()
                || status.is_executing()
                || matches!(status, Status::Manual | Status::Scheduled)
        });
        let waiting = self.find(|status| !status.is_completed());
        if self.is_held() {
            assert!(moving.is_none(), "job {moving:?} of a held run moves");
        } else {
            assert!(
                moving.is_some() || waiting.is_none(),
                "job {waiting:?} waits for nothing"
            );
        }
    }

    fn is_held(&self) -> bool {
        self.state.hold == RunHold::Held
    }

    fn allowed(&self, job: usize) -> bool {
        is_allowed_failure(&self.graph.jobs[job], self.jobs[job].exit_code)
    }
}

fn end(exit_code: Option<i32>) -> JobEvent {
    match exit_code {
        None => JobEvent::Success,
        Some(_) => JobEvent::Drop {
            reason: FailureReason::ScriptFailure,
            exit_code,
        },
    }
}

impl WatchedJob {
    fn created() -> Self {
        Self {
            status: Status::Created,
            attempt: 1,
            exit_code: None,
            taken: false,
        }
    }
}

fn any_group() -> impl Strategy<Value = JobGroup> {
    (any::<bool>(), prop::option::of(1..=2_u32)).prop_map(|(fail_fast, max_parallel)| JobGroup {
        fail_fast,
        max_parallel,
    })
}

prop_compose! {
    fn any_job()(
        stage in 0..4_usize,
        when in prop_oneof![
            4 => Just(When::OnSuccess),
            1 => Just(When::OnFailure),
            1 => Just(When::Always),
            1 => Just(When::Manual),
            1 => Just(When::Delayed { start_in_s: 1 }),
            2 => Just(When::Decided),
            1 => Just(When::Never),
        ],
        allow_failure in prop_oneof![
            3 => Just(AllowFailure::No),
            1 => Just(AllowFailure::Yes),
            1 => Just(AllowFailure::ExitCodes(vec![1])),
        ],
        max in prop_oneof![3 => Just(0), 1 => 1..=2_u32],
        group in prop_oneof![2 => Just(None), 1 => (0..2_usize).prop_map(Some)],
    ) -> GraphJob {
        let retry = RetryPolicy { max, ..RetryPolicy::default() };
        GraphJob { stage, when, allow_failure, needs: None, retry, group }
    }
}

prop_compose! {
    /// Jobs in stage order; inside a stage, needs point both ways.
    fn any_graph()(
        mut jobs in prop::collection::vec(any_job(), 1..10),
        needs in prop::collection::vec(
            prop::option::of(prop::collection::vec(any::<Index>(), 0..3)),
            10,
        ),
        backwards in any::<bool>(),
        cancel_on_job_failure in prop::bool::weighted(0.2),
        groups in prop::collection::vec(any_group(), 2),
    ) -> Graph {
        jobs.sort_by_key(|job| job.stage);
        let stages: Vec<usize> = jobs.iter().map(|job| job.stage).collect();
        let place = |job: usize| {
            let first = stages.partition_point(|&stage| stage < stages[job]);
            let end = stages.partition_point(|&stage| stage <= stages[job]);
            if backwards { first + end - 1 - job } else { job }
        };
        for (job, needs) in needs.into_iter().enumerate().take(stages.len()) {
            jobs[place(job)].needs = needs.map(|needs| {
                let mut needs: Vec<usize> = needs
                    .into_iter()
                    .filter(|_| job > 0)
                    .map(|need| place(need.index(job)))
                    .collect();
                needs.sort_unstable();
                needs.dedup();
                needs
            });
        }
        // The compilers see to it: what is decided names its needs.
        for job in &mut jobs {
            if job.when == When::Decided {
                job.needs.get_or_insert_default();
            }
        }
        Graph { jobs, cancel_on_job_failure, groups, is_broken: false }
    }
}

const GIVE_UP: RunEvent = RunEvent::GiveUp {
    reason: FailureReason::StuckOrTimeoutFailure,
};

fn any_act() -> impl Strategy<Value = Act> {
    let exit_code = prop::option::of(1..=2);
    let event = prop_oneof![
        any::<bool>().prop_map(|cancels_gracefully| JobEvent::Run { cancels_gracefully }),
        exit_code.clone().prop_map(end),
        prop::sample::select(FailureReason::ALL).prop_map(|reason| JobEvent::Drop {
            reason,
            exit_code: None,
        }),
        prop::sample::select(vec![
            JobEvent::Cancel,
            JobEvent::ForceCancel,
            JobEvent::Play,
            JobEvent::Retry,
            JobEvent::Skip,
            JobEvent::Enqueue,
        ]),
    ];
    prop_oneof![
        8 => (any::<Index>(), any::<bool>())
            .prop_map(|(which, gracefully)| Act::Take { which, gracefully }),
        8 => (any::<Index>(), exit_code)
            .prop_map(|(which, exit_code)| Act::End { which, exit_code }),
        2 => any::<Index>().prop_map(|which| Act::Play { which }),
        2 => any::<Index>().prop_map(|which| Act::Retry { which }),
        4 => (any::<Index>(), any::<bool>())
            .prop_map(|(which, starts)| Act::Decide { which, starts }),
        1 => (any::<Index>(), 1..4_usize, prop::option::of(any_group()))
            .prop_map(|(which, legs, group)| Act::Expand { which, legs, group }),
        4 => (0..11_usize, event).prop_map(|(job, event)| Act::Any { job, event }),
        1 => prop::sample::select(vec![RunEvent::Cancel, RunEvent::Retry]).prop_map(Act::Run),
        1 => prop::sample::select(vec![RunEvent::Release, GIVE_UP]).prop_map(Act::Run),
        2 => (prop::option::of(0..4_usize), any_stage_event())
            .prop_map(|(stage, event)| Act::Stage { stage, event }),
    ]
}

fn any_stage_event() -> impl Strategy<Value = StageEvent> {
    prop::sample::select(vec![
        StageEvent::Cancel,
        StageEvent::Retry,
        StageEvent::Rerun,
    ])
}

fn any_acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(any_act(), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1024,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Order, single runs, refusals, progress and the run's status are checked
    /// after every step by [`Watched`].
    #[test]
    fn a_run_keeps_its_rules_and_comes_to_an_end(graph in any_graph(), acts in any_acts()) {
        let mut run = Watched::start(&graph);
        for act in &acts {
            run.act(act);
        }
        run.drain();
        prop_assert!(run.find(|status| status.is_active() || status.is_executing()).is_none());
    }

    #[test]
    fn the_same_events_give_the_same_state(graph in any_graph(), acts in any_acts()) {
        let runs = [(); 2].map(|()| {
            let mut run = Watched::start(&graph);
            for act in &acts {
                run.act(act);
            }
            (run.state, run.story)
        });
        prop_assert_eq!(&runs[0], &runs[1]);
    }

    /// A step leaves nothing undone that the next one would do.
    #[test]
    fn a_step_goes_all_the_way(graph in any_graph(), acts in any_acts()) {
        let mut run = Watched::start(&graph);
        for act in &acts {
            run.act(act);
            if let Some(job) = run.find(Status::is_completed) {
                let event = Event::Job { job, event: JobEvent::Cancel };
                prop_assert_eq!(run.state.clone().step(&run.graph, event), Ok(Vec::new()));
            }
        }
    }

    /// [`Watched`] sees to it that nothing moves while a run is held.
    #[test]
    fn a_held_run_keeps_its_rules_and_comes_to_an_end(
        graph in any_graph(),
        acts in any_acts(),
    ) {
        let mut run = Watched::hold(&graph);
        for act in &acts {
            run.act(act);
        }
        run.step(Event::Run(RunEvent::Release));
        run.drain();
        prop_assert!(run.find(|status| status.is_active() || status.is_executing()).is_none());
    }

    #[test]
    fn a_released_run_is_as_if_it_had_never_been_held(graph in any_graph()) {
        let mut held = RunState::held(&graph);
        let released = held.step(&graph, Event::Run(RunEvent::Release));
        prop_assert_eq!((held, released.unwrap()), RunState::start(&graph));
    }

    #[test]
    fn a_run_that_was_held_for_too_long_fails(graph in any_graph()) {
        let mut run = Watched::hold(&graph);
        run.step(Event::Run(GIVE_UP));
        prop_assert_eq!(run.run, Status::Failed);
        prop_assert!(run.find(|status| !status.is_completed()).is_none());
    }

    #[test]
    fn letting_go_means_nothing_to_a_run_that_is_not_held(
        graph in any_graph(),
        acts in any_acts(),
    ) {
        let mut run = Watched::start(&graph);
        for act in &acts {
            run.act(act);
        }
        for event in [RunEvent::Release, GIVE_UP] {
            let before = run.state.clone();
            prop_assert_eq!(run.state.step(&run.graph, Event::Run(event)), Ok(Vec::new()));
            prop_assert_eq!(&run.state, &before);
        }
    }

    #[test]
    fn canceling_a_run_leaves_what_runners_still_hold_and_what_is_optional(
        graph in any_graph(),
        acts in any_acts(),
    ) {
        let mut run = Watched::start(&graph);
        for act in &acts {
            run.act(act);
        }
        run.step(Event::Run(RunEvent::Cancel));
        let is_left = |(job, fixed): (&WatchedJob, &GraphJob)| match job.status {
            Status::Manual => !is_allowed_failure(fixed, None),
            status => !status.is_completed() && status != Status::Canceling,
        };
        prop_assert!(!run.jobs.iter().zip(&run.graph.jobs).any(is_left));
        prop_assert!(run.run.is_completed() || run.run == Status::Canceling);
    }

    #[test]
    fn canceling_a_workflow_leaves_nothing_of_it_and_all_of_the_others(
        graph in any_graph(),
        acts in any_acts(),
        stage in 0..4_usize,
    ) {
        let mut run = Watched::start(&graph);
        for act in &acts {
            run.act(act);
        }
        let before = run.state.clone();
        run.step(Event::Stage { stage: Some(stage), event: StageEvent::Cancel });
        for (job, fixed) in run.graph.jobs.iter().enumerate() {
            let status = run.jobs[job].status;
            if fixed.stage == stage {
                let is_optional = status == Status::Manual && is_allowed_failure(fixed, None);
                prop_assert!(is_optional || !status.is_cancelable(), "job {job} is {status}");
            } else if !matches!(
                before.jobs[job].status,
                Status::Created | Status::WaitingForResource
            ) {
                prop_assert_eq!(before.jobs[job].status, status, "job {}", job);
            }
        }
    }

    #[test]
    fn a_run_that_goes_well_succeeds(mut graph in any_graph()) {
        for job in &mut graph.jobs {
            job.when = When::OnSuccess;
        }
        let mut run = Watched::start(&graph);
        while let Some(job) = run.find(|status| !status.is_completed()) {
            let job = run.find(|status| status == Status::Pending).unwrap_or(job);
            for event in [JobEvent::Run { cancels_gracefully: true }, JobEvent::Success] {
                run.step(Event::Job { job, event });
            }
        }
        prop_assert!(run.jobs.iter().all(|job| job.status == Status::Success));
    }
}
