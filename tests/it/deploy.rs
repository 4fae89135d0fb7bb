//! `deploy` where it goes well: what it writes, what it says, what stands afterwards.

use std::time::Duration;

use crate::common::here::{stack, stack_with};
use crate::common::look::{
    counts_slowly, definition, frozen, hurry, no_deployment_is_shown, others_untouched, redacted, scale,
    until_called, wanted, wants,
};
use crate::common::{Action, Done, writes};
use serde_json::{Value, json};
use testbed::sample::{Sample, Stack};
use testbed::{Behavior, Effect, Fault, Service, Testbed};

/// The usual testbed, watched for changes of weights.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    frozen(&bed);
    (bed, sample)
}

/// The same outside of this process: probes go through the ports of the load balancer.
fn stage_with_ports() -> (Testbed, Sample) {
    let (bed, sample) = crate::common::stack();
    frozen(&bed);
    (bed, sample)
}

/// A deploy of an image of the sample's repository.
fn deploy(bed: &Testbed, sample: &Sample, tag: &str) -> Action {
    Action::new(bed, "deploy").input("image", &sample.image(tag))
}

/// Asserts that a version was brought to green, by one revision and one update.
#[track_caller]
fn brought(bed: &Testbed, done: &Done) {
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(
        writes(bed),
        ["ecs RegisterTaskDefinition web-green", "ecs UpdateService web-green web-green:2"]
    );
    assert_eq!(wants(bed, "web-green"), "web-green:2 × 2");
    others_untouched(bed);
}

#[test]
fn invariant_10_and_12_a_new_version_comes_to_the_idle_color() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v2").run();
    brought(&bed, &done);
    let steady = bed.world(|world| world.ecs.is_steady("shop", "web-green"));
    assert!(steady, "success was told before green was steady");
    let image = definition(&bed, "web-green:2")["taskDefinition"]["containerDefinitions"][0]["image"].clone();
    let digest = bed.world(|world| world.ecr.image("shop/web", "v2").map(|image| image.digest.clone()));
    assert_eq!(image, format!("{}@{}", sample.repository, digest.unwrap_or_default()));
}

#[test]
fn success_is_known_within_a_poll_interval_or_so() {
    let (bed, sample) = stage();
    let run = deploy(&bed, &sample, "v2").spawn();
    let complete = bed.wait_until(Duration::from_secs(20), |world| {
        wanted(world, "web-green") == "web-green:2 × 2" && world.ecs.is_steady("shop", "web-green")
    });
    let at = testbed::clock::now();
    run.wait().expect(0, "succeeded", "", "changed");
    assert!(
        complete && (testbed::clock::now() - at).as_millis() < 1500,
        "told {} ms later",
        (testbed::clock::now() - at).as_millis()
    );
}

#[test]
fn a_changed_count_that_aws_calls_in_progress_is_no_deployment_in_flight() {
    let (bed, sample) = stage();
    counts_slowly(&bed, "web-green", 3);
    let plan = deploy(&bed, &sample, "v2").input("plan-only", "true").run();
    plan.expect(0, "planned", "", "untouched").says("deploy to green: possible");
    let done = deploy(&bed, &sample, "v2").input("timeout", "60s").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 3");
    no_deployment_is_shown(&done);
}

#[test]
fn a_color_can_be_named() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v2").input("color", "green").run();
    brought(&bed, &done);
    assert_eq!(done.output("color"), "green");
}

#[test]
fn develop_has_a_deploy_of_its_own() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v2").input("color", "develop").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(done.output("color"), "develop");
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-dev", "ecs UpdateService web-dev web-dev:2"]);
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
    assert_eq!(bed.violations(), []);
}

#[test]
fn invariant_14_the_same_content_again_is_unchanged_and_writes_nothing() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    bed.clear_calls();
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "unchanged", "", "untouched").says("already runs `web-green:2`, 2 targets healthy");
    assert_eq!(writes(&bed), [""; 0]);
    assert_eq!(done.output("task-definition-arn").rsplit('/').next(), Some("web-green:2"));
}

