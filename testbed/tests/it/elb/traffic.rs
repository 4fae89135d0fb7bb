//! What users of a listener see.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use serde_json::json;
use testbed::{Options, Pace};

use super::stack::{Server, Stack, forward, get, text, who};

#[test]
fn requests_split_by_weight() {
    let stack = Stack::start();
    let (blue, green) = (stack.group("blue"), stack.group("green"));
    let (listener, port) = stack.listener(forward(&[(&blue, 80), (&green, 20)]));
    let (one, two, three) = (Server::start("blue-1"), Server::start("blue-2"), Server::start("green-1"));
    for (group, server) in [(&blue, &one), (&blue, &two), (&green, &three)] {
        stack.healthy(group, server);
    }
    let seen = who(port, 100);
    assert!((78..=82).contains(&(seen["blue-1"] + seen["blue-2"])), "{seen:?}");
    assert!(seen["blue-1"].abs_diff(seen["blue-2"]) <= 2, "{seen:?}");
    let actions = forward(&[(&blue, 0), (&green, 100)]);
    stack.ok("ModifyListener", json!({"ListenerArn": listener, "DefaultActions": actions}));
    assert_eq!(who(port, 20), [("green-1".to_owned(), 20)].into());
    let actions = forward(&[(&blue, 0), (&green, 0)]);
    stack.ok("ModifyListener", json!({"ListenerArn": listener, "DefaultActions": actions}));
    assert_eq!(who(port, 3), [("503".to_owned(), 3)].into());
}

#[test]
fn an_empty_group_answers_503_for_its_share() {
    let stack = Stack::start();
    let (blue, green) = (stack.group("blue"), stack.group("green"));
    let (_, port) = stack.listener(forward(&[(&blue, 50), (&green, 50)]));
    let server = Server::start("blue");
    stack.healthy(&blue, &server);
    let seen = who(port, 100);
    assert!((48..=52).contains(&seen["503"]), "{seen:?}");
    let counts = stack
        .bed
        .world(|world| (world.elb.counts(&stack.balancer, &blue), world.elb.counts(&stack.balancer, &green)));
    assert_eq!(counts.0.requests, seen["blue"] as u64);
    assert_eq!((counts.1.requests, counts.1.unavailable), (0, seen["503"] as u64));
    let page = get(port, "/", &[]);
    assert!(page.status == 200 || page.body.contains("503 Service Temporarily Unavailable"), "{page:?}");
}

#[test]
fn a_dead_target_answers_502_and_then_turns_unhealthy() {
    let stack = Stack::start();
    let group = stack.group("blue");
    let (_, port) = stack.listener(forward(&[(&group, 1)]));
    let server = Server::start("blue");
    stack.healthy(&group, &server);
    server.stop();
    assert_eq!(get(port, "/", &[]).status, 502);
    assert_eq!(get(port, "/", &[]).status, 502);
    stack.wait(&group, &server, "unhealthy");
    let expected =
        ("unhealthy".to_owned(), "Target.FailedHealthChecks".to_owned(), "Health checks failed".to_owned());
    assert_eq!(stack.health(&group), [expected]);
    let counts = stack.bed.world(|world| world.elb.counts(&stack.balancer, &group));
    assert!(counts.connection_errors >= 1 && counts.bad_gateway == 2, "{counts:?}");
}

