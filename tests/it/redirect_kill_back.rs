//! Invariant 7 for ways back, and for a color that has to grow first: a change of traffic that is killed at any call, and
//! then run again, ends where one undisturbed run would.
//!
//! Each case has a testbed of its own, with two production rules and services that scale automatically: the run is
//! killed at one call, before or after its effect; the same run is started again; and what stands then is compared
//! with what one undisturbed run left. A run that fails has its post step in between, as on a runner: what was there
//! before it is known to the step's state alone.

use std::time::Duration;

use crate::common::here::with;
use crate::common::kills::{Kill, at_every_call, killed};
use crate::common::traffic::{alarm, counts, moves, path_rule, scaled, set_alarm, splits, splits_in, state};
use crate::common::{Action, Done};
use testbed::sample::{self, Sample, Stack};
use testbed::{Call, Effect, Fault, Service as Api, Testbed, World};

/// The alarm that fires as soon as both rules send users to green, where a story watches it.
const ALARM: &str = "errors";

/// A change of traffic between two colors, one of which is too small at first.
struct Story {
    /// What it is called in messages.
    name: &'static str,
    /// `command`.
    command: &'static str,
    /// The other inputs.
    inputs: &'static [(&'static str, &'static str)],
    /// Weights of blue and green at first.
    weights: (u32, u32),
    /// Tasks of blue and green at first.
    tasks: (u32, u32),
    /// How an undisturbed run ends: exit code, result, reason and what is left.
    end: (i32, &'static str, &'static str, &'static str),
    /// The operations of its writes.
    operations: &'static [&'static str],
    /// The writes of an undisturbed run.
    writes: &'static [&'static str],
}

/// A change of a scalable target.
const SCALING: &str = "RegisterScalableTarget";
/// A change of a count.
const COUNT: &str = "UpdateService";
/// A change of the rule with the path.
const RULE: &str = "ModifyRule";
/// A change of the default rule.
const DEFAULT: &str = "ModifyListener";

/// All users at once to a color that has to grow first.
const PLAIN: Story = Story {
    name: "a redirect",
    command: "redirect-traffic",
    inputs: &[("traffic", "green"), ("settle", "200ms")],
    weights: (100, 0),
    tasks: (3, 2),
    end: (0, "succeeded", "", "changed"),
    operations: &[SCALING, SCALING, COUNT, RULE, DEFAULT, SCALING],
    writes: &[
        "web-blue scale-in off",
        "web-green scale-in off",
        "web-green desired=3",
        "rule 0/100",
        "production 0/100",
        "web-green scale-in on",
    ],
};

/// An alarm sends users back while half of them are at the new color.
const FAILING: Story = Story {
    name: "a redirect that an alarm sends back",
    command: "redirect-traffic",
    inputs: &[
        ("traffic", "green"),
        ("settle", "200ms"),
        ("steps", "50"),
        ("bake-time", "1m"),
        ("rollback-alarms", ALARM),
        ("on-cancel", "restore"),
    ],
    weights: (100, 0),
    tasks: (4, 1),
    end: (1, "failed", "alarm", "restored"),
    operations: &[SCALING, SCALING, COUNT, RULE, DEFAULT, RULE, DEFAULT, SCALING, SCALING, COUNT],
    writes: &[
        "web-blue scale-in off",
        "web-green scale-in off",
        "web-green desired=2",
        "rule 50/50",
        "production 50/50",
        "rule 100/0",
        "production 100/0",
        "web-blue scale-in on",
        "web-green scale-in on",
        "web-green desired=1",
    ],
};

/// All users back to the color that is named.
const ROLLBACK: Story = Story {
    name: "a rollback",
    command: "rollback",
    inputs: &[("color", "blue"), ("settle", "200ms")],
    weights: (0, 100),
    tasks: (2, 3),
    end: (0, "succeeded", "", "changed"),
    operations: &[SCALING, SCALING, COUNT, RULE, DEFAULT, SCALING],
    writes: &[
        "web-blue scale-in off",
        "web-green scale-in off",
        "web-blue desired=3",
        "rule 100/0",
        "production 100/0",
        "web-blue scale-in on",
    ],
};

