//! Promises that belong to no single theme: what never decides, what is never removed, who is never asked.

use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::look::{definition, frozen, others_untouched, stack_with, wants};
use crate::common::{Action, Done, stack, writes};
use serde_json::json;
use testbed::sample::{Sample, Stack};
use testbed::{Service, Testbed};

/// A good deploy's writes.
const DEPLOY: [&str; 2] = ["ecs RegisterTaskDefinition web-green", "ecs UpdateService web-green web-green:2"];

/// The usual testbed, watched for changes of weights.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    frozen(&bed);
    (bed, sample)
}

/// A deploy of v2.
fn deploy(bed: &Testbed, sample: &Sample) -> Action {
    Action::new(bed, "deploy").input("image", &sample.image("v2"))
}

/// What a run decided: what a machine reads, and what it wrote.
fn decided(bed: &Testbed, done: &Done) -> (String, Vec<String>) {
    (format!("{:?} {}", done.verdict(), done.output("color")), writes(bed))
}

/// A state of the step that lies: another color, another service, a version that never was, all of it long over.
const LIE: &str = r#"{"phase":"deploying","color":"blue","service":"web-blue",
    "found_task_definition":"arn:aws:ecs:eu-west-1:123456789012:task-definition/web-blue:9","found_desired":7,
    "task_definition":"arn:aws:ecs:eu-west-1:123456789012:task-definition/web-blue:8","desired":3,
    "deployment":"ecs-svc/0000000000000000000","started":1}"#;

/// Tags every revision and service of a testbed with lies about versions, colors and traffic.
fn tag_lies(bed: &Testbed) {
    let tags = json!([
        { "key": "blue-green:commit", "value": "ffffffffffffffffffffffffffffffffffffffff" },
        { "key": "blue-green:branch", "value": "green" },
        { "key": "blue-green:run", "value": "https://github.example/shop/web/actions/runs/42/attempts/1" },
        { "key": "blue-green:live", "value": "green" },
        { "key": "color", "value": "green" },
    ]);
    for name in ["web-blue", "web-green"] {
        let arns = [
            definition(bed, name)["taskDefinition"]["taskDefinitionArn"].clone(),
            bed.world(|world| json!(world.ecs.service("shop", name).map(|service| service.arn.clone()))),
        ];
        for arn in arns {
            let input = json!({ "resourceArn": arn, "tags": tags });
            bed.call(Service::Ecs, "TagResource", input).expect("AWS takes it");
        }
    }
    bed.clear_calls();
}

#[test]
fn invariant_01_forged_tags_and_a_forged_state_change_no_decision() {
    let (honest, sample) = stage();
    let plain = decided(&honest, &deploy(&honest, &sample).run());
    let (forged, sample) = stage();
    tag_lies(&forged);
    let lied = decided(&forged, &deploy(&forged, &sample).env("STATE_run", LIE).run());
    assert_eq!(plain, lied);
    assert_eq!(lied.1, DEPLOY);
    others_untouched(&forged);
}

#[test]
fn invariant_01_a_post_step_with_a_forged_state_touches_nothing_that_is_not_as_it_says() {
    let (bed, sample) = stage();
    let state = [("run".to_owned(), LIE.to_owned())].into();
    let done = deploy(&bed, &sample).post(&state).run();
    assert_eq!(writes(&bed), [""; 0], "{}", done.log);
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
    others_untouched(&bed);
}

#[test]
fn invariant_15_no_run_deregisters_a_revision() {
    let (bed, sample) = stack_with(&Stack::default());
    for tag in ["v2", "v3-crash", "v9-start-300ms"] {
        Action::new(&bed, "deploy").input("image", &sample.image(tag)).run();
    }
    assert!(bed.calls().iter().all(|call| !call.operation.starts_with("Dereg")));
    for revision in ["web-green:1", "web-green:2", "web-green:3", "web-green:4"] {
        assert_eq!(definition(&bed, revision)["taskDefinition"]["status"], "ACTIVE", "{revision}");
    }
    others_untouched(&bed);
}

/// A server that counts who comes, and answers nobody.
fn counting() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let came = Arc::new(AtomicUsize::new(0));
    let count = came.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            if let Ok(mut stream) = stream {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
                let _ = stream.read(&mut [0; 1]);
            }
        }
    });
    (url, came)
}

#[test]
fn invariant_33_a_dead_or_hanging_github_changes_nothing_in_aws() {
    let (url, came) = counting();
    let (hanging, sample) = stage();
    let asked = |action: Action, api: &str| {
        action
            .env("GITHUB_API_URL", api)
            .env("GITHUB_GRAPHQL_URL", api)
            .env("GITHUB_SERVER_URL", api)
            .env("GITHUB_TOKEN", "ghs_notoken")
    };
    let done = asked(deploy(&hanging, &sample), &url).run();
    let with_hanging = decided(&hanging, &done);
    asked(Action::new(&hanging, "status"), &url).run().expect(0, "succeeded", "", "untouched");
    let (dead, sample) = stage();
    let with_dead = decided(&dead, &asked(deploy(&dead, &sample), "http://127.0.0.1:9").run());
    assert_eq!(with_hanging, with_dead);
    assert_eq!(with_dead.1, DEPLOY);
    assert_eq!(came.load(Ordering::SeqCst), 0, "GitHub has nothing to do with a deploy");
    others_untouched(&hanging);
}

/// Asserts that a failed run has one titled error that says what and what to do, and machine-readable words.
#[track_caller]
fn explains(done: &Done) {
    let errors: Vec<&str> = done.log.lines().filter(|line| line.starts_with("::error ")).collect();
    let [error] = errors.as_slice() else { panic!("{} errors:\n{}", errors.len(), done.log) };
    let (title, message) =
        error.trim_start_matches("::error title=").split_once("::").expect("title and message");
    let (what, hint) = message.split_once("%0A").unwrap_or((message, ""));
    assert!(!title.is_empty() && what.len() > 20 && hint.len() > 20, "{error}");
    assert_eq!(done.code, 1);
    for output in ["result", "reason", "left"] {
        assert!(!done.output(output).is_empty(), "{output}:\n{}", done.log);
    }
    assert!(done.summary.len() > 20, "{}", done.summary);
}

#[test]
fn invariant_34_every_end_that_is_not_good_names_what_was_found_and_what_to_do() {
    let (bed, sample) = stage();
    let wrong = [
        Action::new(&bed, "deplyo"),
        Action::new(&bed, "deploy").input("cluster", "shpo"),
        Action::new(&bed, "deploy").input("green-service", "web-gren"),
        Action::new(&bed, "deploy").input("color", "blue"),
        Action::new(&bed, "deploy").input("color", "yellow"),
        Action::new(&bed, "deploy").input("image", &sample.image("nope")),
        Action::new(&bed, "deploy").input("timeout", "soon"),
        Action::new(&bed, "deploy").input("task-definition", "nowhere.json"),
        Action::new(&bed, "deploy").input("allowed-account-ids", "999999999999"),
        Action::new(&bed, "deploy").without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY"),
        Action::new(&bed, "deploy").without("AWS_REGION").without("AWS_DEFAULT_REGION"),
    ];
    for action in wrong {
        explains(&action.run());
    }
    assert_eq!(writes(&bed), [""; 0]);
    explains(&Action::new(&bed, "deploy").input("image", &sample.image("v3-crash")).run());
    explains(&Action::new(&bed, "deploy").input("image", &sample.image("v4-unhealthy")).run());
    others_untouched(&bed);
}