#[test]
fn a_group_with_only_unhealthy_targets_fails_open() {
    let stack = Stack::start();
    let group = stack.group("blue");
    let (_, port) = stack.listener(forward(&[(&group, 1)]));
    let (sick, well) = (Server::start("sick"), Server::start("well"));
    stack.healthy(&group, &sick);
    stack.healthy(&group, &well);
    sick.health.store(500, Relaxed);
    stack.wait(&group, &sick, "unhealthy");
    assert_eq!(who(port, 10), [("well".to_owned(), 10)].into());
    let health = stack.health(&group);
    assert_eq!(health[0].1, "Target.ResponseCodeMismatch");
    assert_eq!(health[0].2, "Health checks failed with these codes: [500]");
    well.health.store(503, Relaxed);
    stack.wait(&group, &well, "unhealthy");
    assert_eq!(who(port, 10), [("sick".to_owned(), 5), ("well".to_owned(), 5)].into());
    sick.health.store(200, Relaxed);
    stack.wait(&group, &sick, "healthy");
    assert_eq!(who(port, 4), [("sick".to_owned(), 4)].into());
    stack.attribute(&group, "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "2");
    assert_eq!(who(port, 10), [("sick".to_owned(), 5), ("well".to_owned(), 5)].into());
}

#[test]
fn a_target_drains_and_leaves() {
    let stack = Stack::start();
    let group = stack.group("blue");
    let (_, port) = stack.listener(forward(&[(&group, 1)]));
    let (old, new) = (Server::start("old"), Server::start("new"));
    stack.healthy(&group, &old);
    stack.healthy(&group, &new);
    let start = Instant::now();
    stack.deregister(&group, &old);
    let health = stack.health(&group);
    assert_eq!((health[0].0.as_str(), health[0].1.as_str()), ("draining", "Target.DeregistrationInProgress"));
    assert_eq!(who(port, 10), [("new".to_owned(), 10)].into());
    stack.wait(&group, &old, "gone");
    assert!(start.elapsed() >= Duration::from_millis(90), "left after {:?}", start.elapsed());
    stack.deregister(&group, &new);
    assert_eq!(get(port, "/", &[]).status, 503);
}

#[test]
fn a_group_that_no_rule_uses_is_not_checked() {
    let stack = Stack::start();
    let group = stack.group("blue");
    let server = Server::start("blue");
    stack.register(&group, &server);
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(stack.health(&group)[0].1, "Target.NotInUse");
    assert!(stack.bed.world(|world| world.elb.load_balancer_of(&group)).is_none());
    let (listener, _) = stack.listener(forward(&[(&group, 1)]));
    assert_eq!(stack.health(&group)[0].0, "initial");
    stack.wait(&group, &server, "healthy");
    stack.ok("DeleteListener", json!({"ListenerArn": listener}));
    assert_eq!(stack.health(&group)[0].0, "unused");
}

#[test]
fn group_stickiness_beats_weight_and_is_renewed() {
    let stack = Stack::start();
    let (blue, green) = (stack.group("blue"), stack.group("green"));
    let mut actions = forward(&[(&blue, 100), (&green, 0)]);
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({"Enabled": true, "DurationSeconds": 1});
    let (listener, port) = stack.listener(actions.clone());
    let (one, two) = (Server::start("blue"), Server::start("green"));
    stack.healthy(&blue, &one);
    stack.healthy(&green, &two);
    let first = get(port, "/", &[]);
    let cookie =
        first.header("set-cookie").and_then(|line| line.split(';').next()).expect("a cookie").to_owned();
    assert!(cookie.starts_with("AWSALBTG="), "{cookie}");
    actions[0]["ForwardConfig"]["TargetGroups"] =
        forward(&[(&blue, 0), (&green, 100)])[0]["ForwardConfig"]["TargetGroups"].clone();
    stack.ok("ModifyListener", json!({"ListenerArn": listener, "DefaultActions": actions}));
    let stays = get(port, "/", &[("cookie", &format!("a=b; {cookie}"))]);
    assert_eq!(stays.header("x-name"), Some("blue"));
    assert!(stays.header("set-cookie").is_some_and(|line| line.starts_with("AWSALBTG=")), "{stays:?}");
    assert_eq!(get(port, "/", &[]).header("x-name"), Some("green"));
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(
        get(port, "/", &[("cookie", &cookie)]).header("x-name"),
        Some("green"),
        "the cookie has expired"
    );
}

#[test]
fn rules_match_in_order_of_priority() {
    let stack = Stack::start();
    let group = stack.group("blue");
    let (listener, port) = stack.listener(forward(&[(&group, 1)]));
    let server = Server::start("blue");
    stack.healthy(&group, &server);
    let fixed = |text: &str| json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418", "MessageBody": text, "ContentType": "text/plain"}}]);
    let rules = [
        (30, json!({"Field": "path-pattern", "Values": ["/api/*"]}), "path"),
        (
            20,
            json!({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "x-test", "Values": ["on*"]}}),
            "header",
        ),
        (
            10,
            json!({"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}}),
            "query",
        ),
        (40, json!({"Field": "host-header", "HostHeaderConfig": {"Values": ["*.test.com"]}}), "host"),
        (
            50,
            json!({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}}),
            "method",
        ),
        (60, json!({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}), "source"),
    ];
    for (priority, condition, name) in rules {
        let input = json!({"ListenerArn": listener, "Priority": priority, "Conditions": [condition], "Actions": fixed(name)});
        stack.ok("CreateRule", input);
    }
    let body = |path: &str, headers: &[(&str, &str)]| {
        let answer = get(port, path, headers);
        if answer.status == 418 { answer.body } else { text(&json!(answer.header("x-name"))) }
    };
    assert_eq!(body("/api/x", &[]), "path");
    assert_eq!(body("/api/x", &[("x-test", "ON")]), "header");
    assert_eq!(body("/api/x?V=2", &[("x-test", "on")]), "query");
    assert_eq!(body("/", &[("host", "a.TEST.com:81")]), "host");
    assert_eq!(body("/", &[]), "blue");
    let echo = get(port, "/where?x=1", &[("x-forwarded-for", "1.2.3.4")]).body;
    assert!(
        echo.contains("get /where?x=1 http/1.1") && echo.contains("x-forwarded-for: 1.2.3.4, 127.0.0.1"),
        "{echo}"
    );
    assert!(echo.contains(&format!("x-forwarded-port: {port}")), "{echo}");
}

#[test]
fn a_redirect_fills_in_the_request() {
    let stack = Stack::start();
    let (_, port) = stack.listener(json!([{"Type": "redirect", "RedirectConfig":
        {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}]));
    let answer = get(port, "/a/b?c=d", &[]);
    assert_eq!(
        (answer.status, answer.header("location")),
        (301, Some("https://shop.example.com:443/a/b?c=d"))
    );
}

#[test]
fn new_weights_take_the_propagation_delay() {
    let pace = Pace { propagation: Duration::from_millis(150), ..Pace::default() };
    let stack = Stack::with(Options { pace, ..Options::default() });
    let (blue, green) = (stack.group("blue"), stack.group("green"));
    let (listener, port) = stack.listener(forward(&[(&blue, 1), (&green, 0)]));
    let (one, two) = (Server::start("blue"), Server::start("green"));
    stack.healthy(&blue, &one);
    stack.healthy(&green, &two);
    let actions = forward(&[(&blue, 0), (&green, 1)]);
    let start = Instant::now();
    stack.ok("ModifyListener", json!({"ListenerArn": listener, "DefaultActions": actions}));
    assert_eq!(get(port, "/", &[]).header("x-name"), Some("blue"));
    while get(port, "/", &[]).header("x-name") == Some("blue") {
        assert!(start.elapsed() < Duration::from_secs(2), "the weights never arrived");
    }
    assert!(start.elapsed() >= Duration::from_millis(150), "{:?}", start.elapsed());
}

#[test]
fn a_listener_moves_to_another_port_and_closes() {
    let stack = Stack::start();
    let group = stack.group("blue");
    let (listener, old) = stack.listener(forward(&[(&group, 1)]));
    let server = Server::start("blue");
    stack.healthy(&group, &server);
    let port = super::stack::free_port();
    stack.ok("ModifyListener", json!({"ListenerArn": listener, "Port": port}));
    assert_eq!(get(port, "/", &[]).status, 200);
    let closed = |port: u16| std::net::TcpStream::connect(("127.0.0.1", port)).is_err();
    assert!(stack.bed.wait_until(Duration::from_secs(2), |_| closed(old)));
    stack.ok("DeleteListener", json!({"ListenerArn": listener}));
    assert!(stack.bed.wait_until(Duration::from_secs(2), |_| closed(port)));
    let input = json!({"LoadBalancerArn": stack.balancer, "Port": port, "Protocol": "HTTP", "DefaultActions": forward(&[(&group, 1)])});
    stack.ok("CreateListener", input);
    assert_eq!(get(port, "/", &[]).status, 200);
}

#[test]
fn a_websocket_stays_when_weights_move() {
    let stack = Stack::start();
    let (blue, green) = (stack.group("blue"), stack.group("green"));
    let (listener, port) = stack.listener(forward(&[(&blue, 1), (&green, 0)]));
    let server = Server::start("blue");
    stack.healthy(&blue, &server);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let request = "GET /socket HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("written");
    let mut seen = [0; 1024];
    let length = stream.read(&mut seen).expect("an answer");
    assert!(seen[..length].starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&seen[..length]));
    let actions = forward(&[(&blue, 0), (&green, 1)]);
    stack.ok("ModifyListener", json!({"ListenerArn": listener, "DefaultActions": actions}));
    stream.write_all(b"still there?").expect("written");
    let length = stream.read(&mut seen).expect("an echo");
    assert_eq!(&seen[..length], b"still there?");
    assert_eq!(get(port, "/", &[]).status, 503);
}

#[test]
fn a_silent_target_answers_504_and_times_out_its_checks() {
    let stack = Stack::start();
    let group = stack.group("blue");
    let input = json!({"LoadBalancerArn": stack.balancer, "Attributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "1"}]});
    stack.ok("ModifyLoadBalancerAttributes", input);
    let (_, port) = stack.listener(forward(&[(&group, 1)]));
    let server = Server::start("blue");
    stack.healthy(&group, &server);
    server.health.store(0, Relaxed);
    server.status.store(0, Relaxed);
    let start = Instant::now();
    assert_eq!(get(port, "/", &[]).status, 504);
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    stack.wait(&group, &server, "unhealthy");
    let expected = ("unhealthy".to_owned(), "Target.Timeout".to_owned(), "Request timed out".to_owned());
    assert_eq!(stack.health(&group), [expected]);
}

#[test]
fn without_cross_zone_a_zone_without_targets_answers_503() {
    let stack = Stack::start();
    let group = stack.group("blue");
    let (_, port) = stack.listener(forward(&[(&group, 1)]));
    let server = Server::start("blue");
    let input = json!({"TargetGroupArn": group, "Targets":
        [{"Id": "127.0.0.1", "Port": server.port, "AvailabilityZone": "eu-west-1b"}]});
    stack.ok("RegisterTargets", input);
    stack.wait(&group, &server, "healthy");
    assert_eq!(who(port, 10), [("blue".to_owned(), 10)].into());
    stack.attribute(&group, "load_balancing.cross_zone.enabled", "false");
    assert_eq!(who(port, 10), [("503".to_owned(), 5), ("blue".to_owned(), 5)].into());
    let elsewhere = json!({"TargetGroupArn": group, "Targets": [{"Id": "10.0.0.1", "Port": 80, "AvailabilityZone": "eu-west-1c"}]});
    stack.ok("RegisterTargets", elsewhere);
    assert_eq!(
        stack.health(&group)[1].2,
        "Target is in an Availability Zone that is not enabled for the load balancer"
    );
}

#[test]
fn a_client_stays_with_its_target_when_asked() {
    let stack = Stack::start();
    let group = stack.group("blue");
    stack.attribute(&group, "stickiness.enabled", "true");
    let (_, port) = stack.listener(forward(&[(&group, 1)]));
    let (one, two) = (Server::start("one"), Server::start("two"));
    stack.healthy(&group, &one);
    stack.healthy(&group, &two);
    let first = get(port, "/", &[]);
    let cookie =
        first.header("set-cookie").and_then(|line| line.split(';').next()).expect("a cookie").to_owned();
    assert!(cookie.starts_with("AWSALB="), "{cookie}");
    for _ in 0..5 {
        assert_eq!(get(port, "/", &[("cookie", &cookie)]).header("x-name"), first.header("x-name"));
    }
}
