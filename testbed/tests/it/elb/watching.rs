//! The checker, told about changes that the test makes by hand.

use std::time::Duration;

use serde_json::json;
use testbed::checker::{Capacity, Checker, Color, Scaling};

use super::stack::{Server, Stack, forward};

/// Two colors with a production listener at 100/0.
struct Colors {
    /// The load balancer.
    stack: Stack,
    /// The production listener.
    listener: String,
    /// The groups.
    groups: [String; 2],
    /// The servers, kept alive.
    servers: Vec<Server>,
    /// The checker under test.
    checker: Checker,
}

impl Colors {
    /// Blue has two healthy targets, green as many as said.
    fn start(green: usize) -> Self {
        let stack = Stack::start();
        let groups = [stack.group("blue"), stack.group("green")];
        let (listener, _) = stack.listener(forward(&[(&groups[0], 100), (&groups[1], 0)]));
        let mut servers = Vec::new();
        for (group, count) in [(&groups[0], 2), (&groups[1], green)] {
            for _ in 0..count {
                let server = Server::start("x");
                stack.healthy(group, &server);
                servers.push(server);
            }
        }
        let mut checker = Checker::default();
        let color =
            |service: &str, group: &String| Color { service: service.to_owned(), group: group.clone() };
        checker.watch(color("blue", &groups[0]), color("green", &groups[1]));
        let mut colors = Self { stack, listener, groups, servers, checker };
        colors.look([Some(2), Some(2)]);
        colors
    }

    /// Sets the weights.
    fn weights(&self, blue: u32, green: u32) {
        let actions = forward(&[(&self.groups[0], blue), (&self.groups[1], green)]);
        self.stack.ok("ModifyListener", json!({"ListenerArn": self.listener, "DefaultActions": actions}));
    }

    /// Lets the checker look, with these desired counts and no scaling: the invariants that it names anew.
    fn look(&mut self, desired: [Option<u32>; 2]) -> Vec<u8> {
        self.see(desired.map(|desired| desired.map(|desired| Capacity { desired, ..Capacity::default() })))
    }

    /// Lets the checker look at these sizes: the invariants that it names anew.
    fn see(&mut self, capacity: [Option<Capacity>; 2]) -> Vec<u8> {
        let before = self.checker.violations().len();
        let of = |service: &str| if service == "blue" { capacity[0].clone() } else { capacity[1].clone() };
        let checker = &mut self.checker;
        self.stack.bed.world(|world| checker.check(&world.elb, &of, 7));
        self.checker.violations()[before..].iter().map(|violation| violation.invariant).collect()
    }
}

/// Two colors that scale, with scale-in suspended: desired counts and MaxCapacities.
fn scaled(desired: [u32; 2], max: [u32; 2]) -> [Option<Capacity>; 2] {
    [0, 1].map(|color| {
        let scaling = Scaling { max: max[color], scale_in_suspended: true, ..Scaling::default() };
        Some(Capacity { desired: desired[color], scaling: Some(scaling), own: None })
    })
}

/// One color with its scalable target changed.
fn with(
    mut both: [Option<Capacity>; 2],
    color: usize,
    change: impl FnOnce(&mut Scaling),
) -> [Option<Capacity>; 2] {
    let scaling = both[color].as_mut().and_then(|capacity| capacity.scaling.as_mut());
    change(scaling.expect("it scales"));
    both
}

#[test]
fn a_good_shift_is_silent() {
    let mut colors = Colors::start(2);
    for (blue, green) in [(80, 20), (50, 50), (0, 100)] {
        colors.weights(blue, green);
        assert_eq!(colors.look([Some(2), Some(2)]), [0; 0]);
    }
    assert_eq!(colors.look([Some(1), Some(2)]), [0; 0], "the loser may shrink at weight 0");
}

#[test]
fn invariant_10_speaks_when_a_deploy_moves_a_weight() {
    let mut colors = Colors::start(2);
    colors.checker.expect_no_weight_change(true);
    assert_eq!(colors.look([Some(2), Some(3)]), [0; 0]);
    colors.weights(90, 10);
    assert_eq!(colors.look([Some(2), Some(2)]), [10]);
    assert_eq!(colors.look([Some(2), Some(2)]), [0; 0], "once");
    assert!(
        colors.checker.violations()[0].text.contains("from 100/0 to 90/10"),
        "{:?}",
        colors.checker.violations()
    );
    assert_eq!(colors.checker.violations()[0].call, 7);
}