#[test]
fn invariant_14_a_tag_of_the_same_digest_is_told_as_a_change_of_the_name_only() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    bed.world(|world| world.ecr.push_behavior("shop/web", "release", Behavior::good("v2")));
    bed.clear_calls();
    let done = deploy(&bed, &sample, "release").run();
    done.expect(0, "unchanged", "", "untouched");
    assert_eq!(writes(&bed), [""; 0]);
}

#[test]
fn invariant_12_unchanged_is_not_told_without_healthy_targets() {
    let (bed, sample) = stage();
    bed.world(|world| world.ecr.push("shop/web", "v4-sick-after-400ms"));
    deploy(&bed, &sample, "v4-sick-after-400ms").input("timeout", "5s").run();
    bed.clear_calls();
    let done =
        deploy(&bed, &sample, "v1").input("timeout", "400ms").input("task-definition", "web-green:2").run();
    assert_ne!(done.output("result"), "unchanged", "{}", done.log);
}

#[test]
fn invariant_12_a_count_alone_makes_no_revision_and_waits_for_healthy_targets() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    bed.clear_calls();
    let done = Action::new(&bed, "deploy").input("desired-count", "3").run();
    done.expect(0, "succeeded", "", "changed").says("3 targets healthy");
    assert_eq!(writes(&bed), ["ecs UpdateService web-green desired=3"]);
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 3");
    assert_eq!(done.output("ecs-deployment-id"), "");
    others_untouched(&bed);
}

#[test]
fn a_count_can_match_the_live_color() {
    let (bed, sample) = stage();
    scale(&bed, "web-green", 1);
    let done = deploy(&bed, &sample, "v2").input("desired-count", "match").run();
    done.expect(0, "succeeded", "", "changed");
    let update = "ecs UpdateService web-green web-green:2 desired=2";
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green", update]);
    others_untouched(&bed);
}

#[test]
fn an_empty_color_gets_one_task() {
    let (bed, sample) = stage();
    scale(&bed, "web-green", 0);
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "succeeded", "", "changed").says("1 target healthy");
    let update = "ecs UpdateService web-green web-green:2 desired=1";
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green", update]);
    others_untouched(&bed);
}

#[test]
fn invariant_07_a_revision_that_a_killed_run_registered_is_used() {
    let (bed, sample) = stage();
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::KillAfter));
    let run = deploy(&bed, &sample, "v2").spawn();
    run.is_victim(&bed);
    assert_eq!(run.wait().code, -1);
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green"]);
    bed.clear_faults();
    bed.clear_calls();
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "succeeded", "", "changed").says("`web-green:2` has this content already");
    assert_eq!(writes(&bed), ["ecs UpdateService web-green web-green:2"]);
    others_untouched(&bed);
}

#[test]
fn invariant_07_a_deployment_of_the_same_content_that_is_under_way_is_adopted() {
    let (bed, sample) = stage();
    bed.world(|world| world.pace.launch = Duration::from_secs(60));
    bed.fault(Fault::on("UpdateService", Effect::KillAfter));
    let run = deploy(&bed, &sample, "v2").spawn();
    run.is_victim(&bed);
    assert_eq!(run.wait().code, -1);
    bed.clear_faults();
    bed.clear_calls();
    let run = deploy(&bed, &sample, "v2").spawn();
    until_called(&bed, "ListTasks", 8);
    hurry(&bed);
    let done = run.wait();
    done.expect(0, "succeeded", "", "changed").says("a deployment of the same content is under way already");
    assert_eq!(writes(&bed), [""; 0]);
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 2");
    assert!(done.output("ecs-deployment-id").starts_with("ecs-svc/"), "{:?}", done.outputs);
}

#[test]
fn invariant_15_the_previous_revision_stays() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    deploy(&bed, &sample, "v1").run().expect(0, "succeeded", "", "changed");
    assert!(bed.calls().iter().all(|call| call.operation != "DeregisterTaskDefinition"));
    assert_eq!(definition(&bed, "web-green:1")["taskDefinition"]["status"], "ACTIVE");
    assert_eq!(definition(&bed, "web-green:2")["taskDefinition"]["status"], "ACTIVE");
}

