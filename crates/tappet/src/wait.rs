//! Waits for a run that was just started.

use std::future::Future;

use crate::api::Api;
use crate::exit;
use crate::follow::{self, Form};
use crate::id::Place;
use crate::output::Output;
use crate::status;

/// Waits for the end of a run, or until it stops at a manual job, and prints it; the
/// exit code is the run's. `instead` may know a better one for a run that ended, and
/// is asked last.
pub async fn until_over<F>(
    api: &Api,
    output: Output,
    place: &Place,
    follows: bool,
    instead: impl FnOnce() -> F,
) -> anyhow::Result<u8>
where
    F: Future<Output = anyhow::Result<Option<u8>>>,
{
    let form = match (follows, output) {
        (false, _) => Form::Quiet,
        (true, Output::Text) => Form::Text,
        (true, Output::Json) => Form::Json,
    };
    let following = async {
        let status = follow::run(api, place, form).await?;
        if form != Form::Json {
            status::print_run(api, output, place).await?;
        }
        Ok((status, instead().await?))
    };
    follow::or_interrupted(place.run, following, |(status, code)| {
        code.unwrap_or_else(|| exit::of_run(&status))
    })
    .await
}
