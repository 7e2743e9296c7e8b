//! The one comment on a pull request: made when the first run of it has ended, and
//! edited from then on. It is found again by a mark when what is known of it was lost
//! between its creation and the note of that.

use tappet_forge::answer::{Api, Reply, marker};
use tappet_model::CiConfigId;
use tappet_store::{CiConfig, ForgeComment, Project, PullRequestRun, Run, StoreResult};

use super::comment::{self, Report};
use super::findings;
use super::report::Untold;
use crate::app::App;
use crate::secrets::hash;

/// Makes the comment say how the newest runs of the pull request stand. `run` is the
/// one that has something to tell.
pub async fn tell(
    app: &App,
    api: &Api,
    project: &Project,
    of: &PullRequestRun,
    run: &Run,
) -> StoreResult<Result<(), Untold>> {
    let number = &of.pull_request.number;
    let known = app.store.forge_comment(project.id, number.clone()).await?;
    if known.is_none() && !run.status.is_completed() {
        return Ok(Ok(()));
    }
    let newest = app
        .store
        .newest_pull_request_runs(project.id, number.clone())
        .await?;
    let configs = app.store.ci_configs(project.id).await?;
    if !speaks(&configs, of.config_id) || newest.iter().all(|newest| newest.run_id != of.run_id) {
        return Ok(Ok(()));
    }
    let mut sections = Vec::new();
    for config in configs.iter().filter(|config| config.settings.comments) {
        let newest = newest.iter().find(|newest| newest.config_id == config.id);
        if let Some(newest) = newest
            && let Some(section) = findings::section(app, project, config, newest).await?
        {
            sections.push(section);
        }
    }
    let marker = marker(api.kind(), &mark(app, project, number));
    let text = comment::render(
        api.kind(),
        &Report {
            marker: marker.clone(),
            sections,
        },
    );
    let digest = digest(&text);
    if known.as_ref().is_some_and(|known| known.digest == digest) {
        return Ok(Ok(()));
    }
    let id = match known {
        Some(known) => edited(app, api, number, known.comment_id, &marker, &text).await,
        None => found_or_made(app, api, number, &marker, &text).await,
    };
    let comment_id = match id {
        Ok(id) => id,
        Err(untold) => return Ok(Err(untold)),
    };
    app.store
        .set_forge_comment(ForgeComment {
            project_id: project.id,
            number: number.clone(),
            comment_id,
            digest,
        })
        .await?;
    Ok(Ok(()))
}

fn speaks(configs: &[CiConfig], id: CiConfigId) -> bool {
    configs
        .iter()
        .any(|config| config.id == id && config.settings.comments)
}

/// What only this server can have written on this pull request.
fn mark(app: &App, project: &Project, number: &str) -> String {
    let what = format!("comment on pull request {number} of project {}", project.id);
    let name = crate::webhooks::uuid_of(&app.secrets, &what);
    format!("tappet:{name}")
}

fn digest(text: &str) -> String {
    let digest = hash(text).0;
    digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

async fn edited(
    app: &App,
    api: &Api,
    number: &str,
    id: String,
    marker: &str,
    text: &str,
) -> Result<String, Untold> {
    match edit(app, api, number, &id, text).await? {
        Some(id) => Ok(id),
        None => found_or_made(app, api, number, marker, text).await,
    }
}

/// `None` when somebody deleted it.
async fn edit(
    app: &App,
    api: &Api,
    number: &str,
    id: &str,
    text: &str,
) -> Result<Option<String>, Untold> {
    let call = api.edit_comment(number, id, text);
    match app.forge.call(&app.config, &call).await {
        Reply::Comment { id } => Ok(Some(id)),
        Reply::Gone => Ok(None),
        other => Err(Untold::of(other)),
    }
}

async fn found_or_made(
    app: &App,
    api: &Api,
    number: &str,
    marker: &str,
    text: &str,
) -> Result<String, Untold> {
    if let Some(id) = find(app, api, number, marker).await?
        && let Some(id) = edit(app, api, number, &id, text).await?
    {
        return Ok(id);
    }
    let call = api.new_comment(number, text);
    match app.forge.call(&app.config, &call).await {
        Reply::Comment { id } => Ok(id),
        other => Err(Untold::of(other)),
    }
}

async fn find(app: &App, api: &Api, number: &str, marker: &str) -> Result<Option<String>, Untold> {
    let mut page = 1;
    loop {
        let call = api.find_comment(number, marker, page);
        match app.forge.call(&app.config, &call).await {
            Reply::Comment { id } => return Ok(Some(id)),
            Reply::NoComment => return Ok(None),
            Reply::NextPage(next) => page = next,
            other => return Err(Untold::of(other)),
        }
    }
}
