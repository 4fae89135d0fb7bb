//! Runs of `redirect-traffic`, `rollback` and `promote`.

use std::sync::LazyLock;

use rustix::process::Signal;
use serde_json::json;
use testbed::sample::{self, Sample, Stack};
use testbed::{Service, Testbed};

use super::deploys::SCALING;
use super::record::{Record, Run, record};
use crate::common::Action;
use crate::common::here::{at, stack, with};
use crate::common::promote::{copy, swap};
use crate::common::traffic::{
    alarm, arrived, elb, path_rule, redirect, redirect_with, runs, scaled, second_listener, set_alarm, sick,
    until_at,
};

/// `redirect-traffic` and `rollback` without `scaling` in the config.
pub(crate) static MOVES: LazyLock<Record> = LazyLock::new(|| {
    let runs: [Run; 11] = [
        several_rules,
        || counted((100, 0), "web-blue", "green"),
        || counted((0, 100), "web-green", "blue"),
        suspended,
        watched,
        forced,
        adopted,
        cancelled,
        || rolled_back(&Stack::default()),
        || rolled_back(&Stack { ec2: true, ..Stack::default() }),
        || rolled_back_and_scaled((100, 0)),
    ];
    record(&runs)
});

/// `promote` by swap without `scaling` in the config, with and without scalable targets.
pub(crate) static SWAPS: LazyLock<Record> = LazyLock::new(|| {
    record(&[|| swapped("green", false), || swapped("blue", false), || swapped("green", true)])
});

/// `promote` by copy without `scaling` in the config: good ones to each color, and one that has to be put back.
pub(crate) static COPIES: LazyLock<Record> =
    LazyLock::new(|| record(&[|| copied("blue", false), || copied("green", true), put_back]));

/// The same commands where the config has `scaling` and nothing in the account scales yet.
pub(crate) static SCALED_MOVES: LazyLock<Record> = LazyLock::new(|| {
    let redirect = || first_use(|bed| redirect(bed, "split"));
    let back = || first_use(|bed| Action::new(bed, "rollback"));
    record(&[redirect, back, || first_use(|bed| swap(bed, "green"))])
});

/// `promote` by copy where the config has `scaling` and nothing in the account scales yet.
pub(crate) static SCALED_COPIES: LazyLock<Record> =
    LazyLock::new(|| record(&[|| first_use(|bed| copy(bed, "blue"))]));

/// Two listeners and a path, up and down.
fn several_rules() -> Record {
    let (bed, sample) = stack();
    second_listener(&bed, &sample, 100, 0);
    path_rule(&bed, &sample, 100, 0);
    for traffic in ["blue-80", "green", "blue"] {
        arrived(&bed, &redirect(&bed, traffic).run(), traffic);
    }
    Record::of(&bed)
}

/// The color that gains users gets the count of the other one first.
fn counted(weights: (u32, u32), larger: &str, to: &str) -> Record {
    let (bed, _sample) = at(weights.0, weights.1);
    scaled(&bed, larger, 3);
    arrived(&bed, &redirect(&bed, to).run(), to);
    Record::of(&bed)
}

/// Scale-in is suspended, and allowed again.
fn suspended() -> Record {
    let (bed, _sample) = stack();
    sample::autoscaled(&bed, 1, 10).expect("it scales");
    for traffic in ["split", "green"] {
        let done = redirect_with(&bed, traffic, &[("settle", "100ms")]).run();
        arrived(&bed, &done, traffic);
    }
    Record::of(&bed)
}

/// Steps under a metric alarm and a composite one, sent back by the first.
fn watched() -> Record {
    let (bed, sample) = stack();
    sample::autoscaled(&bed, 1, 10).expect("it scales");
    alarm(&bed, "latency");
    let steps = [("steps", "20"), ("bake-time", "1m"), ("rollback-alarms", "latency, web-5xx")];
    let run = redirect_with(&bed, "green", &steps).input("settle", "100ms").spawn();
    until_at(&bed, &sample, &["80/20"]);
    set_alarm(&bed, "latency", "ALARM");
    run.wait().expect(1, "failed", "alarm", "restored");
    Record::of(&bed)
}

/// Users first, tasks afterwards.
fn forced() -> Record {
    let (bed, _sample) = stack();
    scaled(&bed, "web-green", 1);
    scaled(&bed, "web-blue", 3);
    bed.world(|world| world.checker.expect_force(true));
    let done = redirect_with(&bed, "green", &[("force", "true")]).run();
    arrived(&bed, &done, "green");
    Record::of(&bed)
}

