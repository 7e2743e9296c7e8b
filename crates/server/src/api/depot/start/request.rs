//! What a client wants to run, checked by itself: whether repository, commit and
//! file exist is intake's question.

use sha2::{Digest, Sha256};
use tappet_model::{CommitSha, Source};
use tappet_rpc::depot::ci::v1::__buffa::view::{DispatchWorkflowRequestView, RunRequestView};

use crate::api::depot::errors::{RpcError, RpcResult};
use crate::intake::{WorkflowChoice, WorkflowEvent, WorkflowRequest};

/// Workflows of one call.
const MOST_WORKFLOWS: usize = 100;
/// Bytes of one workflow (GitHub: 1 MiB).
const LONGEST_WORKFLOW: usize = 1024 * 1024;
/// Inputs of one dispatch (GitHub: 25).
const MOST_INPUTS: usize = 25;

/// What a client wants to run.
#[derive(Debug)]
pub struct Wanted {
    /// Path of the project.
    pub repo: String,
    /// A branch or tag; `None`: the default branch.
    pub ref_name: Option<String>,
    /// As what the run is listed.
    pub source: Source,
    /// Which workflows.
    pub workflows: WorkflowRequest,
    /// Digest of all of it, for the idempotency key.
    pub fingerprint: [u8; 32],
}

impl Wanted {
    /// A `Run`, or `invalid_argument`.
    pub fn of_run(request: &RunRequestView<'_>) -> RpcResult<Self> {
        let repo = repository(request.repo)?;
        let commit = request.sha.map(commit).transpose()?;
        if request.forge.as_known().is_none() {
            return Err(RpcError::invalid(format!(
                "unsupported forge: {}",
                request.forge.to_i32()
            )));
        }
        let contents: Vec<&str> = request.workflow_content.iter().copied().collect();
        let choice = choice(request.workflow, &contents)?;
        let job = request.job.map(|job| job_of(job, &choice)).transpose()?;
        let patch_key = request
            .workspace_patch_cache_key
            .filter(|key| !key.is_empty());
        let mut digest = Digester::new("Run");
        digest.add(request.repo);
        digest.maybe(request.sha);
        digest.maybe(request.workflow);
        digest.all(&contents);
        digest.maybe(request.job);
        digest.maybe(patch_key);
        Ok(Self {
            repo,
            ref_name: None,
            source: Source::Api,
            workflows: WorkflowRequest {
                choice,
                job,
                commit,
                event: WorkflowEvent::Api,
                patch_key: patch_key.map(str::to_owned),
            },
            fingerprint: digest.finish(),
        })
    }