#[test]
fn a_tag_that_is_not_pinned_is_deployed_again_by_force() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v1").input("pin-digest", "false").run();
    done.expect(0, "succeeded", "", "changed").says("::warning").says("shop/web:v1` is named by its tag");
    assert_eq!(writes(&bed), ["ecs UpdateService web-green force"]);
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
    assert!(done.output("ecs-deployment-id").starts_with("ecs-svc/"), "{:?}", done.outputs);
    others_untouched(&bed);
}

#[test]
fn an_image_outside_of_ecr_is_deployed_by_its_tag() {
    let (bed, _) = stage();
    let run = || Action::new(&bed, "deploy").input("image", "nginx:1.29").run();
    let done = run();
    brought(&bed, &done);
    done.says("::warning").says("`nginx:1.29`");
    let image = definition(&bed, "web-green:2")["taskDefinition"]["containerDefinitions"][0]["image"].clone();
    assert_eq!(image, "nginx:1.29");
    bed.clear_calls();
    run().expect(0, "succeeded", "", "changed");
    assert_eq!(writes(&bed), ["ecs UpdateService web-green force"]);
}

#[test]
fn invariant_11_a_live_color_is_rolled_only_when_told_so() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v2").input("color", "blue").run();
    done.expect(1, "refused", "live-color", "untouched");
    assert_eq!(writes(&bed), [""; 0]);
    let done = deploy(&bed, &sample, "v2").input("color", "blue").input("allow-live", "true").run();
    done.expect(0, "succeeded", "", "changed").says("::warning").says("rolling update");
    assert_eq!(
        writes(&bed),
        ["ecs RegisterTaskDefinition web-blue", "ecs UpdateService web-blue web-blue:2"]
    );
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
    assert_eq!(bed.violations(), []);
}

#[test]
fn a_plan_is_what_the_run_then_does() {
    let (bed, sample) = stage();
    let steps =
        "1. Register a new revision of `web-green`\n2. Update `web-green` (green): to `(new revision)`\n";
    let done = deploy(&bed, &sample, "v2").input("plan-only", "true").run();
    done.expect(0, "planned", "", "untouched").says(steps).says("2 steps planned. Nothing was written.");
    assert_eq!(writes(&bed), [""; 0]);
    let done = deploy(&bed, &sample, "v2").run();
    done.says(steps);
    brought(&bed, &done);
    let done = deploy(&bed, &sample, "v2").input("plan-only", "true").run();
    done.expect(0, "planned", "", "untouched").says("Nothing would be changed");
}

#[test]
fn a_plan_shows_counts_revisions_and_probes() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    let probes = "[{ path: /, status: 200, contains: v1 }]";
    let plan =
        || Action::new(&bed, "deploy").input("task-definition", "web-green:2").input("plan-only", "true");
    let done = plan().input("desired-count", "3").input("probes", probes).run();
    done.expect(0, "planned", "", "untouched");
    done.says(
        "1. Update `web-green` (green): desired count 3\n2. Send the probes through the test listener\n",
    );
}

#[test]
fn probes_are_sent_through_the_test_listener() {
    let (bed, sample) = stage_with_ports();
    let probes = "- { path: /healthz, status: 200, contains: ok }\n- { path: /, contains: v2 }\n";
    let done = deploy(&bed, &sample, "v2").input("probes", probes).run();
    brought(&bed, &done);
    done.says("all 2 probes passed");
}

#[test]
fn the_config_file_names_services_probes_and_branches() {
    let (bed, sample) = stage_with_ports();
    let config = "cluster: shop
apps:
  web:
    blue: web-blue
    green: web-green
    develop: web-dev
    probes:
      - { path: /, status: 200, contains: v2 }
branches: { main: idle, develop: develop }
";
    let from_file = |branch: &str| {
        ["cluster", "blue-service", "green-service", "develop-service"]
            .iter()
            .fold(deploy(&bed, &sample, "v2"), |action, name| action.input(name, ""))
            .file(".github/blue-green.yml", config)
            .input("color", "branch")
            .env("GITHUB_REF_NAME", branch)
    };
    let done = from_file("main").run();
    brought(&bed, &done);
    done.says("the probe passed");
    bed.clear_calls();
    let done = from_file("develop").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-dev", "ecs UpdateService web-dev web-dev:2"]);
}