#[test]
fn invariant_16_speaks_when_weight_comes_before_health() {
    let mut colors = Colors::start(1);
    colors.weights(80, 20);
    assert_eq!(colors.look([Some(2), Some(2)]), [0; 0], "one target carries a fifth of two");
    colors.weights(40, 60);
    assert_eq!(colors.look([Some(2), Some(2)]), [16]);
    assert!(colors.checker.violations()[0].text.contains("with 1 healthy targets; it needs 2"));
    colors.weights(80, 20);
    assert_eq!(colors.look([Some(2), Some(2)]), [0; 0]);
    colors.checker.expect_force(true);
    colors.weights(0, 100);
    assert_eq!(colors.look([Some(2), Some(2)]), [0; 0], "force needs one");
    colors.checker.expect_force(false);
    colors.weights(100, 0);
    let key = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count";
    colors.stack.attribute(&colors.groups[0], key, "3");
    colors.weights(99, 1);
    assert_eq!(colors.look([Some(2), Some(2)]), [16], "blue has 2 healthy targets and asks for 3");
}

#[test]
fn invariant_22_speaks_when_a_live_color_shrinks() {
    let mut colors = Colors::start(2);
    assert_eq!(colors.look([Some(1), Some(2)]), [22]);
    colors.weights(20, 80);
    assert_eq!(colors.look([Some(2), Some(2)]), [0; 0]);
    assert_eq!(colors.look([Some(1), Some(2)]), [0; 0], "one task carries a fifth of two");
    assert_eq!(colors.look([Some(1), Some(1)]), [22]);
}

#[test]
fn invariant_22_waits_for_the_data_plane() {
    let mut colors = Colors::start(2);
    colors.stack.bed.world(|world| world.pace.propagation = Duration::from_secs(60));
    colors.weights(0, 100);
    assert_eq!(colors.look([Some(2), Some(2)]), [0; 0]);
    assert_eq!(colors.look([Some(1), Some(2)]), [22], "users still come to blue");
}

#[test]
fn invariant_24_speaks_when_something_is_lost() {
    let mut colors = Colors::start(1);
    assert_eq!(colors.look([Some(2), Some(0)]), [24]);
    for server in &colors.servers {
        colors.stack.deregister(&colors.groups[0], server);
    }
    assert_eq!(colors.look([Some(2), Some(0)]), [24]);
    assert!(
        colors.checker.violations()[1].text.contains("blue is empty"),
        "{:?}",
        colors.checker.violations()
    );
    colors.stack.ok("DeleteListener", json!({"ListenerArn": colors.listener}));
    assert_eq!(colors.look([Some(2), None]), [24, 24]);
}

#[test]
fn invariant_16_takes_the_load_of_scaling_services_from_the_smallest_live_color() {
    let mut colors = Colors::start(1);
    assert_eq!(colors.see(scaled([2, 5], [9, 9])), [0; 0]);
    colors.weights(50, 50);
    assert_eq!(colors.see(scaled([2, 5], [9, 9])), [0; 0], "blue alone carried it with 2: half of it is 1");
    colors.weights(0, 100);
    assert_eq!(colors.see(scaled([2, 5], [9, 9])), [16], "2 ÷ ½ = 4, 5 ÷ ½ = 10: green needs 4");
    assert!(colors.checker.violations()[0].text.contains("with 1 healthy targets; it needs 4"));
}

#[test]
fn invariant_16_asks_for_no_more_than_the_largest_max_capacity() {
    let mut colors = Colors::start(2);
    assert_eq!(colors.see(scaled([3, 5], [2, 9])), [0; 0]);
    colors.weights(0, 100);
    assert_eq!(colors.see(scaled([3, 5], [2, 9])), [0; 0], "blue may have 2, and green is not live yet");
    colors.weights(100, 0);
    assert_eq!(colors.see(scaled([3, 5], [2, 9])), [16], "green was live with 5");
}

#[test]
fn invariant_16_is_exact_where_shares_do_not_divide() {
    let mut colors = Colors::start(2);
    colors.weights(1, 2);
    assert_eq!(colors.see(scaled([1, 2], [9, 9])), [0; 0], "the first look at scaling services");
    colors.weights(0, 3);
    assert_eq!(colors.see(scaled([1, 2], [9, 9])), [16], "1 ÷ ⅓ and 2 ÷ ⅔ are exactly 3");
    assert!(colors.checker.violations()[0].text.contains("it needs 3"), "{:?}", colors.checker.violations());
}

#[test]
fn invariant_16_needs_every_live_color_to_scale() {
    let mut colors = Colors::start(1);
    let mut both = scaled([2, 5], [9, 9]);
    both[0] = Some(Capacity { desired: 2, ..Capacity::default() });
    assert_eq!(colors.see(both.clone()), [0; 0]);
    colors.weights(50, 50);
    assert_eq!(colors.see(both), [16, 16], "otherwise the larger desired count, 5: half of it is 3");
}

