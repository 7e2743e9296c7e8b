//! One file, one event: a small builder for the tests.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use tappet_gitlab_ci::{Changed, Config, Context, PlanError, parse, plan};
use tappet_model::plan::{JobSpec, Plan, PlannedJob};
use tappet_model::{RefKind, Source, Variable};

/// A file and the event that it is planned for: by default a push to `main` of
/// `group/project`.
pub struct Scenario {
    config: Config,
    source: Source,
    ref_name: String,
    ref_kind: RefKind,
    variables: HashMap<String, String>,
    predefined: HashMap<String, String>,
    /// What is changed against a ref; `None` is where the pipeline began.
    changed: HashMap<Option<String>, Changed>,
    files: Option<Arc<[String]>>,
    unspoken_jobs_join: bool,
    asked: Cell<usize>,
}

/// A valid file.
pub fn file(text: &str) -> Scenario {
    let config = match parse(text) {
        Ok(config) => config,
        Err(errors) => panic!("{errors:#?}"),
    };
    Scenario {
        config,
        source: Source::Push,
        ref_name: "main".to_owned(),
        ref_kind: RefKind::Branch,
        variables: HashMap::new(),
        predefined: HashMap::new(),
        changed: HashMap::new(),
        files: None,
        unspoken_jobs_join: false,
        asked: Cell::new(0),
    }
}

/// What is wrong with a file, each with its place.
pub fn errors(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(_) => panic!("the file is valid"),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

/// The only error of a file, with its place.
pub fn error(text: &str) -> String {
    let mut errors = errors(text);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors.remove(0)
}

/// The only error of a file, without its place.
pub fn message(text: &str) -> String {
    match parse(text) {
        Ok(_) => panic!("the file is valid"),
        Err(errors) => {
            assert_eq!(errors.len(), 1, "{errors:#?}");
            errors[0].message.clone()
        }
    }
}

impl Scenario {
    pub fn from(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    pub fn on_tag(mut self, name: &str) -> Self {
        self.ref_name = name.to_owned();
        self.ref_kind = RefKind::Tag;
        self
    }

    pub fn on_commit(mut self, id: &str) -> Self {
        self.ref_name = id.to_owned();
        self.ref_kind = RefKind::Commit;
        self
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A variable that only one environment has.
    pub fn with_scoped(self, environment: &str, name: &str, value: &str) -> Self {
        self.with(&format!("{name}@{environment}"), value)
    }

    pub fn predefined(mut self, name: &str, value: &str) -> Self {
        self.predefined.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The files that the pipeline changes.
    pub fn changing(self, paths: &[&str]) -> Self {
        self.changing_since(None, paths)
    }

    /// The files that it changes against a ref.
    pub fn changing_since(mut self, compare_to: Option<&str>, paths: &[&str]) -> Self {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        let key = compare_to.map(str::to_owned);
        self.changed.insert(key, Changed::Paths(paths));
        self
    }

    /// The files of its commit.
    pub fn with_files(mut self, paths: &[&str]) -> Self {
        self.files = Some(paths.iter().map(|path| (*path).to_owned()).collect());
        self
    }

    pub fn in_which_unspoken_jobs_join(mut self) -> Self {
        self.unspoken_jobs_join = true;
        self
    }

    pub fn speaks_of_merge_requests(&self) -> bool {
        self.config.speaks_of_merge_requests()
    }

    /// How often the repository was asked for something.
    pub fn questions(&self) -> usize {
        self.asked.get()
    }

    pub fn try_plan(&self) -> Result<Plan, PlanError> {
        plan(
            &self.config,
            &Context {
                source: self.source,
                ref_name: &self.ref_name,
                ref_kind: self.ref_kind,
                project_path: "group/project",
                variables: &|environment, name| {
                    let scoped = environment.map(|environment| format!("{name}@{environment}"));
                    let scoped = scoped.and_then(|key| self.variables.get(&key));
                    let value = scoped.or_else(|| self.variables.get(name))?;
                    Some(Variable::new(name, value))
                },
                predefined: &|asking, name| {
                    let of_job = asking.and_then(|job| match name {
                        "CI_JOB_NAME" => Some(job.name.to_owned()),
                        "CI_JOB_STAGE" => Some(job.stage.to_owned()),
                        "CI_PIPELINE_NAME" => job.pipeline_name.map(str::to_owned),
                        "CI_ENVIRONMENT_NAME" => job.environment.map(|one| one.name.clone()),
                        _ => None,
                    });
                    let value = of_job.or_else(|| self.predefined.get(name).cloned())?;
                    Some(Variable::new(name, value))
                },
                changed: &|compare_to| {
                    self.asked.set(self.asked.get() + 1);
                    let unknown = match compare_to {
                        Some(_) => Changed::NoSuchRef,
                        None => Changed::Unknown,
                    };
                    let known = self.changed.get(&compare_to.map(str::to_owned));
                    known.cloned().unwrap_or(unknown)
                },
                files: &|| {
                    self.asked.set(self.asked.get() + 1);
                    self.files.clone()
                },
                unspoken_jobs_join: self.unspoken_jobs_join,
            },
        )
    }

    pub fn plan(&self) -> Plan {
        self.try_plan().expect("there is a pipeline")
    }

    pub fn refused(&self) -> PlanError {
        self.try_plan().expect_err("there is no pipeline")
    }

    /// Names of the jobs, in order.
    pub fn jobs(&self) -> Vec<String> {
        self.plan().jobs.into_iter().map(|job| job.name).collect()
    }

    pub fn job(&self, name: &str) -> PlannedJob {
        let jobs = self.plan().jobs;
        match jobs.into_iter().find(|job| job.name == name) {
            Some(job) => job,
            None => panic!("no job {name}"),
        }
    }

    pub fn spec(&self, name: &str) -> JobSpec {
        JobSpec::clone(&self.job(name).spec)
    }

    /// `KEY=value` of a job's variables, in order.
    pub fn variables(&self, job: &str) -> Vec<String> {
        self.spec(job)
            .variables
            .iter()
            .map(|variable| format!("{}={}", variable.key, variable.value))
            .collect()
    }

    /// Why a job is not part of the plan.
    pub fn reason(&self, job: &str) -> String {
        let left_out = self.plan().left_out;
        match left_out.into_iter().find(|left_out| left_out.name == job) {
            Some(left_out) => left_out.reason,
            None => panic!("{job} is part of the plan"),
        }
    }

    pub fn warnings(&self) -> Vec<String> {
        self.config
            .warnings()
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}
