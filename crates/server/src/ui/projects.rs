//! The list of projects, which is also the home page.

use askama::Template;
use axum::response::Response;
use futures_util::future::try_join_all;
use http::Uri;
use tappet_store::{Listing, PageRequest, Project, RepositorySource, RunFilter, StoreError, User};

use super::moment::Moment;
use super::paging::{self, Pages};
use super::problem::{PageResult, Problem};
use super::status_mark::StatusMark;
use super::visit::{Frame, Visit, html};
use crate::app::App;
use crate::rights::Right;

#[derive(Template)]
#[template(path = "projects.html")]
struct ProjectsPage {
    frame: Frame,
    rows: Vec<Row>,
    pages: Pages,
    /// For the example on the empty page.
    api: String,
}

struct Row {
    path: String,
    description: String,
    source: String,
    last: Option<LastRun>,
}

struct LastRun {
    id: i64,
    mark: StatusMark,
    ref_name: String,
    created: Moment,
}

/// `GET /` and `GET /projects`.
pub async fn page(visit: &Visit, uri: &Uri) -> PageResult<Response> {
    let asked = paging::request(uri);
    let listing = visible(&visit.app, visit.user.as_ref(), asked).await?;
    if listing.items.is_empty() && visit.user.is_none() {
        return Err(Problem::SignInFirst);
    }
    let pages = Pages::of(asked, &listing);
    let rows = listing.items.into_iter().map(|project| row(visit, project));
    html(&ProjectsPage {
        frame: visit.frame("Projects"),
        rows: try_join_all(rows).await?,
        pages,
        api: visit.app.config.url("/api/v4"),
    })
}

async fn row(visit: &Visit, project: Project) -> PageResult<Row> {
    let newest = PageRequest {
        page: 1,
        per_page: 1,
    };
    let runs = visit
        .app
        .store
        .runs(project.id, RunFilter::default(), newest)
        .await?;
    let last = runs.items.into_iter().next().map(|run| LastRun {
        id: run.id.0,
        mark: StatusMark::of_run(&run),
        ref_name: run.ref_name,
        created: Moment::new(run.created_at, visit.now),
    });
    Ok(Row {
        path: project.path,
        description: project.description,
        source: match project.source {
            RepositorySource::Local(path) => path,
            RepositorySource::Remote(url) => without_credentials(&url),
        },
        last,
    })
}

/// An address may hold a password, which is nobody's business here.
fn without_credentials(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            let stripped = url.set_username("").and_then(|()| url.set_password(None));
            if stripped.is_ok() {
                url.into()
            } else {
                String::new()
            }
        }
        _ => address.to_owned(),
    }
}

/// Projects that a visitor may see. The store knows nothing of rights, so all
/// are walked for those who do not see all.
async fn visible(
    app: &App,
    user: Option<&User>,
    asked: PageRequest,
) -> Result<Listing<Project>, StoreError> {
    if user.is_some_and(|user| user.is_admin) {
        return app.store.projects(None, asked).await;
    }
    let skip = u64::from(asked.page - 1) * u64::from(asked.per_page);
    let end = skip + u64::from(asked.per_page);
    let mut items = Vec::new();
    let mut seen = 0;
    let mut step = PageRequest {
        page: 1,
        per_page: 100,
    };
    loop {
        let listing = app.store.projects(None, step).await?;
        for project in listing.items {
            let standing = app.standing(user, &project).await?;
            if !standing.may(Right::ReadProject, &project) {
                continue;
            }
            if (skip..end).contains(&seen) {
                items.push(project);
            }
            seen += 1;
        }
        if !listing.has_next || seen > end {
            return Ok(Listing {
                items,
                total: None,
                has_next: seen > end,
            });
        }
        step.page += 1;
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://user:pass@git.example/a.git", "https://git.example/a.git")]
    #[case("https://git.example/a.git", "https://git.example/a.git")]
    #[case("git@git.example:a.git", "git@git.example:a.git")]
    fn passwords_stay_out_of_the_page(#[case] address: &str, #[case] shown: &str) {
        assert_eq!(without_credentials(address), shown);
    }
}
