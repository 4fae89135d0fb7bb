//! The endpoint on the wire: protocols, credentials, faults, the record.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use testbed::{ApiError, Effect, Fault, Hold, Options, Service, Testbed};

/// `Authorization` of a signed request.
const SIGNED: &str = "authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/eu-west-1/ecs/aws4_request, \
                      SignedHeaders=host, Signature=00\r\n";

/// Sends a request; the whole answer, empty when the connection was cut.
fn send(bed: &Testbed, headers: &str, body: &str) -> String {
    let address = bed.endpoint().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: aws\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8(text).unwrap()
}

/// A signed ECS call.
fn ecs(bed: &Testbed, operation: &str, body: &str) -> String {
    send(bed, &format!("{SIGNED}x-amz-target: AmazonEC2ContainerServiceV20141113.{operation}\r\n"), body)
}

/// A signed Query call.
fn query(bed: &Testbed, body: &str) -> String {
    send(bed, &format!("{SIGNED}content-type: application/x-www-form-urlencoded\r\n"), body)
}

/// An empty testbed.
fn empty() -> Testbed {
    Testbed::start(Options::default()).unwrap()
}

#[test]
fn json_answers_have_type_request_id_and_date() {
    let bed = empty();
    let answer = ecs(&bed, "CreateCluster", r#"{"clusterName":"shop"}"#);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("content-type: application/x-amz-json-1.1\r\n"));
    assert!(answer.contains("x-amzn-requestid: ") && answer.contains("date: "));
    let answer = ecs(&bed, "DescribeServices", r#"{"cluster":"nope","services":["a"]}"#);
    assert!(answer.starts_with("HTTP/1.1 400 "));
    assert!(
        answer.ends_with(r#"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#),
        "{answer}"
    );
}

#[test]
fn query_answers_are_xml() {
    let bed = empty();
    let answer = query(&bed, "Action=GetCallerIdentity&Version=2011-06-15");
    assert!(
        answer.contains("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">")
    );
    assert!(answer.contains("<Account>123456789012</Account>"));
    let answer = query(&bed, "Action=Nope&Version=2011-06-15");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("<Code>InvalidAction</Code>"));
}

#[test]
fn unsigned_and_unknown_requests_are_refused() {
    let bed = empty();
    let target = "x-amz-target: AmazonEC2ContainerServiceV20141113.ListClusters\r\n";
    assert!(send(&bed, target, "{}").contains("MissingAuthenticationTokenException"));
    let answer = send(&bed, "", "Action=GetCallerIdentity&Version=2011-06-15");
    assert!(
        answer.starts_with("HTTP/1.1 403 ") && answer.contains("<Code>MissingAuthenticationToken</Code>")
    );
    assert!(ecs(&bed, "Nope", "{}").contains("UnknownOperationException"));
    assert!(ecs(&bed, "ListClusters", "{").contains("SerializationException"));
}

#[test]
fn calls_are_recorded_in_order() {
    let bed = empty();
    ecs(&bed, "CreateCluster", r#"{"clusterName":"shop"}"#);
    ecs(&bed, "DescribeServices", r#"{"cluster":"nope","services":["a"]}"#);
    let calls = bed.calls();
    assert_eq!(calls.iter().map(|call| call.number).collect::<Vec<_>>(), [1, 2]);
    assert!(calls[0].write && calls[0].result.is_ok() && calls[0].input["clusterName"] == "shop");
    assert!(!calls[1].write && calls[1].result == Err("ClusterNotFoundException".to_owned()));
    assert_eq!(bed.writes().len(), 1);
    bed.clear_calls();
    ecs(&bed, "ListClusters", "{}");
    assert_eq!(bed.calls()[0].number, 3);
}

#[test]
fn errors_fit_the_protocol() {
    let bed = empty();
    let cases = [
        (Effect::Throttle, "ThrottlingException", Effect::Throttle, "Throttling"),
        (Effect::Expire, "ExpiredTokenException", Effect::Expire, "ExpiredToken"),
        (Effect::Deny, "AccessDeniedException", Effect::Deny, "AccessDenied"),
        (Effect::ServerError(500), "ServerException", Effect::ServerError(503), "ServiceUnavailable"),
    ];
    for (one, json, other, xml) in cases {
        bed.clear_faults();
        bed.fault(Fault::on("ListClusters", one));
        bed.fault(Fault::on("GetCallerIdentity", other));
        assert!(ecs(&bed, "ListClusters", "{}").contains(&format!("\"__type\":\"{json}\"")));
        let answer = query(&bed, "Action=GetCallerIdentity&Version=2011-06-15");
        assert!(answer.contains(&format!("<Code>{xml}</Code>")), "{answer}");
    }
}

#[test]
fn denial_names_action_and_resource() {
    let bed = empty();
    bed.fault(Fault::on("UpdateService", Effect::Deny));
    let answer = ecs(&bed, "UpdateService", r#"{"cluster":"shop","service":"web"}"#);
    let words = "User: arn:aws:sts::123456789012:assumed-role/deploy/ci is not authorized to perform: \
                 ecs:UpdateService on resource: arn:aws:ecs:eu-west-1:123456789012:service/shop/web because no \
                 identity-based policy allows the ecs:UpdateService action";
    assert!(answer.contains(words), "{answer}");
}

#[test]
fn faults_befall_only_what_they_name() {
    let bed = empty();
    bed.fault(Fault::on("ListClusters", Effect::Throttle).nth(2..=3));
    bed.fault(
        Fault::on("DescribeClusters", Effect::Error(ApiError::new("ClientException", "no")))
            .resource("\"b\""),
    );
    bed.fault(Fault::always(Effect::Expire).access_key("AKIAOTHER").service(Service::Ecs));
    let codes: Vec<bool> =
        (0..4).map(|_| ecs(&bed, "ListClusters", "{}").contains("ThrottlingException")).collect();
    assert_eq!(codes, [false, true, true, false]);
    assert!(!ecs(&bed, "DescribeClusters", r#"{"clusters":["a"]}"#).contains("ClientException"));
    assert!(ecs(&bed, "DescribeClusters", r#"{"clusters":["b"]}"#).contains("ClientException"));
}

#[test]
fn dropped_before_does_nothing_and_dropped_after_does_it() {
    let bed = empty();
    for (effect, clusters) in [(Effect::DropBefore, 0), (Effect::DropAfter, 1)] {
        bed.clear_faults();
        bed.fault(Fault::on("CreateCluster", effect));
        assert_eq!(ecs(&bed, "CreateCluster", "{}"), "");
        assert_eq!(bed.world(|world| world.ecs.clusters.len()), clusters);
    }
    let calls = bed.calls();
    assert!(calls.iter().all(|call| call.dropped));
    assert_eq!(calls[0].result, Err("Unanswered".to_owned()));
    assert!(calls[1].result.is_ok());
}

#[test]
fn delay_and_other_writers() {
    let bed = empty();
    bed.fault(Fault::on("ListClusters", Effect::Delay(Duration::from_millis(80))));
    let act = |name: &'static str| {
        Box::new(move |world: &mut testbed::World| {
            let _ = world.call(Service::Ecs, "CreateCluster", &serde_json::json!({ "clusterName": name }));
        })
    };
    bed.fault(Fault::on("ListClusters", Effect::Before(act("before"))));
    bed.fault(Fault::on("ListClusters", Effect::Then(act("after"))));
    let start = Instant::now();
    let answer = ecs(&bed, "ListClusters", "{}");
    assert!(start.elapsed() >= Duration::from_millis(80));
    assert!(answer.contains("cluster/before") && !answer.contains("cluster/after"));
    assert_eq!(bed.world(|world| world.ecs.clusters.len()), 2);
}

#[test]
fn victim_is_killed_at_the_nth_call() {
    let bed = empty();
    let mut victim = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
    bed.set_victim(victim.id());
    bed.fault(Fault::nth_call(2, Effect::KillAfter));
    assert!(ecs(&bed, "ListClusters", "{}").starts_with("HTTP/1.1 200"));
    assert!(victim.try_wait().unwrap().is_none());
    assert_eq!(ecs(&bed, "CreateCluster", "{}"), "");
    assert!(!victim.wait().unwrap().success());
    assert_eq!(bed.world(|world| world.ecs.clusters.len()), 1);
}

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many clusters there are.
fn clusters(bed: &Testbed) -> usize {
    let found = bed.call(Service::Ecs, "ListClusters", serde_json::json!({})).unwrap();
    found["clusterArns"].as_array().unwrap().len()
}

#[test]
fn a_held_call_of_an_operation_waits_for_its_release_and_others_go_on() {
    let bed = empty();
    let hold = Hold::new();
    bed.fault(Fault::on("CreateCluster", Effect::Hold(hold.clone())));
    assert!(!hold.wait_held(Duration::from_millis(20)));
    std::thread::scope(|scope| {
        let create = |name: &str| {
            scope.spawn({
                let (bed, body) = (&bed, format!(r#"{{"clusterName":"{name}"}}"#));
                move || ecs(bed, "CreateCluster", &body)
            })
        };
        let first = create("a");
        assert!(hold.wait_held(PATIENCE));
        assert!(ecs(&bed, "ListClusters", "{}").contains(r#""clusterArns":[]"#));
        assert!(!first.is_finished());
        hold.pass();
        assert!(first.join().unwrap().contains("200 OK"));
        assert_eq!((hold.held(), hold.arrived(), clusters(&bed)), (0, 1, 1));
        let second = create("b");
        assert!(hold.wait_held(PATIENCE));
        hold.release();
        assert!(second.join().unwrap().contains("200 OK"));
        assert!(create("c").join().unwrap().contains("200 OK"));
    });
    assert_eq!((hold.held(), clusters(&bed)), (0, 3));
}

#[test]
fn a_held_call_is_carried_out_though_its_caller_left() {
    let bed = empty();
    let hold = Hold::new();
    bed.fault(Fault::on("CreateCluster", Effect::Hold(hold.clone())));
    let address = bed.endpoint().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    let target = "x-amz-target: AmazonEC2ContainerServiceV20141113.CreateCluster";
    let body = r#"{"clusterName":"shop"}"#;
    let head =
        format!("POST / HTTP/1.1\r\nhost: aws\r\ncontent-length: {}\r\n{SIGNED}{target}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).unwrap();
    assert!(hold.wait_held(PATIENCE));
    drop(stream);
    ecs(&bed, "ListClusters", "{}");
    assert_eq!((hold.held(), clusters(&bed)), (1, 0));
    hold.release();
    assert!(bed.wait_until(PATIENCE, |world| {
        world
            .call(Service::Ecs, "ListClusters", &serde_json::json!({}))
            .is_ok_and(|found| !found["clusterArns"].as_array().unwrap().is_empty())
    }));
    assert_eq!(clusters(&bed), 1);
}

#[test]
fn an_answer_is_held_after_the_call_was_carried_out() {
    let bed = empty();
    let hold = Hold::new();
    bed.fault(Fault::on("CreateCluster", Effect::HoldAnswer(hold.clone())).times(1));
    std::thread::scope(|scope| {
        let create = scope.spawn(|| ecs(&bed, "CreateCluster", r#"{"clusterName":"a"}"#));
        assert!(hold.wait_held(PATIENCE));
        assert!(!create.is_finished() && clusters(&bed) == 1);
        hold.release();
        assert!(create.join().unwrap().contains("200 OK"));
    });
}
