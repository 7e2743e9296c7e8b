//! The list of projects, which is also the home page.

use askama::Template;
use axum::response::Response;
use futures_util::future::try_join_all;
use http::Uri;
use tappet_store::{PageRequest, Project, ProjectFilter, RepositorySource, RunFilter};

use super::moment::Moment;
use super::paging::{self, Pages};
use super::problem::{PageResult, Problem};
use super::status_mark::StatusMark;
use super::visit::{Frame, Visit, html};
use crate::rights;

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
    let filter = ProjectFilter {
        viewer: rights::viewer(visit.user.as_ref()),
        ..ProjectFilter::default()
    };
    let listing = visit
        .app
        .store
        .visible_projects(filter, visit.now, asked)
        .await?;
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