/// Everything that invariant 7 compares.
#[derive(Debug, PartialEq, Eq)]
struct State {
    /// The weights of each production rule, such as `80/20`.
    splits: Vec<String>,
    /// Blue, then green.
    services: [Service; 2],
}

/// One service, free of ids, times and tags.
#[derive(Debug, PartialEq, Eq)]
struct Service {
    /// Desired count.
    desired: u32,
    /// MinCapacity and MaxCapacity.
    bounds: (u32, u32),
    /// Whether scale-in, scale-out and scheduled scaling are suspended.
    suspended: (bool, bool, bool),
    /// Family and revision of what it wants.
    definition: String,
}

impl State {
    /// What stands.
    fn of(bed: &Testbed, sample: &Sample) -> State {
        let splits = splits(bed, sample);
        State {
            splits,
            services: ["web-blue", "web-green"].map(|name| bed.world(|world| Service::of(world, name))),
        }
    }
}

impl Service {
    /// What stands of one service.
    fn of(world: &World, name: &str) -> Service {
        let service = world.ecs.service("shop", name).expect("a service");
        let target = world.autoscaling.target(&format!("service/shop/{name}")).expect("a scalable target");
        let definition = &service.primary().expect("a deployment").revision.definition;
        Service {
            desired: service.desired,
            bounds: (target.min, target.max),
            suspended: (target.suspended.scale_in, target.suspended.scale_out, target.suspended.scheduled),
            definition: definition.rsplit('/').next().unwrap_or_default().to_owned(),
        }
    }
}

impl Story {
    /// A testbed of its own for one case.
    fn stage(&self) -> (Testbed, Sample) {
        let (bed, sample) = with(&Stack { weights: self.weights, ..Stack::default() });
        path_rule(&bed, &sample, self.weights.0, self.weights.1);
        for (service, now, count) in
            [("web-blue", counts(&bed).0, self.tasks.0), ("web-green", counts(&bed).1, self.tasks.1)]
        {
            if now != count {
                scaled(&bed, service, count);
            }
        }
        sample::autoscaled(&bed, 1, 10).expect("it scales");
        if self.watches() {
            alarm(&bed, ALARM);
            set_alarm(&bed, ALARM, "OK");
        }
        self.arm(&bed, &sample);
        bed.clear_calls();
        (bed, sample)
    }

    /// Whether it watches the alarm.
    fn watches(&self) -> bool {
        self.inputs.contains(&("rollback-alarms", ALARM))
    }

    /// From now on the alarm follows the weights: it fires while all rules send users to green.
    fn arm(&self, bed: &Testbed, sample: &Sample) {
        if !self.watches() {
            return;
        }
        for operation in [RULE, DEFAULT] {
            let sample = sample.clone();
            let follow = move |world: &mut World| {
                let idle = splits_in(world, &sample).iter().any(|split| split.ends_with("/0"));
                let to = state(ALARM, if idle { "OK" } else { "ALARM" });
                world.call(Api::CloudWatch, "SetAlarmState", &to).expect("AWS takes it");
            };
            bed.fault(Fault::on(operation, Effect::Then(Box::new(follow))));
        }
    }

    /// The run.
    fn action(&self, bed: &Testbed) -> Action {
        let action = Action::new(bed, self.command).input("timeout", "30s");
        self.inputs.iter().fold(action, |action, (name, value)| action.input(name, value))
    }