#[test]
fn invariant_16_keeps_the_load_while_several_rules_change() {
    let unscaled = |both: [Option<Capacity>; 2]| {
        let [blue, green] = both;
        [blue, green.map(|green| Capacity { scaling: None, ..green })]
    };
    for (size, why) in [
        (scaled([2, 1], [9, 9]), "the load is 2"),
        (scaled([3, 5], [2, 9]), "blue may have 2 at most"),
        (unscaled(scaled([2, 5], [9, 9])), "green did not carry anybody, and does not scale"),
    ] {
        let mut colors = Colors::start(1);
        assert_eq!(colors.see(size.clone()), [0; 0]);
        let actions = forward(&[(&colors.groups[0], 100), (&colors.groups[1], 0)]);
        let (second, _) = colors.stack.listener(actions);
        assert_eq!(colors.see(size.clone()), [0; 0]);
        for listener in [colors.listener.clone(), second] {
            let actions = forward(&[(&colors.groups[0], 50), (&colors.groups[1], 50)]);
            colors.stack.ok("ModifyListener", json!({"ListenerArn": listener, "DefaultActions": actions}));
            assert_eq!(colors.see(size.clone()), [0; 0], "{why}, also while the rules disagree");
        }
        colors.weights(20, 80);
        assert_eq!(colors.see(size), [16], "{why}");
    }
}

#[test]
fn invariant_19_speaks_when_scale_in_may_happen_between_two_live_colors() {
    let mut colors = Colors::start(2);
    let size = || scaled([2, 2], [9, 9]);
    let on = |color| with(size(), color, |scaling| scaling.scale_in_suspended = false);
    assert_eq!(colors.see(on(1)), [0; 0], "one color alone");
    colors.weights(50, 50);
    assert_eq!(colors.see(on(1)), [19]);
    assert!(colors.checker.violations()[0].text.contains("scale-in of green is on"));
    assert_eq!(colors.see(size()), [0; 0]);
    assert_eq!(colors.see(on(0)), [19], "resumed");
    assert_eq!(colors.see(size()), [0; 0]);
    let shrunk = with(scaled([1, 2], [9, 9]), 0, |scaling| scaling.scaled_in = 1);
    assert_eq!(colors.see(shrunk), [19], "a policy did it");
    colors.weights(0, 100);
    let alone = with(scaled([1, 2], [9, 9]), 0, |scaling| scaling.scaled_in = 1);
    assert_eq!(colors.see(alone.clone()), [0; 0]);
    assert_eq!(colors.see(with(alone, 1, |scaling| scaling.scale_in_suspended = false)), [0; 0]);
}

#[test]
fn invariant_22_leaves_a_color_alone_to_its_policies() {
    let mut colors = Colors::start(2);
    assert_eq!(colors.see(scaled([4, 2], [9, 9])), [0; 0]);
    let shrunk = with(scaled([3, 2], [9, 9]), 0, |scaling| scaling.scaled_in = 1);
    assert_eq!(colors.see(shrunk), [0; 0]);
    let set = with(scaled([2, 2], [9, 9]), 0, |scaling| scaling.scaled_in = 1);
    assert_eq!(colors.see(set), [22], "somebody set the count");
}

#[test]
fn invariant_23_speaks_when_a_bound_shrinks_a_live_color() {
    let mut colors = Colors::start(2);
    assert_eq!(colors.see(scaled([4, 4], [9, 9])), [0; 0]);
    let idle = with(scaled([4, 2], [9, 2]), 1, |scaling| scaling.clamped = 1);
    assert_eq!(colors.see(idle.clone()), [0; 0], "green is idle");
    colors.weights(80, 20);
    assert_eq!(colors.see(idle), [16], "⅘ of 4 are more than blue has healthy");
    let live = with(scaled([4, 1], [9, 1]), 1, |scaling| scaling.clamped = 2);
    assert_eq!(colors.see(live), [23]);
    let text = &colors.checker.violations()[1].text;
    assert!(text.contains("green went from 2 to 1 tasks") && text.contains("MaxCapacity"), "{text}");
}

#[test]
fn invariant_31_speaks_when_weight_comes_before_the_alarms() {
    let mut colors = Colors::start(2);
    let size = |on: bool| {
        let alarms = vec![("green-cpu".to_owned(), true), ("green-memory".to_owned(), on)];
        with(scaled([2, 2], [9, 9]), 1, |scaling| scaling.out_alarms = alarms)
    };
    assert_eq!(colors.see(size(false)), [0; 0]);
    for (managed, on, named) in [(false, false, vec![]), (true, false, vec![31]), (true, true, vec![])] {
        colors.checker.expect_managed_alarms(managed);
        colors.weights(100, 0);
        colors.see(size(on));
        colors.weights(50, 50);
        assert_eq!(colors.see(size(on)), named, "managed: {managed}, on: {on}");
    }
    let named = colors.checker.violations().iter().find(|violation| violation.invariant == 31);
    assert!(named.is_some_and(|violation| violation.text.contains("green-memory")), "{named:?}");
}
