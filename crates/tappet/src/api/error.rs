//! Why a call did not go well, in words that end in the next step.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

/// A call without a good answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ApiError {
    /// No server was named, and none is here.
    #[error(
        "no server was named, and none runs on {}\n\
         Start one with `tappet serve`, or name one with --server or TAPPET_SERVER.", data.display()
    )]
    NoServer {
        /// The data directory that was looked at.
        data: PathBuf,
    },
    /// There was no answer.
    #[error(
        "cannot reach the server at {server}: {why}\n\
         Is it running? Start it with `tappet serve`, or name another one with --server or TAPPET_SERVER."
    )]
    Unreachable {
        /// Its address.
        server: String,
        /// What the network said.
        why: String,
    },
    /// The answer began and broke off.
    #[error("the answer of {server} broke off: {why}")]
    BrokeOff {
        /// Its address.
        server: String,
        /// What the network said.
        why: String,
    },
    /// The server said no.
    #[error("the server refused: {text}{next_step}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's words.
        text: String,
        /// When it may be tried again.
        retry_after: Option<Duration>,
        /// What to do about it, on lines of its own; empty when nobody knows.
        next_step: &'static str,
    },
    /// The answer makes no sense.
    #[error(
        "the server was expected to answer with {what}\nIs this the address of a Tappet server?"
    )]
    Unexpected {
        /// What was expected, and what came.
        what: String,
    },
}

impl ApiError {
    /// No answer, or half of one.
    pub fn lost(server: &str, error: &reqwest::Error) -> Self {
        let server = server.to_owned();
        let why = innermost(error);
        if error.is_body() || error.is_decode() {
            Self::BrokeOff { server, why }
        } else {
            Self::Unreachable { server, why }
        }
    }

    /// A refusal with its body.
    pub fn refused(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let text = words(status, body);
        Self::Refused {
            status,
            next_step: next_step(status, &text),
            text,
            retry_after,
        }
    }

    /// An answer that is no answer.
    pub fn unexpected(what: String) -> Self {
        Self::Unexpected { what }
    }

    /// Adds what the header `X-Tappet-Detail` tells beyond GitLab's words.
    pub fn detail(mut self, detail: Option<&str>) -> Self {
        if let (Self::Refused { text, .. }, Some(detail)) = (&mut self, detail) {
            text.push_str(": ");
            text.push_str(detail);
        }
        self
    }

    /// Tells the next step of a refusal that is a 404 where the caller knows better.
    pub fn if_missing(mut self, better: &'static str) -> Self {
        if let Self::Refused {
            status: 404,
            next_step,
            ..
        } = &mut self
        {
            *next_step = better;
        }
        self
    }

    /// The status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// What the network said, without the layers around it.
fn innermost(error: &reqwest::Error) -> String {
    let mut inner: &dyn Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// The server's words in an error body: `message` (text, or texts by field), `error` or
/// `detail`.
fn words(status: u16, body: &[u8]) -> String {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = match (&parsed["message"], &parsed["error"]) {
        (Value::String(text), _) => text.clone(),
        (Value::Object(fields), _) => by_field(fields),
        (Value::Null, Value::Null) => by_place(&parsed["detail"]),
        (_, Value::String(text)) => match &parsed["error_description"] {
            Value::String(description) => description.clone(),
            _ => text.clone(),
        },
        _ => String::new(),
    };
    if text.is_empty() {
        return format!("status {status}");
    }
    text
}

/// Datafold's API: a text, or a list of places with what is wrong there.
fn by_place(detail: &Value) -> String {
    let problem = |problem: &Value| {
        let place = problem["loc"].as_array().map(|place| {
            let parts = place.iter().skip(1);
            let parts = parts.map(|part| part.as_str().map_or(part.to_string(), str::to_owned));
            parts.collect::<Vec<_>>().join(".")
        });
        let text = problem["msg"].as_str().unwrap_or_default();
        // Pydantic's introduction of what a check of one's own says.
        let text = text.strip_prefix("Value error, ").unwrap_or(text);
        match place {
            Some(place) if !place.is_empty() => format!("{place}: {text}"),
            _ => text.to_owned(),
        }
    };
    match detail {
        Value::String(text) => text.clone(),
        Value::Array(problems) => problems.iter().map(problem).collect::<Vec<_>>().join("; "),
        _ => String::new(),
    }
}

/// `base` stands for the whole; other fields are named.
fn by_field(fields: &serde_json::Map<String, Value>) -> String {
    let texts = fields.iter().flat_map(|(field, texts)| {
        let texts = match texts {
            Value::Array(texts) => texts.clone(),
            one => vec![one.clone()],
        };
        texts.into_iter().map(move |text| {
            let text = text
                .as_str()
                .map_or_else(|| text.to_string(), str::to_owned);
            match field.as_str() {
                "base" | "error" => text,
                field => format!("{field} {text}"),
            }
        })
    });
    texts.collect::<Vec<_>>().join("; ")
}

/// What to do about a refusal, where that is known.
fn next_step(status: u16, text: &str) -> &'static str {
    match status {
        401 => {
            "\nGive an access token with --token or TAPPET_TOKEN; \
             the server's first one is in `root-token` in its data directory."
        }
        400 if text == "Reference not found" => {
            "\nThe repository has no such branch or tag: push it, or name another one with --ref."
        }
        403 => {
            "\nYour role or your token's scope does not allow it: `tappet user show` says who you are."
        }
        404 if text.contains("Project") || text.eq_ignore_ascii_case("404 Not Found") => {
            "\nWhat your token cannot see counts as missing: `tappet project list` shows what it can."
        }
        429 => "\nThe server has too much to do: try again later.",
        500.. => "\nThe server's own log says more.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"message":"404 Project Not Found"}"#, "404 Project Not Found")]
    #[case(
        r#"{"message":{"base":["Reference not found"]}}"#,
        "Reference not found"
    )]
    #[case(
        r#"{"message":{"path":["has already been taken"],"name":["is bad"]}}"#,
        "path has already been taken; name is bad"
    )]
    #[case(r#"{"message":{"error":"Too many requests."}}"#, "Too many requests.")]
    #[case(r#"{"error":"ref is missing"}"#, "ref is missing")]
    #[case(
        r#"{"error":"invalid_token","error_description":"Token is expired."}"#,
        "Token is expired."
    )]
    #[case(r#"{"detail":"CI config not found"}"#, "CI config not found")]
    #[case(
        r#"{"detail":[{"loc":["body","pr_sha"],"msg":"Field required"},{"loc":["body"],"msg":"Bad"}]}"#,
        "pr_sha: Field required; Bad"
    )]
    #[case("<html>", "status 418")]
    fn the_servers_words_are_found(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(words(418, body.as_bytes()), expected);
    }
}
