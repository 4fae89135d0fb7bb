//! What a deploy registers: where the task definition comes from, and what the inputs change in it.

use std::time::Duration;

use crate::common::here::stack;
use crate::common::look::{definition, ecs, frozen, others_untouched, steady, wants};
use crate::common::{Action, writes};
use serde_json::{Value, json};
use testbed::sample::{Sample, task_definition};
use testbed::{ApiError, Effect, Fault, Service, Testbed};

/// The usual testbed, watched for changes of weights.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    frozen(&bed);
    (bed, sample)
}

/// Asserts that the run brought one new revision to green, and gives that revision.
#[track_caller]
fn brought(bed: &Testbed, action: Action) -> Value {
    action.run().expect(0, "succeeded", "", "changed");
    assert_eq!(
        writes(bed),
        ["ecs RegisterTaskDefinition web-green", "ecs UpdateService web-green web-green:2"]
    );
    assert_eq!(wants(bed, "web-green"), "web-green:2 × 2");
    others_untouched(bed);
    definition(bed, "web-green:2")
}

/// The body of the one recorded RegisterTaskDefinition, as sent.
fn sent(bed: &Testbed) -> Value {
    let calls = bed.writes();
    let register =
        calls.iter().find(|call| call.operation == "RegisterTaskDefinition").expect("it was registered");
    serde_json::from_slice(&register.body).expect("JSON")
}

#[test]
fn a_json_file_is_registered_with_the_image_put_in() {
    let (bed, sample) = stage();
    let mut file = task_definition("web-green", "placeholder", false);
    file["containerDefinitions"][0]["environment"] = json!([{ "name": "FROM", "value": "file" }]);
    let action = Action::new(&bed, "deploy")
        .file("deploy/task.json", &file.to_string())
        .input("task-definition", "deploy/task.json")
        .input("image", &sample.image("v2"));
    let found = brought(&bed, action);
    let container = &found["taskDefinition"]["containerDefinitions"][0];
    assert_eq!(container["environment"], json!([{ "name": "FROM", "value": "file" }]));
    assert!(container["image"].as_str().is_some_and(|image| image.contains("@sha256:")), "{container}");
}

#[test]
fn only_an_image_that_the_run_sets_has_to_be_readable() {
    let (bed, sample) = stage();
    let registry = sample.repository.trim_end_matches("shop/web").to_owned();
    bed.world(|world| ["theirs/proxy", "hub/agent"].map(|name| world.ecr.push(name, "v1")));
    let missing = ApiError::new("RepositoryNotFoundException", "The repository does not exist");
    bed.fault(Fault::on("DescribeImages", Effect::Deny).resource("theirs/proxy"));
    bed.fault(Fault::on("DescribeImages", Effect::Error(missing)).resource("hub/agent"));
    // A registry may be out of reach.
    bed.world(|world| ["far/log", "far/trace"].map(|name| world.ecr.push(name, "v1")));
    bed.fault(Fault::on("DescribeImages", Effect::DropBefore).resource("far/log"));
    bed.fault(Fault::on("DescribeImages", Effect::Delay(Duration::from_secs(7200))).resource("far/trace"));
    let mut file = task_definition("web-green", "placeholder", false);
    let containers = file["containerDefinitions"].as_array_mut().expect("containers");
    let unread =
        [("proxy", "theirs/proxy"), ("agent", "hub/agent"), ("log", "far/log"), ("trace", "far/trace")];
    for (name, repository) in unread {
        let image = format!("{registry}{repository}:v1");
        containers.push(json!({ "name": name, "image": image, "essential": false }));
    }
    let deploy = |image: &str| {
        Action::new(&bed, "deploy")
            .file("task.json", &file.to_string())
            .input("task-definition", "task.json")
            .input("image", image)
    };
    let found = brought(&bed, deploy(&format!("app: {}", sample.image("v2"))));
    let images = found["taskDefinition"]["containerDefinitions"].as_array().expect("containers").len();
    assert_eq!(images, 5);
    bed.clear_calls();
    let done = deploy(&format!("app: {registry}theirs/proxy:v1")).run();
    done.expect(1, "refused", "access-denied", "untouched").says("A repository of another account");
    assert_eq!(writes(&bed), [""; 0]);
}

