use buffa::MessageView;
use connectrpc::{ConnectError, ErrorCode};
use rstest::rstest;
use tappet_rpc::depot::ci::v1::{DispatchWorkflowRequest, RunRequest};

use super::*;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
const YAML: &str = "on: push\njobs: {}\n";

fn run(change: impl FnOnce(&mut RunRequest)) -> RpcResult<Wanted> {
    let mut request = RunRequest {
        repo: "acme/web".to_owned(),
        ..RunRequest::default()
    };
    change(&mut request);
    let bytes = buffa::Message::encode_to_vec(&request);
    Wanted::of_run(&RunRequestView::decode_view(&bytes).unwrap())
}

fn dispatch(change: impl FnOnce(&mut DispatchWorkflowRequest)) -> RpcResult<Wanted> {
    let mut request = DispatchWorkflowRequest {
        repo: "acme/web".to_owned(),
        workflow: "deploy.yml".to_owned(),
        r#ref: "main".to_owned(),
        ..DispatchWorkflowRequest::default()
    };
    change(&mut request);
    let bytes = buffa::Message::encode_to_vec(&request);
    Wanted::of_dispatch(&DispatchWorkflowRequestView::decode_view(&bytes).unwrap())
}

fn code(result: RpcResult<Wanted>) -> Option<ErrorCode> {
    result.err().map(|error| ConnectError::from(error).code)
}

#[rstest]
#[case("acme/web", None)]
#[case("acme/tools/web", None)]
#[case("", Some(ErrorCode::InvalidArgument))]
#[case("web", Some(ErrorCode::InvalidArgument))]
#[case("acme/", Some(ErrorCode::InvalidArgument))]
#[case("/web", Some(ErrorCode::InvalidArgument))]
#[case("acme//web", Some(ErrorCode::InvalidArgument))]
#[case("acme/../web", Some(ErrorCode::InvalidArgument))]
#[case("acme/my web", Some(ErrorCode::InvalidArgument))]
fn a_repository_has_an_owner_and_a_name(#[case] repo: &str, #[case] expected: Option<ErrorCode>) {
    assert_eq!(
        code(run(|request| request.repo = repo.to_owned())),
        expected
    );
}

#[rstest]
#[case(SHA, None)]
#[case::placeholder_of_the_vendor(&SHA[..32], Some(ErrorCode::InvalidArgument))]
#[case::a_digit_short(&SHA[..39], Some(ErrorCode::InvalidArgument))]
#[case::upper_case(
    "0123456789ABCDEF0123456789ABCDEF01234567",
    Some(ErrorCode::InvalidArgument)
)]
#[case::no_digits(
    "zzzz456789abcdef0123456789abcdef01234567",
    Some(ErrorCode::InvalidArgument)
)]
#[case::empty("", Some(ErrorCode::InvalidArgument))]
#[case::branch("main", Some(ErrorCode::InvalidArgument))]
fn a_commit_id_is_whole(#[case] sha: &str, #[case] expected: Option<ErrorCode>) {
    assert_eq!(
        code(run(|request| request.sha = Some(sha.to_owned()))),
        expected
    );
}

#[rstest]
#[case(".depot/workflows/ci.yml", None)]
#[case("ci.yaml", None)]
#[case("", Some(ErrorCode::InvalidArgument))]
#[case("/etc/ci.yml", Some(ErrorCode::InvalidArgument))]
#[case("../ci.yml", Some(ErrorCode::InvalidArgument))]
#[case("ci.toml", Some(ErrorCode::InvalidArgument))]
#[case(".yml", Some(ErrorCode::InvalidArgument))]
fn a_workflow_is_a_path_in_the_repository(#[case] path: &str, #[case] expected: Option<ErrorCode>) {
    assert_eq!(
        code(run(|request| request.workflow = Some(path.to_owned()))),
        expected
    );
}

#[test]
fn neither_form_means_all_workflows() {
    let wanted = run(|_| {}).unwrap();
    assert_eq!(wanted.workflows.choice, WorkflowChoice::All);
    assert_eq!(wanted.source, Source::Api);
}

