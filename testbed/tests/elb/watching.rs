//! The checker, told about changes that the test makes by hand.

use std::time::Duration;

use serde_json::json;
use testbed::checker::{Checker, Color};

use crate::stack::{Server, Stack, forward};

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

    /// Lets the checker look, with these desired counts: the invariants that it names anew.
    fn look(&mut self, desired: [Option<u32>; 2]) -> Vec<u8> {
        let before = self.checker.violations().len();
        let of = |service: &str| if service == "blue" { desired[0] } else { desired[1] };
        let checker = &mut self.checker;
        self.stack.bed.world(|world| checker.check(&world.elb, &of, 7));
        self.checker.violations()[before..].iter().map(|violation| violation.invariant).collect()
    }
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
