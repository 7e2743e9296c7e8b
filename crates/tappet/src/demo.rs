//! `tappet demo`: a sample project in a fresh server, and a run that was
//! started by the same API call that anybody's script would make.

mod sample;

use anyhow::Context;
use serde_json::{Value, json};
use tappet_server::{Config, Server};
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::cli::DemoFlags;
use crate::follow::{self, Form};
use crate::id::Place;
use crate::output::{self, paint};
use crate::serve::StopSignals;
use crate::{exit, serve, status};

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
        let (status, calls) = match shown {
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
        println!(
            "Start another run, through GitLab's API:\n\n  {}\n",
            calls.gitlab
        );
        println!("or a workflow, through Depot's:\n\n  {}\n", calls.depot);
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

/// A ready `curl` for each API that starts another run.
struct Calls {
    gitlab: String,
    depot: String,
}

/// Everything between an empty server and a finished run; gives the run's status
/// and how to start others.
async fn show(server: &Server, scratch: &std::path::Path) -> anyhow::Result<(String, Calls)> {
    let repository = sample::create(server.app().repositories.git(), scratch)?;
    let address = format!("http://{}", server.address());
    let api = Api::new(&address, Some(server.root_token().0.to_owned()))?;
    let project = json!({ "path": PROJECT, "import_url": repository });
    let project = api.post("/projects", &project).await?;
    let id = project["id"].as_i64().context("the project has no id")?;
    let project = format!("/projects/{id}");
    let trigger = json!({ "description": "demo" });
    let trigger = api.post(&format!("{project}/triggers"), &trigger).await?;
    let token = text(&trigger, "token")?;

    let path = format!("{project}/trigger/pipeline");
    println!("POST /api/v4{path}  token={token} ref=main variables[GREETING]=Hello");
    let run = api
        .post(
            &path,
            &json!({ "token": token, "ref": "main", "variables": { "GREETING": "Hello" } }),
        )
        .await?;
    println!("201  pipeline #{}  {}\n", run["id"], text(&run, "web_url")?);

    let place = Place {
        project,
        run: run["id"].as_i64().context("the run has no id")?,
        attempt: None,
    };
    let status = follow::run(&api, &place, Form::Text).await?;
    output::print("\n")?;
    status::print_jobs(place.jobs(&api).await?)?;
    let style = paint::status(&status);
    output::print(format_args!(
        "\nThe run ended with {style}{status}{style:#}.\n"
    ))?;

    let config = &server.app().config;
    let gitlab = format!(
        "curl --request POST --form token={token} --form ref=main \\\n       \
         --form \"variables[GREETING]=Good morning\" \\\n       {}",
        config.url(&format!("/api/v4{path}"))
    );
    let call = json!({ "repo": PROJECT, "workflow": ".depot/workflows/hello.yml" });
    let depot = format!(
        "curl --header \"Authorization: Bearer {}\" \\\n       --json '{call}' \\\n       {}",
        server.root_token().0,
        config.url("/depot.ci.v1.CIService/Run")
    );
    Ok((status, Calls { gitlab, depot }))
}

fn text(value: &Value, key: &str) -> anyhow::Result<String> {
    let text = value[key]
        .as_str()
        .with_context(|| format!("the answer has no `{key}`"))?;
    Ok(text.to_owned())
}