#[test]
fn an_image_in_a_region_that_takes_no_key_of_the_account_hinders_only_a_run_that_sets_it() {
    let (bed, sample) = stage();
    let no_key = ApiError::new("UnrecognizedClientException", "The security token is invalid");
    bed.fault(Fault::on("DescribeImages", Effect::Error(no_key)).resource("far/tool"));
    let far = "123456789012.dkr.ecr.ap-east-1.amazonaws.com/far/tool:v1";
    let mut file = task_definition("web-green", "placeholder", false);
    let tool = json!({ "name": "tool", "image": far, "essential": false });
    file["containerDefinitions"].as_array_mut().expect("containers").push(tool);
    let plan = |image: &str| {
        let action = Action::new(&bed, "deploy").file("task.json", &file.to_string());
        action.input("task-definition", "task.json").input("image", image).input("plan-only", "true")
    };
    plan(&format!("app: {}", sample.image("v2"))).run().expect(0, "planned", "", "untouched");
    let done = plan(&format!("app: {}\ntool: {far}", sample.image("v2"))).run();
    done.expect(1, "refused", "credentials-expired", "untouched");
}

#[test]
fn a_yaml_file_is_registered_the_same() {
    let (bed, sample) = stage();
    let text = format!(
        "family: web-green
networkMode: awsvpc
requiresCompatibilities: [FARGATE]
cpu: '256'
memory: '512'
executionRoleArn: arn:aws:iam::123456789012:role/shop-execution
containerDefinitions:
  - name: app
    image: {}
    portMappings: [{{ containerPort: 8080 }}]
    environment:
      - {{ name: VERSION, value: '1.10' }}
",
        sample.image("v2")
    );
    let action = Action::new(&bed, "deploy").file("task.yml", &text).input("task-definition", "task.yml");
    let found = brought(&bed, action);
    let environment = &found["taskDefinition"]["containerDefinitions"][0]["environment"];
    assert_eq!(*environment, json!([{ "name": "VERSION", "value": "1.10" }]));
}

#[test]
fn invariant_14_a_revision_is_named_by_family_and_number_or_by_its_arn() {
    let (bed, sample) = stage();
    let image = |tag| Action::new(&bed, "deploy").input("image", &sample.image(tag));
    image("v2").run().expect(0, "succeeded", "", "changed");
    image("v5-slow-200ms").run().expect(0, "succeeded", "", "changed");
    for name in ["web-green:2", "arn:aws:ecs:eu-west-1:123456789012:task-definition/web-green:3"] {
        bed.clear_calls();
        Action::new(&bed, "deploy").input("task-definition", name).run().expect(
            0,
            "succeeded",
            "",
            "changed",
        );
        let short = name.rsplit('/').next().unwrap_or_default();
        assert_eq!(writes(&bed), [format!("ecs UpdateService web-green {short}")]);
        assert_eq!(wants(&bed, "web-green"), format!("{short} × 2"));
    }
    others_untouched(&bed);
}

#[test]
fn a_named_revision_that_was_deregistered_is_registered_anew() {
    let (bed, sample) = stage();
    let image = |tag| Action::new(&bed, "deploy").input("image", &sample.image(tag));
    image("v2").run().expect(0, "succeeded", "", "changed");
    image("v5-slow-200ms").run().expect(0, "succeeded", "", "changed");
    bed.call(Service::Ecs, "DeregisterTaskDefinition", json!({ "taskDefinition": "web-green:2" }))
        .expect("it goes");
    bed.clear_calls();
    Action::new(&bed, "deploy").input("task-definition", "web-green:2").run().expect(
        0,
        "succeeded",
        "",
        "changed",
    );
    assert_eq!(
        writes(&bed),
        ["ecs RegisterTaskDefinition web-green", "ecs UpdateService web-green web-green:4"]
    );
}

#[test]
fn a_family_means_its_newest_revision() {
    let (bed, sample) = stage();
    let definition = task_definition("web-green", &sample.image("v2"), false);
    bed.call(Service::Ecs, "RegisterTaskDefinition", definition).expect("registered");
    let action =
        Action::new(&bed, "deploy").input("task-definition", "web-green").input("pin-digest", "false");
    action.run().expect(0, "succeeded", "", "changed");
    assert_eq!(writes(&bed), ["ecs UpdateService web-green web-green:2"]);
    others_untouched(&bed);
}

#[test]
fn fields_that_aws_has_invented_since_go_through_untouched() {
    let (bed, sample) = stage();
    let mut invented = task_definition("web-green", &sample.image("v1"), false);
    invented["quantumTunneling"] = json!({ "depth": 3, "sides": ["a", "b"] });
    invented["containerDefinitions"][0]["telepathy"] = json!(true);
    bed.call(Service::Ecs, "RegisterTaskDefinition", invented).expect("registered");
    ecs(&bed, "UpdateService", json!({ "service": "web-green", "taskDefinition": "web-green:2" }));
    steady(&bed, "web-green");
    bed.clear_calls();
    Action::new(&bed, "deploy").input("image", &sample.image("v2")).run().expect(
        0,
        "succeeded",
        "",
        "changed",
    );
    let body = sent(&bed);
    assert_eq!(body["quantumTunneling"], json!({ "depth": 3, "sides": ["a", "b"] }));
    assert_eq!(body["containerDefinitions"][0]["telepathy"], true);
    for field in
        ["taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt"]
    {
        assert!(body.get(field).is_none(), "{field} was sent");
    }
}

