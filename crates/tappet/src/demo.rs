//! `tappet demo`: a sample project in a fresh server, and a run that was
//! started by the same API call that anybody's script would make.

mod follow;
mod sample;
mod table;

use anyhow::Context;
use serde_json::{Value, json};
use tappet_server::{Config, Server};
use tokio_util::sync::CancellationToken;

use crate::cli::DemoFlags;
use crate::client::Client;
use crate::serve::StopSignals;
use crate::{exit, serve};

/// Path of the sample project.
const PROJECT: &str = "demo/hello";

/// Shows one run; then stays up, or ends with the run's code.
pub fn run(flags: &DemoFlags) -> anyhow::Result<u8> {
    let directory = tempfile::Builder::new()
        .prefix("tappet-demo-")
        .tempdir()
        .context("cannot make a temporary directory")?;
    serve::runtime()?.block_on(async {
        let mut config = Config::new(
            ([127, 0, 0, 1], flags.port).into(),
            directory.path().join("data"),
        );
        config.slots = 2;
        let mut signals = StopSignals::listen()?;
        let server = Server::start(config).await?;
        println!("Tappet is listening on {}", server.app().config.url(""));
        let shown = tokio::select! {
            shown = show(&server, directory.path()) => shown,
            () = signals.next() => {
                stop(server).await;
                return Ok(exit::CANCELED);
            }
        };
        let (status, curl) = match shown {
            Ok(shown) => shown,
            Err(error) => {
                stop(server).await;
                return Err(error);
            }
        };
        if flags.once {
            stop(server).await;
            return Ok(exit::of_run(&status));
        }
        println!("\nLook at it:   {}", server.sign_in_link().await?);
        println!("              (signs you in once, within 15 minutes)");
        println!("Start another run:\n\n  {curl}\n");
        println!("Ctrl-C stops the demo and removes its data.");
        signals.serve(server).await;
        Ok(exit::SUCCESS)
    })
}

async fn stop(server: Server) {
    let hurry = CancellationToken::new();
    hurry.cancel();
    server.stop(hurry).await;
}

/// Everything between an empty server and a finished run; gives the run's
/// status and a `curl` that starts another one.
async fn show(server: &Server, scratch: &std::path::Path) -> anyhow::Result<(String, String)> {
    let repository = sample::create(server.app().repositories.git(), scratch)?;
    let client = Client::new(server.address(), server.root_token().0);
    let project = client
        .post(
            "/api/v4/projects",
            &json!({ "path": PROJECT, "import_url": repository }),
        )
        .await?;
    let id = project["id"].as_i64().context("the project has no id")?;
    let trigger = client
        .post(
            &format!("/api/v4/projects/{id}/triggers"),
            &json!({ "description": "demo" }),
        )
        .await?;
    let token = text(&trigger, "token")?;

    let path = format!("/api/v4/projects/{id}/trigger/pipeline");
    println!("POST {path}  token={token} ref=main variables[GREETING]=Hello");
    let run = client
        .post(
            &path,
            &json!({ "token": token, "ref": "main", "variables": { "GREETING": "Hello" } }),
        )
        .await?;
    println!("201  pipeline #{}  {}\n", run["id"], text(&run, "web_url")?);

    let status = follow::run(
        &client,
        id,
        run["id"].as_i64().context("the run has no id")?,
    )
    .await?;
    let jobs = client
        .get(&format!(
            "/api/v4/projects/{id}/pipelines/{}/jobs",
            run["id"]
        ))
        .await?;
    table::print(&jobs, &status);

    let curl = format!(
        "curl --request POST --form token={token} --form ref=main \\\n       \
         --form \"variables[GREETING]=Good morning\" \\\n       {}",
        server.app().config.url(&path)
    );
    Ok((status, curl))
}

fn text(value: &Value, key: &str) -> anyhow::Result<String> {
    let text = value[key]
        .as_str()
        .with_context(|| format!("the answer has no `{key}`"))?;
    Ok(text.to_owned())
}