    /// A `DispatchWorkflow`, or `invalid_argument`.
    pub fn of_dispatch(request: &DispatchWorkflowRequestView<'_>) -> RpcResult<Self> {
        let repo = repository(request.repo)?;
        let name = request.workflow;
        if name.is_empty() || name.contains('/') || !is_workflow_file(name) {
            return Err(RpcError::invalid(
                "workflow must be the base name of a workflow file, such as `deploy.yml`",
            ));
        }
        if request.r#ref.is_empty() {
            return Err(RpcError::invalid(
                "ref is required: the name of a branch or a tag",
            ));
        }
        if request.inputs.len() > MOST_INPUTS {
            return Err(RpcError::invalid(format!(
                "{} inputs are too many; a workflow has at most {MOST_INPUTS}",
                request.inputs.len()
            )));
        }
        let inputs = request.inputs.iter();
        let mut inputs: Vec<(String, String)> = inputs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        inputs.sort_unstable();
        let mut digest = Digester::new("DispatchWorkflow");
        digest.all(&[request.repo, name, request.r#ref]);
        for (name, value) in &inputs {
            digest.all(&[name.as_str(), value.as_str()]);
        }
        let short = ["refs/heads/", "refs/tags/"]
            .iter()
            .find_map(|folder| request.r#ref.strip_prefix(folder));
        Ok(Self {
            repo,
            ref_name: Some(short.unwrap_or(request.r#ref).to_owned()),
            source: Source::Web,
            workflows: WorkflowRequest {
                choice: WorkflowChoice::Named(name.to_owned()),
                job: None,
                commit: None,
                event: WorkflowEvent::Dispatch(inputs),
                patch_key: None,
            },
            fingerprint: digest.finish(),
        })
    }
}

/// `owner/name`, however deep the groups above the name are.
fn repository(path: &str) -> RpcResult<String> {
    let fits = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && !part.chars().any(|c| c.is_whitespace() || c.is_control())
    };
    if path.contains('/') && path.split('/').all(fits) {
        return Ok(path.to_owned());
    }
    Err(RpcError::invalid("repo must be `owner/name`"))
}

/// Exactly as git writes it: abbreviations and upper case are refused, since nobody
/// copies such a commit id from git.
fn commit(sha: &str) -> RpcResult<CommitSha> {
    let fits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let parsed = match sha.len() {
        40 if sha.bytes().all(fits) => sha.parse().ok(),
        _ => None,
    };
    parsed.ok_or_else(|| {
        RpcError::invalid("sha must be a full commit id: 40 hexadecimal digits, in lower case")
    })
}

fn choice(path: Option<&str>, contents: &[&str]) -> RpcResult<WorkflowChoice> {
    match (path, contents) {
        (Some(_), [_, ..]) => Err(RpcError::invalid(
            "workflow and workflow_content exclude each other; send one of them",
        )),
        (Some(path), []) => workflow_path(path),
        (None, []) => Ok(WorkflowChoice::All),
        (None, contents) => inline(contents),
    }
}

fn workflow_path(path: &str) -> RpcResult<WorkflowChoice> {
    let fits = |part: &str| !matches!(part, "" | "." | "..");
    if path.split('/').all(fits) && is_workflow_file(path) {
        return Ok(WorkflowChoice::Path(path.to_owned()));
    }
    Err(RpcError::invalid(
        "workflow must be the path of a .yml or .yaml file from the root of the repository",
    ))
}

fn is_workflow_file(name: &str) -> bool {
    let ending = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
    ending.is_some_and(|(_, ending)| matches!(ending, "yml" | "yaml"))
        && !name.contains(['\0', '\n', '\\'])
}

fn inline(contents: &[&str]) -> RpcResult<WorkflowChoice> {
    if contents.len() > MOST_WORKFLOWS {
        return Err(RpcError::invalid(format!(
            "workflow_content holds {} workflows; one run takes at most {MOST_WORKFLOWS}",
            contents.len()
        )));
    }
    for (index, content) in contents.iter().enumerate() {
        if content.trim().is_empty() {
            return Err(RpcError::invalid(format!(
                "workflow_content[{index}] is empty; each item is a complete workflow"
            )));
        }
        if content.len() > LONGEST_WORKFLOW {
            return Err(RpcError::exhausted(format!(
                "workflow_content[{index}] has {} bytes; a workflow has at most {LONGEST_WORKFLOW}",
                content.len()
            )));
        }
    }
    let contents = contents.iter().copied().map(str::to_owned);
    Ok(WorkflowChoice::Inline(contents.collect()))
}

fn job_of(job: &str, choice: &WorkflowChoice) -> RpcResult<String> {
    let is_one = match choice {
        WorkflowChoice::Path(_) | WorkflowChoice::Named(_) => true,
        WorkflowChoice::Inline(contents) => contents.len() == 1,
        WorkflowChoice::Paths(paths) => paths.len() == 1,
        WorkflowChoice::All => false,
    };
    if !is_one {
        return Err(RpcError::invalid(
            "job needs a single workflow: send workflow, or one workflow_content",
        ));
    }
    if job.is_empty() {
        return Err(RpcError::invalid(
            "job must be the id of a job of the workflow",
        ));
    }
    Ok(job.to_owned())
}

/// Puts texts into one digest so that no two lists of them look the same.
struct Digester(Sha256);

impl Digester {
    fn new(method: &str) -> Self {
        let mut digest = Self(Sha256::new());
        digest.add(method);
        digest
    }

    fn add(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    fn all(&mut self, texts: &[&str]) {
        self.0.update((texts.len() as u64).to_be_bytes());
        for text in texts {
            self.add(text);
        }
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.all(text.as_slice());
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests;
