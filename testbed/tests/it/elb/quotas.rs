//! The default quotas of an application load balancer.

use serde_json::json;

use super::stack::{Stack, free_port, text};

#[test]
fn a_load_balancer_has_at_most_a_hundred_rules_and_fifty_listeners() {
    let stack = Stack::start();
    let action = json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]);
    let listener = || {
        let port = free_port();
        json!({"LoadBalancerArn": stack.balancer, "Protocol": "HTTP", "Port": port, "DefaultActions": action})
    };
    let mut listeners = Vec::new();
    // A port may be gone a moment after it was free.
    while listeners.len() < 50 {
        let made = stack.bed.call(testbed::Service::Elb, "CreateListener", listener());
        listeners.extend(made.ok().map(|answer| text(&answer["Listeners"][0]["ListenerArn"])));
    }
    assert_eq!(stack.refused("CreateListener", listener()).0, "TooManyListeners");
    let rule = |listener: &String, priority: usize| {
        let conditions = json!([{"Field": "path-pattern", "Values": ["/a"]}]);
        json!({"ListenerArn": listener, "Priority": priority, "Conditions": conditions, "Actions": action})
    };
    for priority in 1..=50 {
        stack.ok("CreateRule", rule(&listeners[0], priority));
        stack.ok("CreateRule", rule(&listeners[1], priority));
    }
    let text = format!("The maximum number of rules on load balancer {} has been reached", stack.balancer);
    assert_eq!(stack.refused("CreateRule", rule(&listeners[2], 51)), ("TooManyRules".to_owned(), text));
    stack.ok("DeleteListener", json!({"ListenerArn": listeners[1]}));
    stack.ok("CreateRule", rule(&listeners[2], 51));
}
