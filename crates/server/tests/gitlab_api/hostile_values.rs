//! Values that mean harm, wherever a value can stand.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::api::operation::Place;
use tappet_server::api::routes_of_all;
use tappet_server::testing::git;

use super::operations::{self, address, first, fitting, is_stream, reads};
use super::{Scene, assert_reply};

/// For a query, encoded already.
const IN_QUERIES: [&str; 10] = [
    "%27%3B%20DROP%20TABLE%20runs%3B--",
    "%22%20OR%201%3D1%20--",
    "id%3B--",
    "%25",
    "%00",
    "%FF",
    "1000000000",
    "-1",
    "99999999999999999999",
    "%F0%9F%92%A3%0A%0D",
];

#[tokio::test]
async fn no_value_of_any_filter_reaches_the_database_as_sql() {
    let scene = Scene::new().await;
    operations::furnish(&scene).await;
    let before = operations::holdings(&scene).await;
    let project = scene.project.to_string();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (base, operation) in routes_of_all().operations() {
        if !reads(operation) || is_stream(operation) {
            continue;
        }
        let path = address(base, operation, |name| first(name, &project));
        let parameters = operation.parameters.iter();
        for parameter in parameters.filter(|parameter| parameter.place == Place::Query) {
            for value in IN_QUERIES {
                for name in [parameter.name.to_owned(), format!("{}[]", parameter.name)] {
                    count += 1;
                    let path = format!("{path}?{name}={value}");
                    let reply = scene.server.get(&path).root().send().await;
                    if reply.status >= 500 || reply.text().to_lowercase().contains("sql") {
                        wrong.push(format!("{path}: {} {}", reply.status, reply.text()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 1000, "only {count} values were tried");
    assert_eq!(operations::holdings(&scene).await, before);
}

/// Every parameter of every operation that changes something, beside others that
/// fit. What people do to themselves is left out: root would lose the way in.
#[tokio::test]
async fn no_value_of_any_parameter_breaks_a_call() {
    let scene = Scene::new().await;
    operations::furnish(&scene).await;
    let project = scene.project.to_string();
    let values = [
        json!("'; DROP TABLE runs;--"),
        json!(1_000_000_000_000_000_000_000_000f64),
        json!(-1),
        json!(["x", { "y": [1] }]),
        json!({ "x": { "y": null } }),
        json!("\u{202e}\r\n\u{1b}[31m"),
    ];
    let mut wrong = Vec::new();
    for (base, operation) in routes_of_all().operations() {
        let of_people = ["/users", "/personal_access_tokens", "/user"];
        let of_people = of_people
            .iter()
            .any(|path| operation.path.starts_with(path));
        if reads(operation) || operation.method == http::Method::DELETE || of_people {
            continue;
        }
        let path = address(base, operation, |name| first(name, &project));
        let fits: serde_json::Map<String, Value> = operation
            .parameters
            .iter()
            .filter(|parameter| parameter.place == Place::Body)
            .map(|parameter| (parameter.name.to_owned(), fitting(parameter)))
            .collect();
        for name in fits.keys() {
            for value in &values {
                let mut body = fits.clone();
                body.insert(name.clone(), value.clone());
                let request = scene.server.request(operation.method.as_str(), &path);
                let reply = request.root().json(&Value::Object(body)).send().await;
                if reply.status >= 500 {
                    let method = &operation.method;
                    let text = reply.text();
                    wrong.push(format!("{method} {path} {name}={value}: {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let user = scene.server.get("/api/v4/user").root().send().await;
    assert_eq!(user.json()["username"], "root");
}

/// Names that no ref may have, or that git would take for something else.
fn bad_refs() -> Vec<String> {
    let mut names = [
        "-x",
        "--upload-pack=touch pwned",
        "--output=pwned",
        "-",
        "../../x",
        "refs/heads/a..b",
        "a..b",
        "main..main",
        "@",
        "@{-1}",
        "@{u}",
        "main@{0}",
        "main@{upstream}",
        "HEAD",
        "FETCH_HEAD",
        "main~0",
        "main^",
        "main^{commit}",
        "main:",
        "main:.gitlab-ci.yml",
        ":/Initial",
        "main\nx",
        "main\rx",
        " main",
        "main ",
        "main.lock",
        "/main",
        "main/",
        "a//b",
        ".main",
        "a/.b",
        "ma*n",
        "ma?n",
        "ma[i]n",
        "ma\\in",
        "ma\u{7f}in",
        "refs/heads/",
        "refs/../refs/heads/main",
        "heads/main",
        "$(touch pwned)",
        "`touch pwned`",
        "main;touch pwned",
        "ｍａｉｎ",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(10 * 1024));
    names.push("a/".repeat(5 * 1024) + "b");
    names
}

fn encoded(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// `REF` stands for the name, encoded. What only lists is empty; what shows or
/// starts something is refused.
#[rstest]
#[case::trigger("POST", "/trigger/pipeline?token=TOKEN&ref=REF", &[400])]
#[case::trigger_by_path("POST", "/ref/REF/trigger/pipeline?token=TOKEN", &[400])]
#[case::pipeline("POST", "/pipeline?ref=REF", &[400])]
#[case::schedule("POST", "/pipeline_schedules?description=x&cron=0%201%20*%20*%20*&ref=REF", &[400])]
#[case::latest("GET", "/pipelines/latest?ref=REF", &[403, 404])]
#[case::branch("GET", "/repository/branches/REF", &[400, 404])]
#[case::tag("GET", "/repository/tags/REF", &[400, 404])]
#[case::lint("GET", "/ci/lint?content_ref=REF", &[400, 404])]
#[case::artifacts("GET", "/jobs/artifacts/REF/download?job=build", &[400, 404])]
#[tokio::test]
async fn a_bad_ref_is_nothing_anywhere(
    #[case] method: &str,
    #[case] rest: &str,
    #[case] statuses: &[u16],
) {
    let scene = Scene::new().await;
    scene.run().await;
    let token = scene.server.trigger(scene.project).await;
    for name in bad_refs() {
        let rest = rest
            .replace("TOKEN", &token)
            .replace("REF", &encoded(&name));
        let request = scene.server.request(method, &scene.path(&rest)).root();
        let reply = request.send().await;
        // GitLab's look-up of commits knows `HEAD`.
        let is_head = name == "HEAD" && rest.starts_with("/ci/lint") && reply.status == 200;
        assert!(
            is_head || statuses.contains(&reply.status),
            "{name:.40}: {} {}",
            reply.status,
            reply.text()
        );
    }
    assert_eq!(scene.runs().await, 1);
    let schedules = scene.get("/pipeline_schedules").await;
    assert_reply(&schedules, 200, &json!([]));
}

#[tokio::test]
async fn a_bad_ref_starts_no_build_of_version_3_either() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let v3 = format!("/api/v3/projects/{}", scene.project);
    for name in bad_refs() {
        let reference = encoded(&name);
        for path in [
            format!("{v3}/trigger/builds?token={token}&ref={reference}"),
            format!("{v3}/ref/{reference}/trigger/builds?token={token}"),
            format!(
                "/api/v1/projects/{}/refs/{reference}/trigger?token={token}",
                scene.project
            ),
        ] {
            let reply = scene.server.post(&path).send().await;
            let refused = [400, 404].contains(&reply.status);
            assert!(
                refused,
                "{name:.40} at {path:.40}: {} {}",
                reply.status,
                reply.text()
            );
        }
    }
    assert_eq!(scene.runs().await, 0);
}

#[tokio::test]
async fn a_commit_is_named_by_its_id_a_branch_or_a_tag_and_by_no_expression() {
    let scene = Scene::new().await;
    for name in bad_refs() {
        let rest = format!("/repository/commits/{}", encoded(&name));
        let reply = scene.get(&rest).await;
        // GitLab's own commit look-up knows `HEAD`.
        let known = name == "HEAD" && reply.status == 200;
        let refused = [400, 404].contains(&reply.status);
        assert!(
            known || refused,
            "{name:.40}: {} {}",
            reply.status,
            reply.text()
        );
    }
}

#[rstest]
#[case("ssh://-oProxyCommand=touch%20pwned/x")]
#[case("ssh://git@-oProxyCommand=touch/x")]
#[case("-oProxyCommand=touch:x")]
#[case("git@-oProxyCommand=x:a")]
#[case("ssh://example.com/-x")]
#[case("--upload-pack=touch pwned")]
#[case("ext::sh -c touch% pwned")]
#[case("ext::sh")]
#[case("EXT::sh")]
#[case("fd::17")]
#[case("fd::17/x")]
#[case("transport-helper::x")]
#[case("file:///etc")]
#[case("file://example.com/x")]
#[case("/etc")]
#[case("/etc/passwd")]
#[case("/dev/zero")]
#[case("/proc/self")]
#[case("relative/path")]
#[case("../up")]
#[case("javascript:alert(1)")]
#[case("gopher://example.com/x")]
#[case("ftp://example.com/x")]
#[case("https://example.com/a\nb")]
#[case("https://example.com/a?x=--upload-pack")]
#[case("https://exa$(id)mple/a")]
#[case("https://")]
#[tokio::test]
async fn an_address_that_runs_or_reads_something_else_is_no_repository(#[case] url: &str) {
    let scene = Scene::new().await;
    let before = scene.get("").await.text();
    let body = json!({ "path": "acme/evil", "import_url": url });
    let request = scene.server.post("/api/v4/projects").root();
    let reply = request.json(&body).send().await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let change = scene.server.request("PUT", &scene.path("")).root();
    let reply = change.json(&json!({ "import_url": url })).send().await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(scene.get("").await.text(), before);
    let missing = scene.server.get("/api/v4/projects/acme%2Fevil").root();
    assert_eq!(missing.send().await.status, 404);
}

#[rstest]
#[case("acme%2Fweb%2F..%2Fweb")]
#[case("acme%2F.%2Fweb")]
#[case("acme%2F%2Fweb")]
#[case("%2Facme%2Fweb")]
#[case("acme%2Fweb%2F")]
#[case("..%2Facme%2Fweb")]
#[case("acme%252Fweb")]
#[case("acme%25252Fweb")]
#[case("acme%5Cweb")]
#[case("acme%c0%afweb")]
#[case("acme%2Fweb%00")]
#[case("acme%2Fweb%20")]
#[case("%61cme%252fweb")]
#[case("acme%2Fweb.git")]
#[case("1%00")]
#[case("+1")]
#[case("-1")]
#[case("1.0")]
#[case("0x1")]
#[case("%EF%BC%91")]
#[case("9223372036854775808")]
#[tokio::test]
async fn a_project_has_one_spelling(#[case] id: &str) {
    let scene = Scene::new().await;
    for rest in ["", "/pipelines", "/triggers"] {
        let path = format!("/api/v4/projects/{id}{rest}");
        let reply = scene.server.get(&path).root().send().await;
        let refused = [400, 404].contains(&reply.status);
        assert!(refused, "{path}: {} {}", reply.status, reply.text());
    }
}

#[rstest]
#[case("ACME%2FWEB")]
#[case("%61%63%6d%65%2f%77%65%62")]
#[case("aCmE%2fwEb")]
#[tokio::test]
async fn case_and_needless_encoding_name_the_same_project(#[case] id: &str) {
    let scene = Scene::new().await;
    let reply = scene.server.get(&format!("/api/v4/projects/{id}")).root();
    assert_eq!(reply.send().await.json()["id"], scene.project);
    let again = json!({ "path": "ACME/Web", "import_url": scene.server.repository("twin", &[]) });
    let request = scene.server.post("/api/v4/projects").root();
    let reply = request.json(&again).send().await;
    assert_eq!(reply.status, 400, "{}", reply.text());
}

#[tokio::test]
async fn a_branch_that_looks_like_an_option_is_only_a_name() {
    let scene = Scene::new().await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    git(&repository, &["update-ref", "refs/heads/-x", "HEAD"]);
    let name = encoded("-x");
    for rest in ["/repository/branches/", "/repository/commits?ref_name="] {
        let reply = scene.get(&format!("{rest}{name}")).await;
        assert!([200, 400, 404].contains(&reply.status), "{}", reply.text());
    }
    for rest in [
        "/repository/branches",
        "/repository/tags",
        "/repository/commits",
    ] {
        assert_eq!(scene.get(rest).await.status, 200, "{rest}");
    }
}