#[test]
fn both_forms_contradict_each_other() {
    let both = run(|request| {
        request.workflow = Some("ci.yml".to_owned());
        request.workflow_content = vec![YAML.to_owned()];
    });
    assert_eq!(code(both), Some(ErrorCode::InvalidArgument));
}

#[rstest]
#[case::one(vec![YAML.to_owned()], None)]
#[case::empty(vec![String::new()], Some(ErrorCode::InvalidArgument))]
#[case::blank(vec![YAML.to_owned(), " \n".to_owned()], Some(ErrorCode::InvalidArgument))]
#[case::as_many_as_there_may_be(vec![YAML.to_owned(); 100], None)]
#[case::a_thousand(vec![YAML.to_owned(); 1000], Some(ErrorCode::InvalidArgument))]
#[case::five_megabytes(vec!["#".repeat(5_000_000)], Some(ErrorCode::ResourceExhausted))]
fn texts_are_whole_and_not_too_many(
    #[case] contents: Vec<String>,
    #[case] expected: Option<ErrorCode>,
) {
    assert_eq!(
        code(run(|request| request.workflow_content = contents)),
        expected
    );
}

#[rstest]
#[case::of_one_text("build", vec![YAML], None, None)]
#[case::of_a_file("build", vec![], Some("ci.yml"), None)]
#[case::of_two_texts("build", vec![YAML, YAML], None, Some(ErrorCode::InvalidArgument))]
#[case::of_all("build", vec![], None, Some(ErrorCode::InvalidArgument))]
#[case::without_a_name("", vec![YAML], None, Some(ErrorCode::InvalidArgument))]
fn a_job_is_one_of_a_single_workflow(
    #[case] job: &str,
    #[case] contents: Vec<&str>,
    #[case] path: Option<&str>,
    #[case] expected: Option<ErrorCode>,
) {
    let asked = run(|request| {
        request.job = Some(job.to_owned());
        request.workflow_content = contents.into_iter().map(str::to_owned).collect();
        request.workflow = path.map(str::to_owned);
    });
    assert_eq!(code(asked), expected);
}

#[test]
fn a_forge_that_nobody_knows_is_refused() {
    assert_eq!(code(run(|request| request.forge = 2.into())), None);
    let unknown = run(|request| request.forge = 7.into());
    assert_eq!(code(unknown), Some(ErrorCode::InvalidArgument));
}

#[rstest]
#[case("deploy.yml", "main", None)]
#[case("", "main", Some(ErrorCode::InvalidArgument))]
#[case("deploy", "main", Some(ErrorCode::InvalidArgument))]
#[case(
    ".depot/workflows/deploy.yml",
    "main",
    Some(ErrorCode::InvalidArgument)
)]
#[case("deploy.yml", "", Some(ErrorCode::InvalidArgument))]
fn a_dispatch_names_a_file_and_a_ref(
    #[case] workflow: &str,
    #[case] name: &str,
    #[case] expected: Option<ErrorCode>,
) {
    let asked = dispatch(|request| {
        request.workflow = workflow.to_owned();
        request.r#ref = name.to_owned();
    });
    assert_eq!(code(asked), expected);
}

#[test]
fn a_dispatch_carries_its_inputs_in_order() {
    let wanted = dispatch(|request| {
        request.r#ref = "refs/heads/main".to_owned();
        for (name, value) in [("b", "2"), ("a", "1")] {
            request.inputs.insert(name.to_owned(), value.to_owned());
        }
    });
    let wanted = wanted.unwrap();
    let inputs = [("a", "1"), ("b", "2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(
        wanted.workflows.event,
        WorkflowEvent::Dispatch(inputs.to_vec())
    );
    assert_eq!(wanted.ref_name.as_deref(), Some("main"));
}

#[test]
fn another_request_has_another_fingerprint() {
    let first = run(|request| request.workflow_content = vec!["ab".into(), "c".into()]);
    let other = run(|request| request.workflow_content = vec!["a".into(), "bc".into()]);
    let same = run(|request| request.workflow_content = vec!["ab".into(), "c".into()]);
    let first = first.unwrap().fingerprint;
    assert_ne!(first, other.unwrap().fingerprint);
    assert_eq!(first, same.unwrap().fingerprint);
}
