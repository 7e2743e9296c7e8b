//! Style sheets, modules and the icon, embedded in the program.
//!
//! All addresses hold one digest of all assets, so a browser may keep them for
//! ever and modules can import each other by relative names.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};

use super::log_view::palette;

const CSS: &str = "text/css; charset=utf-8";
const MODULE: &str = "text/javascript; charset=utf-8";

struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: String,
}

struct Assets {
    all: Vec<Asset>,
    digest: String,
}

macro_rules! file {
    ($name:literal, $content_type:expr) => {
        Asset {
            name: $name,
            content_type: $content_type,
            content: include_str!(concat!("../../../../ui/", $name)).to_owned(),
        }
    };
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let all = vec![
        file!("tappet.css", CSS),
        file!("tappet.js", MODULE),
        file!("refresh.js", MODULE),
        file!("times.js", MODULE),
        file!("pipeline.js", MODULE),
        file!("log.js", MODULE),
        file!("terminal.js", MODULE),
        file!("icon.svg", "image/svg+xml"),
        Asset {
            name: "palette.css",
            content_type: CSS,
            content: palette::css(),
        },
    ];
    let mut digest = Sha256::new();
    for asset in &all {
        digest.update(asset.name);
        digest.update((asset.content.len() as u64).to_be_bytes());
        digest.update(&asset.content);
    }
    let digest = digest
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Assets { all, digest }
});

/// The folder of all assets below the path prefix: `/-/assets/0123456789abcdef`.
pub fn folder() -> String {
    format!("/-/assets/{}", ASSETS.digest)
}

/// `GET /-/assets/:digest/:name`. A page of an earlier version gets today's file,
/// but may not keep it.
pub async fn serve(Path((digest, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.all.iter().find(|asset| asset.name == name) else {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    };
    let etag = format!("\"{}\"", ASSETS.digest);
    let caching = if digest == ASSETS.digest {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let known = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let shared = [
        (CACHE_CONTROL, caching),
        (ETAG, &etag),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, shared).into_response();
    }
    (
        shared,
        [(CONTENT_TYPE, asset.content_type)],
        asset.content.as_str(),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_loaded_from_outside_and_all_of_it_is_small() {
        let mut bytes = 0;
        for asset in &ASSETS.all {
            bytes += asset.content.len();
            let outside = asset.content.replace("http://www.w3.org/2000/svg", "");
            assert!(!outside.contains("http://"), "{}", asset.name);
            assert!(!outside.contains("https://"), "{}", asset.name);
            assert!(!outside.contains("url("), "{}", asset.name);
        }
        assert!(bytes < 100_000, "{bytes}");
    }

    #[test]
    fn modules_never_make_html_of_text() {
        for asset in ASSETS
            .all
            .iter()
            .filter(|asset| asset.content_type == MODULE)
        {
            for forbidden in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "eval(",
                "document.write",
            ] {
                assert!(
                    !asset.content.contains(forbidden),
                    "{}: {forbidden}",
                    asset.name
                );
            }
        }
    }
}
