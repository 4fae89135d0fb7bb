//! The steps on the way, where rules are apart.

use super::*;

/// A wish for green by these steps.
fn stepped(steps: &[u32]) -> Goal {
    wish(goal(0, 100), |wish| wish.steps = steps.to_vec())
}

#[test]
fn invariant_05_rules_that_are_more_than_a_step_apart_are_nobodys_half_way() {
    let mut seen = world(100, 0);
    rules(&mut seen)[0].rules[0] = production(80, 50, 50);
    let Next::Refuse(Refusal::RoutingError(RoutingError::Disagree(held))) = first(&seen, &stepped(&[20, 50]))
    else {
        panic!("refused")
    };
    assert_eq!(held.len(), 2);
    // One step apart: a killed run wrote the one and not yet the other.
    *rules(&mut seen)[0].rules.iter_mut().find(|rule| rule.port == 443).unwrap() = production(443, 80, 20);
    assert_eq!(planned(&seen, &stepped(&[20, 50])).first().unwrap(), "HTTPS:443 default split");
}

#[test]
fn a_rule_that_is_new_after_the_first_step_goes_where_the_others_are() {
    let mut ride = Ride::new(world(100, 0), stepped(&[20, 50]));
    let to_20 = [ride.go(), ride.go(), ride.go()];
    assert_eq!(to_20, ["HTTP:80 default blue-80", "HTTPS:443 default blue-80", "Bake"]);
    let to_50 = [ride.later(300).go(), ride.go(), ride.go()];
    assert_eq!(to_50, ["HTTP:80 default split", "HTTPS:443 default split", "Bake"]);
    rules(&mut ride.seen)[0].rules.push(production(8443, 100, 0));
    assert_eq!([ride.go(), ride.go()], ["HTTP:8443 default split", "Bake"]);
    assert_eq!(ride.later(300).go(), "HTTP:80 default green");
}
