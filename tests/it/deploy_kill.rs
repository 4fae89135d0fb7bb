//! Invariant 7: a run that is killed at any call, and then run again, ends where one undisturbed run would.
//!
//! Each case has a testbed of its own: the run is killed at one call, before or after its effect; what AWS does by
//! itself settles; the same run is started again; and what stands then is compared with what one undisturbed run
//! left.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::common::Action;
use crate::common::here::stack_with;
use crate::common::kills::{Kill, at_every_call, killed};
use crate::common::look::{frozen, hurry, hurry_at_update};
use serde_json::{Value, json};
use testbed::sample::{Sample, Stack};
use testbed::{Call, Service, Testbed};

/// A deploy that goes well, or wrong in one way.
struct Story {
    /// What it is called in messages.
    name: &'static str,
    /// The image that is deployed.
    tag: &'static str,
    /// `deploymentCircuitBreaker` of the services.
    breaker: (bool, bool),
    /// How an undisturbed run ends: exit code, result, reason and what is left.
    end: (i32, &'static str, &'static str, &'static str),
    /// The writes of an undisturbed run.
    writes: &'static [&'static str],
}

/// The new version comes to green.
const GOOD: Story = Story {
    name: "a good deploy",
    tag: "v2",
    breaker: (true, false),
    end: (0, "succeeded", "", "changed"),
    writes: &["RegisterTaskDefinition", "UpdateService"],
};

/// Its tasks crash, and only the run itself notices.
const CRASHING: Story = Story {
    name: "a crashing deploy without a circuit breaker",
    tag: "v3-crash",
    breaker: (false, false),
    end: (1, "failed", "tasks-failing", "restored"),
    writes: &["RegisterTaskDefinition", "UpdateService", "UpdateService"],
};

/// Its tasks crash, the breaker trips, and nobody but the run puts the color back.
const TRIPPING: Story = Story {
    name: "a deploy whose circuit breaker trips",
    tag: "v3-crash",
    breaker: (true, false),
    end: (1, "failed", "circuit-breaker", "restored"),
    writes: &["RegisterTaskDefinition", "UpdateService", "UpdateService"],
};

/// Its tasks crash, the breaker trips, and AWS puts the color back.
const ROLLING_BACK: Story = Story {
    name: "a deploy that its circuit breaker rolls back",
    tag: "v3-crash",
    breaker: (true, true),
    end: (1, "failed", "circuit-breaker", "restored"),
    writes: &["RegisterTaskDefinition", "UpdateService"],
};

impl Story {
    /// A testbed of its own for one case.
    fn stage(&self) -> (Testbed, Sample) {
        let (enable, rollback) = self.breaker;
        let breaker = json!({ "deploymentCircuitBreaker": { "enable": enable, "rollback": rollback } });
        stack_with(&Stack { deployment: breaker, rollback, ..Stack::default() })
    }

    /// The run.
    fn action(&self, bed: &Testbed, sample: &Sample) -> Action {
        Action::new(bed, "deploy").input("image", &sample.image(self.tag)).input("timeout", "30s")
    }

    /// One undisturbed run: what it leaves, and its calls.
    fn undisturbed(&self) -> (Value, Vec<Call>) {
        let (bed, sample) = self.stage();
        let (code, result, reason, left) = self.end;
        self.action(&bed, &sample).run().expect(code, result, reason, left);
        let writes: Vec<String> = bed.writes().into_iter().map(|call| call.operation).collect();
        assert_eq!(writes, self.writes, "{}", self.name);
        let calls = bed.calls();
        settled(&bed);
        assert_eq!(bed.violations(), []);
        (state(&bed), calls)
    }

    /// Kills one run, lets the world settle, runs again, and compares. False: the run ended before.
    fn case(&self, kill: &Kill, expected: &Value) -> bool {
        let (bed, sample) = self.stage();
        if killed(&bed, self.action(&bed, &sample), kill).is_none() {
            return false;
        }
        let what = format!("{}, {kill:?}", self.name);
        let mut done = self.action(&bed, &sample).run();
        if done.output("reason") == "in-flight" {
            // The way back of the killed run is still rolling. It is a deployment of other content, so it is nobody's
            // to overtake; once AWS is done with it, the run can be started again.
            assert_eq!((done.code, done.output("left")), (1, "untouched"), "{what}:\n{}", done.log);
            settled(&bed);
            done = self.action(&bed, &sample).run();
        }
        let (code, result, reason, _) = done.verdict();
        let unchanged = self.end.0 == 0 && (code, result) == (0, "unchanged");
        assert!(
            unchanged || (code, result, reason) == (self.end.0, self.end.1, self.end.2),
            "{what}:\n{}",
            done.log
        );
        settled(&bed);
        assert_eq!(state(&bed), *expected, "{what}:\n{}", done.log);
        assert_eq!(bed.violations(), [], "{what}");
        true
    }

    /// Kills before and after every call.
    fn at_every_call(&self) {
        let (expected, calls) = self.undisturbed();
        at_every_call(self.name, &calls, |kill| self.case(kill, &expected));
    }
}

/// Waits until every service is steady.
#[track_caller]
fn settled(bed: &Testbed) {
    let still = bed.wait_until(Duration::from_secs(30), |world| {
        ["web-blue", "web-green", "web-dev"].iter().all(|name| world.ecs.is_steady("shop", name))
    });
    assert!(still, "the services do not become steady");
}

