//! Alarms by their names, over CloudWatch's own protocol.

use serde_json::{Value, json};

use super::server::{Answer, Server, refusal};
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::snapshot::{Alarm, AlarmState};

/// An alarm as CloudWatch describes it.
fn alarm(name: &str, state: &str, reason: &str) -> Value {
    json!({ "AlarmName": name, "StateValue": state, "StateReason": reason, "ActionsEnabled": true })
}

#[tokio::test]
async fn alarms_of_both_types_come_from_all_pages_in_the_order_of_the_names() {
    let server = Server::start(|request, number| match number {
        1 => refusal(request, 400, "ThrottlingException", "Rate exceeded"),
        2 => {
            let composite = alarm("both", "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation");
            let metric = alarm("odd", "PONDERING", "");
            Answer::Cbor(
                200,
                json!({ "CompositeAlarms": [composite], "MetricAlarms": [metric], "NextToken": "more" }),
            )
        }
        _ => {
            let firing = alarm("5xx", "ALARM", "Threshold Crossed: 1 datapoint\n [9.0] was greater");
            Answer::Cbor(200, json!({ "MetricAlarms": [alarm("slow", "OK", "fine"), firing] }))
        }
    })
    .await;
    let names = ["5xx", "gone", "slow", "both", "odd"].map(str::to_owned);
    let found = server.aws().await.alarms(&names).await.unwrap();
    let expected =
        |name: &str, state, reason: &str| Alarm { name: name.to_owned(), state, reason: reason.to_owned() };
    assert_eq!(
        found,
        [
            expected("5xx", AlarmState::Firing, "Threshold Crossed: 1 datapoint [9.0] was greater"),
            expected("slow", AlarmState::Fine, "fine"),
            expected("both", AlarmState::NoData, "Unchecked: Initial alarm creation"),
            expected("odd", AlarmState::NoData, ""),
        ]
    );
    assert_eq!(server.operations(), ["DescribeAlarms"; 3]);
    let asked: Vec<Value> = server.requests().iter().map(|request| request.cbor()).collect();
    let mut first = json!({ "AlarmNames": names, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"] });
    assert_eq!(asked[1], first);
    first["NextToken"] = json!("more");
    assert_eq!(asked[2], first);
}

#[tokio::test]
async fn a_hundred_names_go_into_one_call() {
    let server = Server::start(|request, _| {
        let names = request.cbor()["AlarmNames"].clone();
        let all: Vec<Value> =
            names.as_array().unwrap().iter().map(|name| alarm(name.as_str().unwrap(), "OK", "")).collect();
        Answer::Cbor(200, json!({ "MetricAlarms": all }))
    })
    .await;
    let names: Vec<String> = (0..101).map(|number| format!("alarm {number}")).collect();
    let found = server.aws().await.alarms(&names).await.unwrap();
    assert_eq!(found.iter().map(|alarm| alarm.name.clone()).collect::<Vec<_>>(), names);
    let lengths: Vec<usize> = server
        .requests()
        .iter()
        .map(|request| request.cbor()["AlarmNames"].as_array().unwrap().len())
        .collect();
    assert_eq!(lengths.len(), 2);
    assert!(lengths.contains(&100) && lengths.contains(&1), "{lengths:?}");
}

#[tokio::test]
async fn an_alarm_that_is_named_twice_comes_once_and_no_name_is_no_call() {
    let server =
        Server::start(|_, _| Answer::Cbor(200, json!({ "MetricAlarms": [alarm("5xx", "OK", "")] }))).await;
    let aws = server.aws().await;
    assert_eq!(aws.alarms(&[]).await, Ok(Vec::new()));
    assert!(server.requests().is_empty());
    let names = ["5xx", "5xx"].map(str::to_owned);
    assert_eq!(aws.alarms(&names).await.unwrap().len(), 1);
}

#[tokio::test]
async fn trouble_with_alarms_means_what_it_means_elsewhere() {
    use AwsErrorKind::{Denied, Expired, Refused, Throttled, Unreachable};
    for (status, code, kind) in [
        (403, "AccessDeniedException", Denied),
        (403, "AccessDenied", Denied),
        (403, "ExpiredToken", Expired),
        (400, "Throttling", Throttled),
        (400, "InvalidNextToken", Refused),
        (500, "InternalServiceFault", Unreachable),
    ] {
        let server = Server::start(move |request, _| refusal(request, status, code, "AWS says so")).await;
        let names = ["5xx", "slow"].map(str::to_owned);
        let trouble = server.aws().await.alarms(&names).await.unwrap_err();
        assert_eq!((trouble.kind, trouble.code.as_deref()), (kind, Some(code)));
        assert_eq!((trouble.action, trouble.resource.as_str()), ("cloudwatch:DescribeAlarms", "5xx, slow"));
        assert_eq!((trouble.message.as_str(), trouble.effect_unknown), ("AWS says so", false));
    }
}
