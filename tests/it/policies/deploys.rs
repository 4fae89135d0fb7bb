//! Runs of `status` and `deploy`.

use std::sync::LazyLock;
use std::time::Duration;

use rustix::process::Signal;
use testbed::sample::{self, Stack, task_definition};

use super::record::{Record, record};
use crate::common::Action;
use crate::common::here::{stack, stack_with};

/// A config with `scaling`.
pub(crate) const SCALING: &str = "
cluster: shop
apps:
  web: { blue: web-blue, green: web-green, develop: web-dev, scaling: { min: 2, max: 10 } }
";

/// `status`: on Fargate, on EC2, and where services scale.
pub(crate) static STATUS: LazyLock<Record> = LazyLock::new(|| {
    record(&[
        || seen(&Stack::default(), false),
        || seen(&Stack { ec2: true, weights: (80, 20), ..Stack::default() }, false),
        || seen(&Stack::default(), true),
    ])
});

/// What one `status` needs.
fn seen(stack: &Stack, scales: bool) -> Record {
    let (bed, _) = stack_with(stack);
    let mut action = Action::new(&bed, "status");
    if scales {
        sample::autoscaled(&bed, 1, 10).expect("it scales");
        action = action.file(".github/blue-green.yml", SCALING);
    }
    action.run().expect(0, "succeeded", "", "untouched");
    Record::of(&bed)
}

/// `doctor`: on EC2, and where the config has `scaling` and rollback alarms.
pub(crate) static EXAMINED: LazyLock<Record> = LazyLock::new(|| {
    let (bed, _) = stack_with(&Stack { ec2: true, ..Stack::default() });
    sample::autoscaled(&bed, 1, 10).expect("it scales");
    let action = Action::new(&bed, "doctor").file(".github/blue-green.yml", SCALING);
    action.run().expect(0, "succeeded", "", "untouched");
    Record::of(&bed)
});

/// Deploys: good ones, failing ones to each color, cancelled ones.
pub(crate) static DEPLOYS: LazyLock<Record> = LazyLock::new(|| {
    let rest = record(&[
        || good(&Stack::default(), "v2", &[("color", "green"), ("desired-count", "3")]),
        || good(&Stack::default(), "v2", &[("probes", PROBES)]),
        || failing(&Stack::default(), "v8-wrong-body", &[("probes", PROBES)]),
        || good(&Stack::default(), "v2", &[("task-definition", "web-green:1")]),
        || good(&Stack::default(), "v2", &[("task-definition", "task.json")]),
        || failing(&Stack::default(), "v3-crash", &[]),
        || failing(&Stack { weights: (0, 100), ..Stack::default() }, "v3-crash", &[]),
        || failing(&Stack { rollback: true, ..Stack::default() }, "v3-crash", &[]),
        || good(&Stack { ec2: true, ..Stack::default() }, "v2", &[]),
        || failing(&Stack { ec2: true, ..Stack::default() }, "v3-crash", &[]),
        cancelled,
    ]);
    rest.and(&DEVELOP)
});

/// What the probes ask for.
const PROBES: &str = "[{path: /, contains: v2}]";

/// Deploys to develop, a good one and a failing one.
pub(crate) static DEVELOP: LazyLock<Record> = LazyLock::new(|| {
    record(&[
        || good(&Stack::default(), "v2", &[("color", "develop")]),
        || failing(&Stack::default(), "v3-crash", &[("color", "develop")]),
    ])
});

/// Deploys to each color where the config has `scaling` and nothing in the account scales yet.
pub(crate) static SCALED: LazyLock<Record> = LazyLock::new(|| {
    record(&[|| {
        let (bed, sample) = stack();
        bed.world(|world| world.autoscaling.linked_role = false);
        for color in ["blue", "green", "develop"] {
            let action = Action::new(&bed, "deploy").file(".github/blue-green.yml", SCALING);
            let action = action.input("color", color).input("allow-live", "true");
            action.input("image", &sample.image("v2")).run().expect(0, "succeeded", "", "changed");
        }
        assert!(bed.world(|world| world.autoscaling.linked_role), "AWS made its role");
        Record::of_first_use(&bed)
    }])
});

/// A deploy that succeeds.
fn good(stack: &Stack, tag: &str, inputs: &[(&str, &str)]) -> Record {
    deployed(stack, tag, inputs, (0, "succeeded", "changed"))
}

/// A deploy that fails and puts everything back.
fn failing(stack: &Stack, tag: &str, inputs: &[(&str, &str)]) -> Record {
    deployed(stack, tag, inputs, (1, "failed", "restored"))
}

/// What one deploy needs. `end` is its exit code, `result` and `left`.
fn deployed(stack: &Stack, tag: &str, inputs: &[(&str, &str)], end: (i32, &str, &str)) -> Record {
    // Probes go through the ports of the load balancer.
    let probes = inputs.iter().any(|(name, _)| *name == "probes");
    let (bed, sample) = if probes { crate::common::look::stack_with(stack) } else { stack_with(stack) };
    let definition = task_definition("web-green", &sample.image("v1"), stack.ec2);
    let action = Action::new(&bed, "deploy").input("image", &sample.image(tag));
    let action = action.file("task.json", &definition.to_string());
    let done = inputs.iter().fold(action, |action, (name, value)| action.input(name, value)).run();
    let found = (done.code, done.output("result"), done.output("left"));
    assert_eq!(found, end, "{tag} {inputs:?}:\n{}", done.log);
    Record::of(&bed)
}

/// What a cancelled deploy and its post step need.
fn cancelled() -> Record {
    let (bed, sample) = stack();
    let action = || Action::new(&bed, "deploy").input("image", &sample.image("v4-unhealthy"));
    let run = action().spawn();
    let updated = bed.wait_until(Duration::from_secs(20), |world| {
        let service = world.ecs.service("shop", "web-green").expect("green is there");
        service.primary().is_some_and(|primary| primary.revision.definition.ends_with(":2"))
    });
    assert!(updated, "the deploy did not update its service");
    run.signal(Signal::INT);
    let done = run.wait();
    assert_eq!(done.output("result"), "cancelled", "{}", done.log);
    action().post(&done.state).run();
    Record::of(&bed)
}