#[test]
fn instance_targets_with_dynamic_ports_are_followed() {
    let (bed, sample) = crate::common::look::stack_with(&Stack { ec2: true, ..Stack::default() });
    let done = deploy(&bed, &sample, "v2").input("probes", "[{ path: /, contains: v2 }]").run();
    brought(&bed, &done);
    done.says("2 targets healthy").says("the probe passed");
}

#[test]
fn invariant_37_ipv6_targets_are_own_in_any_spelling() {
    let (bed, sample) = stack_with(&Stack { ipv6: true, ..Stack::default() });
    let done = deploy(&bed, &sample, "v2").input("timeout", "20s").run();
    brought(&bed, &done);
    done.says("2 targets healthy");
    let done = Action::new(&bed, "redirect-traffic").input("traffic", "green").input("timeout", "20s").run();
    done.expect(0, "succeeded", "", "changed");
}

#[test]
fn a_capacity_provider_strategy_stays_and_is_followed() {
    for (ec2, provider) in [(false, "FARGATE_SPOT"), (true, "spot-instances")] {
        follows_strategy(ec2, provider);
    }
}

/// Asserts that a deploy to a green with this capacity provider keeps to it.
fn follows_strategy(ec2: bool, provider: &str) {
    let (bed, sample) = stack_with(&Stack { ec2, ..Stack::default() });
    let spot = json!([{ "capacityProvider": provider, "weight": 1, "base": 0 }]);
    let input = json!({
        "cluster": "shop", "service": "web-green", "capacityProviderStrategy": spot, "forceNewDeployment": true,
    });
    bed.call(Service::Ecs, "UpdateService", input).expect("AWS takes it");
    assert!(bed.wait_until(Duration::from_secs(20), |world| world.ecs.is_steady("shop", "web-green")));
    bed.clear_calls();
    brought(&bed, &deploy(&bed, &sample, "v2").run());
    let seen = |operation: &str, input| bed.call(Service::Ecs, operation, input).expect("AWS answers");
    let service =
        &seen("DescribeServices", json!({ "cluster": "shop", "services": ["web-green"] }))["services"][0];
    assert_eq!((&service["capacityProviderStrategy"], &service["launchType"]), (&spot, &Value::Null));
    let tasks =
        seen("ListTasks", json!({ "cluster": "shop", "serviceName": "web-green" }))["taskArns"].clone();
    let tasks = seen("DescribeTasks", json!({ "cluster": "shop", "tasks": tasks }))["tasks"].clone();
    let tasks = tasks.as_array().expect("tasks");
    assert!(tasks.iter().all(|task| task["capacityProviderName"] == provider), "{tasks:?}");
}

#[test]
fn early_success_criteria_are_success() {
    let early = json!({ "earlySuccessCriteria":
        { "enable": true, "healthyPercent": 100, "sourceServiceRevisionCleanup": "DEFERRED" } });
    let (bed, sample) = stack_with(&Stack { deployment: early, ..Stack::default() });
    brought(&bed, &deploy(&bed, &sample, "v2").run());
}

#[test]
fn outputs_are_complete() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v2").run();
    brought(&bed, &done);
    let id = bed
        .world(|world| world.ecs.service("shop", "web-green").map(|green| green.deployments[0].id.clone()));
    let names: Vec<&str> = done.outputs.keys().map(String::as_str).collect();
    assert_eq!(names, OUTPUTS);
    let of = |name| done.output(name);
    assert_eq!([of("color"), of("live-color"), of("traffic")], ["green", "blue", "blue"]);
    let arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web-green";
    assert_eq!(of("task-definition-arn"), format!("{arn}:2"));
    assert_eq!(of("previous-task-definition-arn"), format!("{arn}:1"));
    assert_eq!(Some(of("ecs-deployment-id")), id.as_deref());
    assert!(of("image").starts_with(&format!("{}@sha256:", sample.repository)), "{}", of("image"));
    assert!(
        of("production-url").ends_with(&format!(":{}", sample.production_port)),
        "{}",
        of("production-url")
    );
    assert!(of("test-url").ends_with(&format!(":{}", sample.green_port)), "{}", of("test-url"));
    assert!(serde_json::from_str::<serde_json::Value>(of("status-json")).is_ok());
}

