//! Variables kept in the settings of projects, groups and the instance.

use serde_json::{Value, json};
use tappet_model::ProjectId;
use tappet_server::clock;
use tappet_server::secrets::hash;
use tappet_server::testing::{TestReply, TestServer};
use tappet_store::{Member, NewAccessToken, NewUser, Profile};

use super::{Scene, assert_reply};

const PROJECT: &str = "/api/v4/projects/acme%2Fweb/variables";
const GROUP: &str = "/api/v4/groups/acme/variables";
const INSTANCE: &str = "/api/v4/admin/ci/variables";
const LEVELS: [&str; 3] = [PROJECT, GROUP, INSTANCE];

const SEVERAL: &str = "There are multiple variables with provided parameters. \
                       Please use 'filter[environment_scope]'";

async fn send(server: &TestServer, method: &str, path: &str, body: Value) -> TestReply {
    server.request(method, path).root().json(&body).send().await
}

async fn add(server: &TestServer, level: &str, body: Value) -> Value {
    let reply = send(server, "POST", level, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

fn whole() -> Value {
    json!({
        "variable_type": "env_var", "key": "A", "value": "1", "hidden": false,
        "protected": false, "masked": false, "raw": false, "environment_scope": "*",
        "description": null,
    })
}

#[tokio::test]
async fn a_variable_comes_goes_and_looks_the_same_at_every_level() {
    let scene = Scene::new().await;
    let server = &scene.server;
    for level in LEVELS {
        let mut expected = whole();
        if level == INSTANCE {
            let fields = expected.as_object_mut().unwrap();
            fields.remove("hidden");
            fields.remove("environment_scope");
        }
        assert_eq!(
            add(server, level, json!({"key": "A", "value": "1"})).await,
            expected
        );
        let one = format!("{level}/A");
        let list = server.get(level).root().send().await;
        assert_eq!(
            (list.json(), list.header("x-total")),
            (json!([expected]), "1")
        );

        let change = json!({
            "key": "B", "value": "two", "variable_type": "file", "protected": "true",
            "raw": true, "description": "why",
        });
        for (field, value) in change.as_object().unwrap() {
            match field.as_str() {
                "key" => {}
                "protected" => expected["protected"] = json!(true),
                field => expected[field] = value.clone(),
            }
        }
        let reply = send(server, "PUT", &one, change).await;
        assert_reply(&reply, 200, &expected);
        assert_reply(&server.get(&one).root().send().await, 200, &expected);

        let reply = server.request("DELETE", &one).root().send().await;
        assert_eq!((reply.status, reply.text().as_str()), (204, ""));
        assert_eq!(server.get(&one).root().send().await.status, 404);
    }
}

#[tokio::test]
async fn parameters_may_come_as_a_form_too() {
    let scene = Scene::new().await;
    let form = "key=A&value=x%26y&protected=1&environment_scope=review/*";
    let reply = scene.server.post(PROJECT).root().form(form).send().await;
    let shown = reply.json();
    assert_eq!((reply.status, &shown["value"]), (201, &json!("x&y")));
    assert_eq!(shown["protected"], true);
    assert_eq!(shown["environment_scope"], "review/*");
}

#[tokio::test]
async fn what_is_wrong_with_a_new_variable_is_said_in_gitlabs_words() {
    let scene = Scene::new().await;
    let server = &scene.server;
    add(server, PROJECT, json!({"key": "TAKEN", "value": "x"})).await;
    let long = "x".repeat(256);
    let letters = "can contain only letters, digits and '_'.";
    let scopes =
        "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', '*' and spaces";
    let too_long = "is too long (maximum is 255 characters)";
    let message = |fields: Value| json!({ "message": fields });
    let cases = [
        (
            json!({}),
            json!({"error": "key is missing, value is missing"}),
        ),
        (json!({"key": "A"}), json!({"error": "value is missing"})),
        (
            json!({"key": ["A"], "value": "x"}),
            json!({"error": "key is invalid"}),
        ),
        (
            json!({"key": "A", "value": {"a": 1}}),
            json!({"error": "value is invalid"}),
        ),
        (
            json!({"key": "A", "value": "x", "variable_type": "secret"}),
            json!({"error": "variable_type does not have a valid value"}),
        ),
        (
            json!({"key": "A", "value": "x", "protected": "maybe", "masked": "no", "raw": 7}),
            json!({"error": "protected is invalid, raw is invalid"}),
        ),
        (
            json!({"key": "", "value": "x"}),
            message(json!({"key": ["can't be blank", letters]})),
        ),
        (
            json!({"key": "A-B", "value": "x"}),
            message(json!({"key": [letters]})),
        ),
        (
            json!({"key": long, "value": "x"}),
            message(json!({"key": [too_long]})),
        ),
        (
            json!({"key": "TAKEN", "value": "y"}),
            message(json!({"key": ["(TAKEN) has already been taken"]})),
        ),
        (
            json!({"key": "A", "value": "hunter2", "masked": true}),
            message(json!({"value": ["is invalid"]})),
        ),
        (
            json!({"key": "A", "value": "two\nlines of it", "masked_and_hidden": true}),
            message(json!({"value": ["is invalid"]})),
        ),
        (
            json!({"key": "A", "value": "x", "environment_scope": "a?b"}),
            message(json!({"environment_scope": [scopes]})),
        ),
        (
            json!({"key": "A", "value": "x", "environment_scope": " "}),
            message(json!({"environment_scope": ["can't be blank", scopes]})),
        ),
        (
            json!({"key": "A", "value": "x", "description": long}),
            message(json!({"description": [too_long]})),
        ),
    ];
    for (body, expected) in cases {
        let reply = send(server, "POST", PROJECT, body).await;
        assert_reply(&reply, 400, &expected);
    }
    let list = server.get(PROJECT).root().send().await.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_instance_variable_has_a_limit() {
    let scene = Scene::new().await;
    let body = json!({"key": "A", "value": "x".repeat(10_001)});
    let reply = send(&scene.server, "POST", INSTANCE, body).await;
    let told = "The value of the provided variable exceeds the 10000 character limit";
    assert_reply(&reply, 400, &json!({"message": {"value": [told]}}));
    for at in 0..25 {
        add(
            &scene.server,
            INSTANCE,
            json!({"key": format!("A{at}"), "value": "x"}),
        )
        .await;
    }
    let reply = send(
        &scene.server,
        "POST",
        INSTANCE,
        json!({"key": "B", "value": "x"}),
    )
    .await;
    let told = "Maximum number of ci instance level variables (25) exceeded";
    assert_reply(&reply, 400, &json!({"message": {"base": [told]}}));
}

#[tokio::test]
async fn a_name_may_come_again_for_another_environment() {
    let scene = Scene::new().await;
    let server = &scene.server;
    for level in [PROJECT, GROUP] {
        for scope in ["*", "production"] {
            let body = json!({"key": "A", "value": scope, "environment_scope": scope});
            add(server, level, body).await;
        }
        let one = format!("{level}/A");
        let only = |scope: &str| format!("{one}?filter%5Benvironment_scope%5D={scope}");
        for method in ["GET", "PUT", "DELETE"] {
            let reply = send(server, method, &one, json!({})).await;
            assert_reply(&reply, 409, &json!({ "message": SEVERAL }));
        }
        let found = server.get(&only("production")).root().send().await;
        assert_eq!(found.json()["value"], "production");
        assert_eq!(server.get(&only("staging")).root().send().await.status, 404);

        let body = json!({"value": "new", "filter": {"environment_scope": "production"}});
        assert_eq!(send(server, "PUT", &one, body).await.json()["value"], "new");
        let taken = json!({"environment_scope": "*"});
        let reply = send(server, "PUT", &only("production"), taken).await;
        let told = json!({"message": {"key": ["(A) has already been taken"]}});
        assert_reply(&reply, 400, &told);

        let reply = server.request("DELETE", &only("%2A")).root().send().await;
        assert_eq!(reply.status, 204);
        assert_eq!(server.get(&one).root().send().await.json()["value"], "new");
        let reply = server
            .get(&format!("{one}?filter=production"))
            .root()
            .send()
            .await;
        assert_reply(&reply, 400, &json!({"error": "filter is invalid"}));
    }
}

#[tokio::test]
async fn a_missing_variable_is_named_as_its_level_names_it() {
    let scene = Scene::new().await;
    for (level, thing) in [
        (PROJECT, "Variable"),
        (GROUP, "GroupVariable"),
        (INSTANCE, "InstanceVariable"),
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let reply = send(&scene.server, method, &format!("{level}/NONE"), json!({})).await;
            let told = format!("404 {thing} Not Found");
            assert_reply(&reply, 404, &json!({ "message": told }));
        }
    }
}

#[tokio::test]
async fn the_value_of_a_hidden_variable_is_never_shown_again() {
    let scene = Scene::new().await;
    let server = &scene.server;
    for level in [PROJECT, GROUP] {
        let body = json!({"key": "A", "value": "hunter22", "masked_and_hidden": true});
        let made = add(server, level, body).await;
        let kept = (&made["value"], &made["hidden"], &made["masked"]);
        assert_eq!(kept, (&Value::Null, &json!(true), &json!(true)));

        let one = format!("{level}/A");
        let told = "The visibility setting cannot be changed for masked and hidden variables.";
        let reply = send(server, "PUT", &one, json!({"masked": false})).await;
        assert_reply(&reply, 400, &json!({"message": {"base": [told]}}));
        // What is no parameter of a change is ignored, as GitLab does.
        let same = json!({"masked": true, "hidden": false, "masked_and_hidden": false,
                          "description": "d"});
        let reply = send(server, "PUT", &one, same).await;
        let shown = reply.json();
        assert_eq!(
            (&shown["value"], &shown["description"]),
            (&Value::Null, &json!("d"))
        );
        let reply = send(server, "PUT", &one, json!({"value": "hunter33"})).await;
        let list = server.get(level).root().send().await;
        for text in [reply.text(), list.text()] {
            assert!(!text.contains("hunter"), "{text}");
        }
    }
}

#[tokio::test]
async fn an_open_variable_can_be_masked_when_its_value_can_be() {
    let scene = Scene::new().await;
    add(
        &scene.server,
        PROJECT,
        json!({"key": "A", "value": "short"}),
    )
    .await;
    let one = format!("{PROJECT}/A");
    let reply = send(&scene.server, "PUT", &one, json!({"masked": true})).await;
    assert_reply(&reply, 400, &json!({"message": {"value": ["is invalid"]}}));
    let both = json!({"masked": true, "value": "hunter22"});
    let reply = send(&scene.server, "PUT", &one, both).await;
    assert_eq!(reply.json()["masked"], true);
}

#[tokio::test]
async fn nobody_in_particular_is_refused_before_anything_is_looked_at() {
    let scene = Scene::new().await;
    let unauthorized = json!({"message": "401 Unauthorized"});
    for level in LEVELS.into_iter().chain(["/api/v4/groups/none/variables"]) {
        for (method, rest) in [
            ("GET", ""),
            ("POST", ""),
            ("GET", "/A"),
            ("PUT", "/A"),
            ("DELETE", "/A"),
        ] {
            let request = scene.server.request(method, &format!("{level}{rest}"));
            assert_reply(&request.send().await, 401, &unauthorized);
        }
    }
}

#[tokio::test]
async fn a_group_is_there_when_a_project_lives_under_it() {
    let scene = Scene::new().await;
    let server = &scene.server;
    server.project("Deep/Down/tool", &[]).await;
    let missing = json!({"message": "404 Group Not Found"});
    for path in [
        "none",
        "ac",
        "acme%2Fweb",
        "deep%2Fdown%2Ftool",
        "1",
        "deep%2F",
    ] {
        let reply = server
            .get(&format!("/api/v4/groups/{path}/variables"))
            .root()
            .send()
            .await;
        assert_reply(&reply, 404, &missing);
    }
    for path in ["acme", "ACME", "deep", "deep%2Fdown"] {
        let reply = server
            .get(&format!("/api/v4/groups/{path}/variables"))
            .root()
            .send()
            .await;
        assert_reply(&reply, 200, &json!([]));
    }
    add(server, GROUP, json!({"key": "A", "value": "1"})).await;
    let reply = server
        .get("/api/v4/groups/ACME/variables/A")
        .root()
        .send()
        .await;
    assert_eq!(reply.json()["value"], "1");
}

#[tokio::test]
async fn the_database_holds_no_value_in_clear() {
    let scene = Scene::new().await;
    for level in LEVELS {
        add(
            &scene.server,
            level,
            json!({"key": "A", "value": "very-secret-value"}),
        )
        .await;
    }
    for name in ["tappet.db", "tappet.db-wal"] {
        let bytes = std::fs::read(scene.server.data_dir().join(name)).unwrap();
        let found = bytes
            .windows(17)
            .any(|window| window == b"very-secret-value");
        assert!(!found, "{name}");
    }
}

/// A new person with this access level in the scene's project, or none; gives
/// their token.
async fn person(scene: &Scene, name: &str, level: Option<u32>) -> String {
    let store = &scene.server.app().store;
    let now = clock::now();
    let new = NewUser {
        username: name.into(),
        name: name.into(),
        email: format!("{name}@example.com"),
        is_admin: false,
        is_external: false,
        password: None,
        profile: Profile::default(),
        now,
    };
    let user = store.create_user(new).await.unwrap().user;
    let token = format!("glpat-{name}-0123456789");
    let new = NewAccessToken {
        user_id: user.id,
        name: "test".into(),
        description: String::new(),
        scopes: vec!["api".into()],
        hash: hash(&token),
        expires_at: None,
        now,
    };
    store.create_access_token(new).await.unwrap();
    if let Some(level) = level {
        let member = Member {
            project_id: ProjectId(scene.project),
            user_id: user.id,
            level,
            expires_at: None,
            created_by: None,
            created_at: now,
        };
        store.add_member(member).await.unwrap();
    }
    token
}

#[tokio::test]
async fn each_level_has_its_own_gatekeepers() {
    let scene = Scene::new().await;
    let developer = person(&scene, "dev", Some(30)).await;
    let maintainer = person(&scene, "main", Some(40)).await;
    let owner = person(&scene, "own", Some(50)).await;
    let stranger = person(&scene, "stranger", None).await;
    for (level, expected) in [
        (PROJECT, [403, 200, 200, 404]),
        (GROUP, [403, 403, 200, 404]),
        (INSTANCE, [403, 403, 403, 403]),
    ] {
        let people = [&developer, &maintainer, &owner, &stranger];
        for (token, expected) in people.into_iter().zip(expected) {
            let request = scene.server.get(level).header("private-token", token);
            let reply = request.send().await;
            assert_eq!(reply.status, expected, "{level} {token}");
            match expected {
                403 => assert_eq!(reply.json(), json!({"message": "403 Forbidden"})),
                404 => {
                    let thing = if level == PROJECT { "Project" } else { "Group" };
                    let told = format!("404 {thing} Not Found");
                    assert_eq!(reply.json(), json!({ "message": told }));
                }
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn without_ci_even_maintainers_are_refused() {
    let scene = Scene::new().await;
    let body = json!({"builds_access_level": "disabled"});
    let path = scene.path("");
    assert_eq!(send(&scene.server, "PUT", &path, body).await.status, 200);
    let reply = scene.server.get(PROJECT).root().send().await;
    assert_reply(&reply, 403, &json!({"message": "403 Forbidden"}));
}

#[tokio::test]
async fn the_project_says_from_which_role_on_a_pipeline_takes_variables() {
    let scene = Scene::new().await;
    let developer = person(&scene, "dev", Some(30)).await;
    let maintainer = person(&scene, "main", Some(40)).await;
    let refused = json!({
        "message": {"base": ["Insufficient permissions to set pipeline variables"]},
    });
    let body = json!({"ref": "main", "variables": [{"key": "A", "value": "1"}]});
    for (role, expected) in [
        ("developer", [201, 201]),
        ("maintainer", [400, 201]),
        ("owner", [400, 400]),
        ("no_one_allowed", [400, 400]),
    ] {
        let setting = json!({"ci_pipeline_variables_minimum_override_role": role});
        let path = scene.path("");
        assert_eq!(send(&scene.server, "PUT", &path, setting).await.status, 200);
        for (token, expected) in [&developer, &maintainer].into_iter().zip(expected) {
            let request = scene.server.post(&scene.path("/pipeline"));
            let request = request.header("private-token", token).json(&body);
            let reply = request.send().await;
            assert_eq!(reply.status, expected, "{role} {token}: {}", reply.text());
            if expected == 400 {
                assert_eq!(reply.json(), refused);
            }
        }
    }
}
