//! Signing in and out.

use tappet_server::testing::{ROOT_TOKEN, TestReply, TestServer};

use super::visitor::{self, cookie_of};

#[tokio::test]
async fn a_token_signs_in_and_leads_back_to_where_one_was() {
    let server = TestServer::start().await;
    visitor::project(&server).await;
    let refused = server.get("/acme/web/-/pipelines?page=2").send().await;
    assert_eq!(refused.status, 303);
    let to = "%2Facme%2Fweb%2F%2D%2Fpipelines%3Fpage%3D2";
    assert_eq!(refused.header("location"), format!("/-/sign_in?to={to}"));

    let reply = visitor::sign_in(&server, ROOT_TOKEN, to).await;
    assert_eq!(reply.status, 303);
    assert_eq!(reply.header("location"), "/acme/web/-/pipelines?page=2");
    let cookie = reply.header("set-cookie");
    assert!(
        cookie.ends_with("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    let page = server
        .get("/acme/web")
        .header("cookie", &cookie_of(&reply))
        .send()
        .await;
    assert_eq!(page.header("location"), "/acme/web/-/pipelines");
}

#[tokio::test]
async fn a_wrong_token_is_told_so_and_gets_no_session() {
    let server = TestServer::start().await;
    let reply = visitor::sign_in(&server, "glpat-wrong", "/projects").await;
    assert_eq!(reply.status, 401);
    assert!(reply.text().contains("No such token"));
    assert!(reply.text().contains("value=\"/projects\""));
    assert_eq!(reply.header("set-cookie"), "");
}

#[tokio::test]
async fn another_sites_form_cannot_sign_anybody_in() {
    let server = TestServer::start().await;
    let reply = server
        .post("/-/sign_in")
        .header("origin", "http://evil.example")
        .form(&format!("token={ROOT_TOKEN}"))
        .send()
        .await;
    assert_eq!(reply.status, 403);
    assert_eq!(reply.header("set-cookie"), "");
}

#[tokio::test]
async fn a_link_signs_in_once_and_a_preview_does_not_use_it_up() {
    let server = TestServer::start().await;
    let link = sign_in_link(&server).await;
    let preview = server.request("HEAD", &link).send().await;
    assert_eq!((preview.status, preview.header("set-cookie")), (204, ""));
    let prefetch = server
        .get(&link)
        .header("sec-purpose", "prefetch")
        .send()
        .await;
    assert_eq!((prefetch.status, prefetch.header("set-cookie")), (204, ""));

    let first = server.get(&link).send().await;
    assert_eq!((first.status, first.header("location")), (303, "/"));
    let home = server
        .get("/")
        .header("cookie", &cookie_of(&first))
        .send()
        .await;
    assert!(home.text().contains("Sign out"));

    let second = server.get(&link).send().await;
    assert_eq!(second.status, 401);
    assert!(second.text().contains("used already"));
}

async fn sign_in_link(server: &TestServer) -> String {
    let app = server.app();
    let now = tappet_server::clock::now();
    let root = app
        .store
        .ensure_root(tappet_server::secrets::hash(ROOT_TOKEN), now)
        .await
        .unwrap();
    let token = tappet_server::secrets::new_token("tpsi-");
    let life = std::time::Duration::from_secs(900);
    let hash = tappet_server::secrets::hash(&token);
    app.store
        .create_sign_in(hash, root.id, now.plus(life))
        .await
        .unwrap();
    format!("/-/sign_in/{token}")
}

#[tokio::test]
async fn signing_out_ends_the_session_and_not_only_the_cookie() {
    let server = TestServer::start().await;
    let root = visitor::root(&server).await;
    assert!(root.look("/projects").await.contains("Sign out"));
    let reply = root.press("/-/sign_out").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, "/-/sign_in")
    );
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(root.get("/projects").send().await.status, 303);
}