/// Every output of a deploy.
const OUTPUTS: [&str; 22] = [
    "attempted-task-definition-arn",
    "color",
    "comment-url",
    "compared",
    "details-url",
    "duration-seconds",
    "ecs-deployment-id",
    "findings",
    "going-live",
    "headline",
    "image",
    "left",
    "live-color",
    "previous-task-definition-arn",
    "previous-traffic",
    "production-url",
    "reason",
    "result",
    "status-json",
    "task-definition-arn",
    "test-url",
    "traffic",
];

#[test]
fn outputs_are_complete_on_failure_too() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v3-crash").run();
    done.expect(1, "failed", "circuit-breaker", "restored");
    let names: Vec<&str> = done.outputs.keys().map(String::as_str).collect();
    assert_eq!(names, OUTPUTS);
    assert!(done.output("attempted-task-definition-arn").ends_with("web-green:2"));
    for now in ["task-definition-arn", "previous-task-definition-arn"] {
        assert!(done.output(now).ends_with("web-green:1"), "{now}");
    }
    let refused = deploy(&bed, &sample, "v2").input("color", "blue").run();
    let names: Vec<&str> =
        refused.outputs.keys().filter(|name| *name != "ecs-deployment-id").map(String::as_str).collect();
    assert_eq!(names.len(), OUTPUTS.len() - 1);
}

#[test]
fn the_log_reads_from_top_to_bottom() {
    let (bed, sample) = stage();
    bed.world(|world| world.pace.launch = Duration::from_millis(400));
    let done = deploy(&bed, &sample, "v2").run();
    brought(&bed, &done);
    insta::assert_snapshot!(redacted(&done.log), @r#"
    deploy in cluster `shop`, eu-west-1
    ::group::Look at AWS
    GitHub: no `token`, so nothing is posted there; the summary of the run has it all
    traffic: blue (100 % blue, 0 % green), http://127.0.0.1:…
      HTTP:… default: 100 % blue, 0 % green
    blue: 100 %, `web-blue:1`, 2 of 2 running, 2 of 2 targets healthy
      service web-blue, image shop/web:v1, sha256:…, test at http://127.0.0.1:…
    green: 0 %, `web-green:1`, 2 of 2 running, 2 of 2 targets healthy
      service web-green, image shop/web:v1, sha256:…, test at http://127.0.0.1:…
    develop: `web-dev:1`, 1 of 1 running, 1 of 1 targets healthy
      service web-dev, image shop/web:v1, sha256:…, test at http://127.0.0.1:…
    deploy to blue: not now, it serves users; `allow-live: true` would allow it
    deploy to green: possible now
    deploy to develop: possible now
    redirect-traffic, rollback to blue: not now, it has all users already
    promote to blue: possible now
    redirect-traffic, rollback, promote to green: possible now
    ::endgroup::
    It is unknown which pull requests go live: the task definition of blue has no tag with its commit. A deploy by this action adds the tag.
    ::group::Plan for `web-green` (green)
    now: `web-green:1`, desired count 2
    - containerDefinitions[app].image: shop/web:v1
    + containerDefinitions[app].image: shop/web@sha256:…
    1. Register a new revision of `web-green`
    2. Update `web-green` (green): to `(new revision)`
    The run takes at most 1h 05m: set `timeout-minutes: 65` or more for the job
    ::endgroup::
    ::group::Look for a revision of `web-green` with this content
    ::endgroup::
    ::group::Register a new revision of `web-green`
    registered `web-green:2`
    ::endgroup::
    ::group::Update `web-green` (green): to `web-green:2`
    updated; the deployment is `ecs-svc/…`
    ::endgroup::
    ::group::Follow the deployment of `web-green` (green)
    ::endgroup::
    succeeded after Ns: `web-green` (green) runs `web-green:2`, 2 targets healthy.
    To go back to `web-green:1`, run this action with
      command: deploy
      color: green
      task-definition: web-green:1
    or, without GitHub:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-green --task-definition web-green:1
    users: 100 % blue, 0 % green; a deploy does not change that
    "#);
}
