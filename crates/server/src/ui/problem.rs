//! Everything that can keep a page from being shown, each with its own words:
//! what happened and what to do next.

use askama::Template;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::{ALLOW, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tappet_store::StoreError;

use super::visit::{Frame, Visit};

/// What page handlers return.
pub type PageResult<T> = Result<T, Problem>;

/// Why there is no page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// No such page, or none for this visitor.
    NotFound,
    /// Somebody signed in might see it.
    SignInFirst,
    /// The visitor may look but not do.
    MayNot,
    /// The form was sent by another site's page.
    ForeignOrigin,
    /// What was sent cannot be used.
    BadForm {
        /// Why.
        reason: &'static str,
    },
    /// The pipeline or job is not where the button expected it.
    Refused {
        /// The engine's words.
        reason: String,
    },
    /// The address takes other verbs.
    WrongMethod {
        /// Which ones.
        allow: &'static str,
    },
    /// The database cannot serve now.
    Unavailable {
        /// The store's words.
        reason: String,
    },
    /// A fault of ours; the server's log says more.
    Broken,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    code: u16,
    heading: &'static str,
    text: String,
    next: &'static str,
}

impl Problem {
    /// The page that says so.
    pub fn page(self, visit: &Visit) -> Response {
        if self == Self::SignInFirst {
            return to_sign_in(visit);
        }
        let (status, heading, text, next) = self.words();
        let page = ProblemPage {
            frame: visit.frame(heading),
            code: status.as_u16(),
            heading,
            text,
            next,
        };
        let mut response = match page.render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(_) => (status, heading).into_response(),
        };
        if let Self::WrongMethod { allow } = self {
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }

    fn words(&self) -> (StatusCode, &'static str, String, &'static str) {
        match self {
            Self::NotFound | Self::SignInFirst => (
                StatusCode::NOT_FOUND,
                "Nothing here",
                "There is no such page, or you may not see it.".into(),
                "Check the address, or look for the project in the list of projects.",
            ),
            Self::MayNot => (
                StatusCode::FORBIDDEN,
                "Not allowed",
                "Your role in this project does not let you do that.".into(),
                "Ask somebody who owns the project.",
            ),
            Self::ForeignOrigin => (
                StatusCode::FORBIDDEN,
                "Not from here",
                "The form was not sent by a page of this server, so nothing was done.".into(),
                "Open the page here and press its button again.",
            ),
            Self::BadForm { reason } => (
                StatusCode::BAD_REQUEST,
                "Cannot read the form",
                format!("Nothing was done: {reason}."),
                "Go back and send it again.",
            ),
            Self::Refused { reason } => (
                StatusCode::CONFLICT,
                "Not possible now",
                format!("Nothing was done: {reason}."),
                "It may have changed in the meantime. Go back and reload the page.",
            ),
            Self::WrongMethod { .. } => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Not like this",
                "This address does not take such a request.".into(),
                "Go back and use the page's own links and buttons.",
            ),
            Self::Unavailable { reason } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available now",
                format!("The server cannot read its data: {reason}."),
                "Try again in a moment.",
            ),
            Self::Broken => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something broke",
                "The server could not make this page; its log says why.".into(),
                "Try again, and tell the administrator if it stays this way.",
            ),
        }
    }
}

fn to_sign_in(visit: &Visit) -> Response {
    let back = utf8_percent_encode(&visit.address, NON_ALPHANUMERIC);
    Redirect::to(&visit.path(&format!("/-/sign_in?to={back}"))).into_response()
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(_) => Self::NotFound,
            StoreError::Refused(refused) => Self::Refused {
                reason: refused.to_string(),
            },
            StoreError::Closed | StoreError::Full => {
                tracing::error!(%error, "the store cannot serve a page");
                Self::Unavailable {
                    reason: error.to_string(),
                }
            }
            StoreError::Taken { .. } | StoreError::KeyReused | StoreError::Database(_) => {
                tracing::error!(%error, "a database call failed");
                Self::Broken
            }
        }
    }
}