/// Everything that invariant 7 compares, free of ids, times and tags.
fn state(bed: &Testbed) -> Value {
    let services: BTreeMap<&str, Value> =
        ["web-blue", "web-green", "web-dev"].into_iter().map(|name| (name, service(bed, name))).collect();
    let mut weights: Vec<Vec<String>> = bed.world(|world| world.elb.rules().iter().map(weights).collect());
    weights.sort();
    json!({ "services": services, "weights": weights })
}

/// What a rule does, with target groups by their names: ARNs hold ids.
fn weights(rule: &testbed::elb::RuleState) -> Vec<String> {
    let name = |arn: &str| arn.rsplit('/').nth(1).unwrap_or_default().to_owned();
    let one = |action: &testbed::elb::action::Action| match &action.kind {
        testbed::elb::action::Kind::Forward(forward) => (forward.groups.iter())
            .map(|(group, weight)| format!("{}={weight} sticky={}", name(group), forward.sticky))
            .collect::<Vec<_>>()
            .join(" "),
        other => format!("{other:?}"),
    };
    rule.actions.iter().map(one).collect()
}

/// One service: its count, its deployments, its task definition's content, its family's revisions, its tasks.
fn service(bed: &Testbed, name: &str) -> Value {
    let ask = |operation: &str, input: Value| bed.call(Service::Ecs, operation, input).expect("AWS answers");
    let described = ask("DescribeServices", json!({ "cluster": "shop", "services": [name] }));
    let found = &described["services"][0];
    let deployments: Vec<Value> = (found["deployments"].as_array().into_iter().flatten())
        .map(|one| {
            let part = |key: &str| one[key].clone();
            json!([
                part("status"),
                part("rolloutState"),
                part("taskDefinition"),
                part("desiredCount"),
                part("runningCount")
            ])
        })
        .collect();
    let definition = ask("DescribeTaskDefinition", json!({ "taskDefinition": found["taskDefinition"] }));
    let mut content = definition["taskDefinition"].clone();
    if let Some(content) = content.as_object_mut() {
        content.remove("registeredAt");
    }
    let revisions = ask("ListTaskDefinitions", json!({ "familyPrefix": name }));
    let mut digests: Vec<String> = bed.world(|world| {
        let tasks =
            world.ecs.tasks_of("shop", name).into_iter().filter(|task| task.phase.name() == "RUNNING");
        tasks
            .map(|task| {
                format!(
                    "{} {:?}",
                    task.definition,
                    task.containers.iter().map(|one| &one.digest).collect::<Vec<_>>()
                )
            })
            .collect()
    });
    digests.sort();
    json!({
        "desired": found["desiredCount"],
        "definition": found["taskDefinition"],
        "deployments": deployments,
        "content": content,
        "revisions": revisions["taskDefinitionArns"],
        "tasks": digests,
    })
}

#[test]
fn invariant_07_a_good_deploy_killed_at_any_call_converges() {
    GOOD.at_every_call();
}

#[test]
fn invariant_07_a_crashing_deploy_killed_at_any_call_converges() {
    CRASHING.at_every_call();
}

#[test]
fn invariant_07_a_deploy_whose_breaker_trips_killed_at_any_call_converges() {
    TRIPPING.at_every_call();
}

#[test]
fn invariant_07_a_deploy_that_is_rolled_back_killed_at_any_call_converges() {
    ROLLING_BACK.at_every_call();
}

/// Kills a good deploy at its update, lets the post step clean up, and runs again.
fn post_between(after: bool) {
    let (expected, _) = GOOD.undisturbed();
    let (bed, sample) = GOOD.stage();
    // The version is not good yet when the post step looks: one that is would be confirmed.
    bed.world(|world| world.pace.launch = Duration::from_secs(120));
    let kill = Kill::of("UpdateService", 1, after);
    let done = killed(&bed, GOOD.action(&bed, &sample), &kill).expect("it was killed");
    bed.clear_calls();
    hurry_at_update(&bed);
    let post = GOOD.action(&bed, &sample).post(&done.state).run();
    bed.clear_faults();
    hurry(&bed);
    settled(&bed);
    let green = service(&bed, "web-green");
    assert_eq!((&green["desired"], version(&green)), (&json!(2), "web-green:1"), "{}", post.log);
    let back: &[&str] = if after { &["ecs UpdateService web-green web-green:1"] } else { &[] };
    assert_eq!(crate::common::writes(&bed), back, "{}", post.log);
    frozen(&bed);
    GOOD.action(&bed, &sample).run().expect(0, "succeeded", "", "changed");
    settled(&bed);
    assert_eq!(state(&bed), expected);
    assert_eq!(bed.violations(), []);
}

/// Family and revision of what a service wants.
fn version(service: &Value) -> &str {
    service["definition"].as_str().and_then(|arn| arn.rsplit('/').next()).unwrap_or_default()
}

#[test]
fn invariant_07_the_post_step_between_the_kill_and_the_next_run_puts_the_color_back() {
    post_between(true);
}

#[test]
fn invariant_07_the_post_step_writes_nothing_when_the_update_never_came() {
    post_between(false);
}
