//! The life that `whole_life.rs` lives: its stage, its steps, and what stands at its end.

use serde_json::json;
use testbed::sample::{self, Sample};
use testbed::{Service, Testbed};

use super::{Action, stack};

/// One step of the life.
pub(crate) struct Step {
    /// What it is called in messages.
    pub(crate) name: &'static str,
    /// The run.
    pub(crate) run: fn(&Testbed, &Sample) -> Action,
    /// The writes of an undisturbed run.
    pub(crate) writes: &'static [&'static str],
}

/// The life. Both colors scale automatically, so that a held split reads as a larger load than it is: two tasks for half
/// of the users are four for all of them.
pub(crate) const LIFE: [Step; 6] = [
    Step {
        name: "a deploy to green",
        run: |bed, sample| deploy(bed, sample, "v2"),
        writes: &["RegisterTaskDefinition web-green", "UpdateService web-green web-green:2"],
    },
    Step {
        name: "a redirect in steps",
        run: |bed, _| {
            let stepped = settled(bed, "redirect-traffic").input("traffic", "green");
            stepped.input("steps", "20, 50").input("bake-time", "100ms")
        },
        writes: &[
            "web-blue scale-in off",
            "web-green scale-in off",
            "production 80/20",
            "production 50/50",
            "web-green desired=4",
            "production 0/100",
            "web-green scale-in on",
        ],
    },
    Step {
        name: "a promote by swap",
        run: |bed, _| settled(bed, "promote").input("color", "green"),
        writes: &["web-blue min=1 scale-in on", "web-blue desired=1"],
    },
    Step {
        name: "a deploy to blue",
        run: |bed, sample| deploy(bed, sample, "v3"),
        writes: &["RegisterTaskDefinition web-blue", "UpdateService web-blue web-blue:2"],
    },
    Step {
        name: "a promote by copy",
        run: |bed, _| settled(bed, "promote").input("color", "green").input("mode", "copy"),
        writes: &[
            "web-blue scale-in off",
            "web-green scale-in off",
            "web-blue desired=4",
            "production 100/0",
            "RegisterTaskDefinition web-green",
            "UpdateService web-green web-green:3",
            "production 0/100",
            "web-green scale-in on",
            "web-blue min=1 scale-in on",
            "web-blue desired=1",
        ],
    },
    Step {
        name: "a rollback",
        // With its color: without it, a rollback that is run again once users are back would send them away again.
        run: |bed, _| settled(bed, "rollback").input("color", "blue"),
        writes: &[
            "web-blue scale-in off",
            "web-green scale-in off",
            "web-blue desired=4",
            "production 100/0",
            "web-blue scale-in on",
        ],
    },
];

/// A deploy of a version to the color without users.
fn deploy(bed: &Testbed, sample: &Sample, tag: &str) -> Action {
    Action::new(bed, "deploy").input("image", &sample.image(tag)).input("timeout", "60s")
}

/// A run that settles in a moment.
fn settled(bed: &Testbed, command: &str) -> Action {
    Action::new(bed, command).input("settle", "100ms").input("timeout", "60s")
}

/// A testbed at the beginning of a life.
pub(crate) fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    bed.world(|world| drop(world.ecr.push("shop/web", "v3")));
    sample::autoscaled(&bed, 1, 10).expect("they scale");
    [&sample.blue_group, &sample.green_group].iter().for_each(|group| patient(&bed, group));
    (bed, sample)
}

/// A target group whose targets have time to answer, also on a machine that is busy: what is told of users is to be the
/// product's doing.
fn patient(bed: &Testbed, group: &str) {
    let checks = json!({
        "TargetGroupArn": group, "HealthCheckIntervalSeconds": "10", "HealthCheckTimeoutSeconds": "9",
        "UnhealthyThresholdCount": "10",
    });
    bed.call(Service::Elb, "ModifyTargetGroup", checks).expect("AWS takes it");
    let delay = json!([{ "Key": "deregistration_delay.timeout_seconds", "Value": "25" }]);
    let drains = json!({ "TargetGroupArn": group, "Attributes": delay });
    bed.call(Service::Elb, "ModifyTargetGroupAttributes", drains).expect("AWS takes it");
}