#[tokio::test]
async fn looking_does_not_sign_out() {
    let server = TestServer::start().await;
    let root = visitor::root(&server).await;
    let reply = root.get("/-/sign_out").send().await;
    assert_eq!((reply.status, reply.header("allow")), (405, "POST"));
    assert_eq!(root.get("/projects").send().await.status, 200);
}

#[tokio::test]
async fn a_session_reads_the_api_but_does_not_write_it() {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    let run = visitor::trigger_run(&server, project, serde_json::json!({})).await;
    let root = visitor::root(&server).await;
    let path = format!("/api/v4/projects/{project}/pipelines/{run}");
    assert_eq!(root.get(&path).send().await.status, 200);
    let cancel = root.press(&format!("{path}/cancel")).await;
    assert_eq!(cancel.status, 401, "{}", cancel.text());
}

async fn with_password(server: &TestServer, login: &str, password: &str) -> TestReply {
    server
        .post("/-/sign_in")
        .header("sec-fetch-site", "same-origin")
        .form(&format!("login={login}&password={password}&to=%2Fprojects"))
        .send()
        .await
}

async fn ada(server: &TestServer) {
    let body = serde_json::json!({
        "username": "ada", "name": "Ada", "email": "ada@example.com", "password": "correct horse",
    });
    let reply = server.post("/api/v4/users").root().json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[tokio::test]
async fn a_password_signs_in_by_name_or_address() {
    let server = TestServer::start().await;
    ada(&server).await;
    for login in ["ada", "ADA", "ada%40example.com"] {
        let reply = with_password(&server, login, "correct+horse").await;
        assert_eq!((reply.status, reply.header("location")), (303, "/projects"));
        let home = server
            .get("/projects")
            .header("cookie", &cookie_of(&reply))
            .send()
            .await;
        assert_eq!(home.status, 200);
    }
}

#[tokio::test]
async fn nobody_learns_whether_the_name_or_the_password_was_wrong() {
    let server = TestServer::start().await;
    ada(&server).await;
    let page = async |login: &str| {
        let reply = with_password(&server, login, "wrong+horse").await;
        assert_eq!((reply.status, reply.header("set-cookie")), (401, ""));
        reply.text().replace(login, "NAME")
    };
    let known = page("ada").await;
    assert!(known.contains("Wrong name or password."), "{known}");
    assert_eq!(known, page("zoe").await);
    server.user("bob").await;
    assert_eq!(known, page("bob").await, "bob has no password");
}

#[tokio::test]
async fn who_guesses_has_to_rest() {
    // From ever other addresses.
    let server =
        TestServer::start_with(|config| config.limits.failed_sign_ins_per_minute = 0).await;
    ada(&server).await;
    for _ in 0..10 {
        assert_eq!(with_password(&server, "ada", "guess").await.status, 401);
    }
    let reply = with_password(&server, "ada", "correct+horse").await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "600"));
    assert_eq!(reply.header("set-cookie"), "");
}

#[tokio::test]
async fn an_address_that_keeps_failing_has_to_wait_with_the_right_token_too() {
    let server = TestServer::start().await;
    for nth in 0..10 {
        let reply = visitor::sign_in(&server, &format!("glpat-guess-{nth}"), "").await;
        assert_eq!(reply.status, 401);
    }
    let reply = visitor::sign_in(&server, ROOT_TOKEN, "").await;
    assert_eq!((reply.status, reply.header("set-cookie")), (429, ""));
    assert!(
        reply
            .text()
            .contains("Too many failed attempts from your address")
    );
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn signing_in_rightly_is_never_too_often() {
    let server =
        TestServer::start_with(|config| config.limits.failed_sign_ins_per_minute = 1).await;
    for _ in 0..5 {
        assert_eq!(visitor::sign_in(&server, ROOT_TOKEN, "").await.status, 303);
    }
    assert_eq!(
        visitor::sign_in(&server, "glpat-wrong", "").await.status,
        401
    );
    assert_eq!(
        visitor::sign_in(&server, "glpat-wrong", "").await.status,
        429
    );
}