/// Day one: production holds blue alone.
fn adopted() -> Record {
    let (bed, sample) = stack();
    let alone = json!([{ "Type": "forward", "TargetGroupArn": sample.blue_group }]);
    let input = json!({ "ListenerArn": sample.production_listener, "DefaultActions": alone });
    elb(&bed, "ModifyListener", input);
    bed.world(|world| world.checker = testbed::checker::Checker::default());
    let port = sample.production_port.to_string();
    let done = redirect_with(&bed, "blue-80", &[("listener", &port), ("adopt", "true")]).run();
    arrived(&bed, &done, "blue-80");
    Record::of(&bed)
}

/// A cancelled run that goes back, and its post step.
fn cancelled() -> Record {
    let (bed, sample) = stack();
    let held = [("steps", "20"), ("bake-time", "1m"), ("on-cancel", "restore")];
    let run = redirect_with(&bed, "green", &held).spawn();
    until_at(&bed, &sample, &["80/20"]);
    run.signal(Signal::INT);
    let done = run.wait();
    done.expect(1, "cancelled", "cancelled", "restored");
    redirect_with(&bed, "green", &held).post(&done.state).run();
    Record::of(&bed)
}

/// To green and back.
fn rolled_back(stack: &Stack) -> Record {
    let (bed, _sample) = with(stack);
    for traffic in ["green", "blue"] {
        arrived(&bed, &Action::new(&bed, "rollback").run(), traffic);
    }
    Record::of(&bed)
}

/// A rollback of colors that scale, to one that is too small.
fn rolled_back_and_scaled(weights: (u32, u32)) -> Record {
    let (bed, _sample) = at(weights.0, weights.1);
    sample::autoscaled(&bed, 1, 10).expect("it scales");
    scaled(&bed, "web-blue", 3);
    let done = Action::new(&bed, "rollback").input("settle", "100ms").run();
    arrived(&bed, &done, "green");
    Record::of(&bed)
}

/// A promote by swap.
fn swapped(color: &str, scales: bool) -> Record {
    let (bed, _sample) = if color == "green" { at(80, 20) } else { at(20, 80) };
    if scales {
        sample::autoscaled(&bed, 2, 10).expect("it scales");
    }
    swap(&bed, color).run().expect(0, "succeeded", "", "changed");
    Record::of(&bed)
}

/// The sample stack with users on `color`, whose other color was tested.
fn tested(color: &str) -> (Testbed, Sample) {
    let (weights, other) = if color == "blue" { ((100, 0), "web-green") } else { ((0, 100), "web-blue") };
    let (bed, sample) = at(weights.0, weights.1);
    runs(&bed, &sample, other, "v2", true);
    (bed, sample)
}

/// A promote by copy; to blue with a path that has a rule of its own.
fn copied(color: &str, scales: bool) -> Record {
    let (bed, sample) = tested(color);
    if color == "blue" {
        path_rule(&bed, &sample, 100, 0);
    }
    if scales {
        sample::autoscaled(&bed, 2, 10).expect("it scales");
    }
    copy(&bed, color).run().expect(0, "succeeded", "", "changed");
    Record::of(&bed)
}

/// A promote by copy whose new tasks do not become healthy.
fn put_back() -> Record {
    let (bed, sample) = tested("blue");
    bed.call(Service::Elb, "ModifyTargetGroup", sick(&sample.blue_group)).expect("AWS takes it");
    let done = copy(&bed, "blue").input("timeout", "6s").run();
    assert_eq!((done.output("result"), done.output("left")), ("failed", "changed"), "{}", done.log);
    Record::of(&bed)
}

/// A run with `scaling` in its config, the first in its account that scales anything. It has no time to wait until the
/// low alarm has looked at nothing but the winner's own load.
fn first_use(action: impl FnOnce(&Testbed) -> Action) -> Record {
    let (bed, _sample) = tested("blue");
    bed.world(|world| world.autoscaling.linked_role = false);
    let done = action(&bed)
        .input("settle", "100ms")
        .input("timeout", "1m")
        .file(".github/blue-green.yml", SCALING)
        .run();
    done.expect(0, "succeeded", "", "changed");
    assert!(bed.world(|world| world.autoscaling.linked_role), "AWS made its role");
    Record::of_first_use(&bed)
}