    /// One undisturbed run: what it leaves, and its calls.
    fn undisturbed(&self) -> (State, Vec<Call>) {
        let (bed, sample) = self.stage();
        let (code, result, reason, left) = self.end;
        let done = self.action(&bed).run();
        done.expect(code, result, reason, left);
        assert_eq!(moves(&bed, &sample), self.writes, "{}:\n{}", self.name, done.log);
        let mut operations: Vec<String> = bed.writes().into_iter().map(|call| call.operation).collect();
        let mut expected = self.operations.to_vec();
        operations.sort();
        expected.sort_unstable();
        assert_eq!(operations, expected, "{}", self.name);
        let calls = bed.calls();
        settled(&bed);
        assert_eq!(bed.violations(), []);
        (State::of(&bed, &sample), calls)
    }

    /// A run that is killed there. None: the run ended before.
    fn killed(&self, bed: &Testbed, sample: &Sample, kill: &Kill) -> Option<Done> {
        let done = killed(bed, self.action(bed), kill);
        self.arm(bed, sample);
        done
    }

    /// Kills one run, runs again, and compares. Whether the place was reached.
    fn case(&self, kill: &Kill, expected: &State) -> bool {
        let (bed, sample) = self.stage();
        let Some(killed) = self.killed(&bed, &sample, kill) else { return false };
        let what = format!("{}, {kill:?}", self.name);
        let fails = self.end.0 != 0;
        let post = if fails { self.action(&bed).post(&killed.state).run().log } else { String::new() };
        let done = self.action(&bed).run();
        let (code, result, reason, _) = done.verdict();
        let unchanged = !fails && (code, result) == (0, "unchanged");
        let log = format!("{what}:\n{}\n--- post\n{post}\n--- again\n{}", killed.log, done.log);
        assert!(unchanged || (code, result, reason) == (self.end.0, self.end.1, self.end.2), "{log}");
        settled(&bed);
        assert_eq!(State::of(&bed, &sample), *expected, "{log}");
        assert_eq!(bed.violations(), [], "{log}");
        true
    }
}

/// Waits until both services are steady.
#[track_caller]
fn settled(bed: &Testbed) {
    let still = bed.wait_until(Duration::from_secs(30), |world| {
        ["web-blue", "web-green"].iter().all(|name| world.ecs.is_steady("shop", name))
    });
    assert!(still, "the services do not become steady");
}

/// Kills before and after every call.
fn every_call(story: &Story) {
    let (expected, calls) = story.undisturbed();
    at_every_call(story.name, &calls, |kill| story.case(kill, &expected));
}

#[test]
fn invariant_07_a_redirect_killed_at_any_call_converges() {
    every_call(&PLAIN);
}

#[test]
fn invariant_07_a_redirect_that_goes_back_killed_at_any_call_converges() {
    every_call(&FAILING);
}

#[test]
fn invariant_07_a_rollback_killed_at_any_call_converges() {
    every_call(&ROLLBACK);
}

/// Kills a run at its first writes of weights, of which at most that of the rule has its effect, and lets the post step
/// alone put back what it changed.
fn post_after(after: bool) {
    let (bed, sample) = FAILING.stage();
    let before = State::of(&bed, &sample);
    bed.fault(Fault::on(DEFAULT, if after { Effect::DropBefore } else { Effect::KillBefore }).nth(1..=1));
    let killed = FAILING.killed(&bed, &sample, &Kill::of(RULE, 1, after)).expect("it was killed");
    bed.clear_calls();
    let post = FAILING.action(&bed).post(&killed.state).run();
    let back = if after { &["rule 100/0"][..] } else { &[] };
    let rest = ["web-blue scale-in on", "web-green scale-in on", "web-green desired=1"];
    assert_eq!(moves(&bed, &sample), [back, &rest].concat(), "{}", post.log);
    settled(&bed);
    assert_eq!(State::of(&bed, &sample), before, "{}", post.log);
}

#[test]
fn invariant_07_the_post_step_puts_back_weights_whose_answer_the_killed_run_never_got() {
    post_after(true);
}

#[test]
fn invariant_07_the_post_step_writes_no_weights_where_the_killed_run_had_not() {
    post_after(false);
}