#[test]
fn environment_and_secrets_are_merged_and_null_removes() {
    let (bed, sample) = stage();
    let action = Action::new(&bed, "deploy")
        .input("image", &sample.image("v2"))
        .input("environment", "LOG_LEVEL: debug\nSTAGE: null\nNEW: 'yes'\n")
        .input("secrets", "TOKEN: arn:aws:ssm:eu-west-1:123456789012:parameter/token\n");
    let found = brought(&bed, action);
    let container = &found["taskDefinition"]["containerDefinitions"][0];
    let environment = json!([{ "name": "LOG_LEVEL", "value": "debug" }, { "name": "NEW", "value": "yes" }]);
    assert_eq!(container["environment"], environment);
    let secret =
        json!({ "name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/token" });
    assert_eq!(container["secrets"], json!([secret]));
    bed.clear_calls();
    let done = Action::new(&bed, "deploy").input("secrets", "TOKEN: null").run();
    done.expect(0, "succeeded", "", "changed");
    let secrets = &definition(&bed, "web-green:3")["taskDefinition"]["containerDefinitions"][0]["secrets"];
    assert!(secrets.as_array().is_none_or(Vec::is_empty), "{secrets}");
}

#[test]
fn invariant_32_no_value_of_the_environment_is_told() {
    let (bed, sample) = stage();
    let action = Action::new(&bed, "deploy")
        .input("image", &sample.image("v3-crash"))
        .input("environment", "LOG_LEVEL: hush-hush\nPASSWORD: s3cr3t-value\n")
        .input("secrets", "TOKEN: arn:aws:ssm:eu-west-1:123456789012:parameter/hidden-name\n");
    let done = action.run();
    done.expect(1, "failed", "circuit-breaker", "restored");
    let outputs: String = done.outputs.values().cloned().collect();
    for text in [&done.log, &done.summary, &outputs] {
        for secret in ["hush-hush", "s3cr3t-value"] {
            let told = text.lines().find(|line| line.contains(secret) && !line.starts_with("::add-mask::"));
            assert_eq!(told, None);
        }
    }
    done.says("PASSWORD");
}

#[test]
fn images_are_set_for_each_container() {
    let (bed, sample) = stage();
    let mut two = task_definition("web-green", &sample.image("v1"), false);
    let mut proxy = two["containerDefinitions"][0].clone();
    proxy["name"] = json!("proxy");
    proxy["portMappings"] = json!([{ "containerPort": 9090 }]);
    two["containerDefinitions"].as_array_mut().expect("containers").push(proxy);
    let action = Action::new(&bed, "deploy")
        .file("task.json", &two.to_string())
        .input("task-definition", "task.json")
        .input("image", &format!("app: {}\nproxy: nginx:1.29\n", sample.image("v2")));
    let found = brought(&bed, action);
    let containers = &found["taskDefinition"]["containerDefinitions"];
    assert!(containers[0]["image"].as_str().is_some_and(|image| image.contains("/shop/web@sha256:")));
    assert_eq!(containers[1]["image"], "nginx:1.29");
}

#[test]
fn commit_branch_and_run_become_tags_of_the_revision() {
    let (bed, sample) = stage();
    let found = brought(&bed, Action::new(&bed, "deploy").input("image", &sample.image("v2")));
    let tags = found["tags"].as_array().cloned().unwrap_or_default();
    let of = |key: &str| tags.iter().find(|tag| tag["key"] == key).map(|tag| tag["value"].clone());
    assert_eq!(of("blue-green:commit"), Some(json!("0123456789abcdef0123456789abcdef01234567")));
    assert_eq!(of("blue-green:branch"), Some(json!("main")));
    assert_eq!(
        of("blue-green:run"),
        Some(json!("https://github.example/shop/web/actions/runs/42/attempts/1"))
    );
}

#[test]
fn without_permission_to_tag_the_refusal_names_it() {
    let (bed, sample) = stage();
    let error = testbed::ApiError::new(
        "AccessDeniedException",
        "User: arn:aws:sts::123456789012:assumed-role/deploy/ci is not authorized to perform: ecs:TagResource on \
         resource: arn:aws:ecs:eu-west-1:123456789012:task-definition/web-green:* because no identity-based policy \
         allows the ecs:TagResource action",
    );
    bed.fault(testbed::Fault::on("RegisterTaskDefinition", testbed::Effect::Error(error)));
    let done = Action::new(&bed, "deploy").input("image", &sample.image("v2")).run();
    done.expect(1, "failed", "access-denied", "untouched").says("AWS denied `ecs:TagResource`");
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green"]);
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
}
