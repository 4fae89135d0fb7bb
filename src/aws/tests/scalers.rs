//! Scaling policies and their alarms: how they are read, and that they are written as a whole and read back the same.

use serde_json::{Value, json};

use super::server::{Answer, Server, json as answer, refusal};
use crate::aws::Names;
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::color::ServiceColor;
use crate::plan::read_scope::ReadScope;
use crate::plan::scalers::{Scalers, field_differences};
use crate::plan::snapshot::{Place, Scalable};
use crate::plan::step::{Purpose, Put, Scaling};

/// The cluster `shop`.
fn place() -> Place {
    Place {
        partition: "aws".to_owned(),
        account: "123456789012".to_owned(),
        cluster: "shop".to_owned(),
        ..Place::default()
    }
}

/// The policies and alarms of `web-green`.
async fn scalers(server: &Server) -> AwsResult<Scalers> {
    let services = vec![(ServiceColor::Green, "web-green".to_owned())];
    let names = Names { place: place(), services, ..Names::default() };
    let look =
        ReadScope { wiring: false, health: false, definitions: false, scalers: true, ..ReadScope::WHOLE };
    let snapshot = server.aws().await.observe(&names, look).await.unwrap();
    snapshot.services.into_iter().next().unwrap().scalers.unwrap()
}

/// A write of one of ours.
fn put(name: &str, content: &Value) -> Put {
    Put {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        name: name.to_owned(),
        new: true,
        content: content.clone(),
        changes: Vec::new(),
        purpose: Purpose::Deploy,
    }
}

/// A policy that scales out.
fn steps() -> Value {
    json!({
        "AdjustmentType": "PercentChangeInCapacity",
        "StepAdjustments": [
            { "MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 15.0, "ScalingAdjustment": 25 },
            { "MetricIntervalLowerBound": 15.0, "ScalingAdjustment": 50 },
        ],
        "MinAdjustmentMagnitude": 1, "Cooldown": 60, "MetricAggregationType": "Average",
    })
}

/// An alarm on metric math.
fn low() -> Value {
    let metric = json!({
        "Namespace": "AWS/ECS", "MetricName": "CPUUtilization",
        "Dimensions": [{ "Name": "ServiceName", "Value": "web-green" }],
    });
    json!({
        "AlarmDescription": "low", "ActionsEnabled": false, "AlarmActions": ["arn:aws:autoscaling:x"],
        "EvaluationPeriods": 15, "DatapointsToAlarm": 15, "Threshold": 40.0,
        "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "notBreaching",
        "Metrics": [
            { "Id": "cpu", "MetricStat": { "Metric": metric, "Period": 60, "Stat": "Average" }, "ReturnData": false },
            { "Id": "larger", "Expression": "MAX([cpu, memory])", "Label": "larger", "ReturnData": true },
        ],
    })
}

/// The service alone.
fn service() -> Answer {
    answer(json!({ "services": [{ "serviceName": "web-green", "status": "ACTIVE" }] }).to_string())
}

/// A page of policies.
fn policies(name: &str, kind: &str, steps: &Value, next: Option<&str>) -> Answer {
    let policy = json!({
        "PolicyARN": format!("arn:{name}"), "PolicyName": name, "ServiceNamespace": "ecs",
        "ResourceId": "service/shop/web-green", "ScalableDimension": "ecs:service:DesiredCount",
        "PolicyType": kind, "StepScalingPolicyConfiguration": steps, "CreationTime": 1_700_000_000
    });
    answer(json!({ "ScalingPolicies": [policy], "NextToken": next }).to_string())
}

#[tokio::test]
async fn policies_and_alarms_come_from_all_pages_as_they_are_written() {
    let server = Server::start(|request, _| match request.operation().as_str() {
        "DescribeServices" => service(),
        "DescribeScalingPolicies" if request.json()["NextToken"].is_null() => {
            policies("ecs-blue-green/shop/web-green/out", "StepScaling", &steps(), Some("more"))
        }
        "DescribeScalingPolicies" => policies("theirs", "TargetTrackingScaling", &Value::Null, None),
        _ => {
            let mut metric = low();
            metric["AlarmName"] = json!("ecs-blue-green/shop/web-green/low");
            metric["StateValue"] = json!("OK");
            let composite = json!({ "AlarmName": "ecs-blue-green/shop/web-green/cpu-high" });
            Answer::Cbor(200, json!({ "MetricAlarms": [metric], "CompositeAlarms": [composite] }))
        }
    })
    .await;
    let found = scalers(&server).await.unwrap();
    let kinds: Vec<(&str, &str)> =
        found.policies.iter().map(|policy| (policy.name.as_str(), policy.kind.as_str())).collect();
    assert_eq!(
        kinds,
        [("ecs-blue-green/shop/web-green/out", "StepScaling"), ("theirs", "TargetTrackingScaling")]
    );
    assert_eq!(found.policies[0].arn, "arn:ecs-blue-green/shop/web-green/out");
    assert_eq!(field_differences(&found.policies[0].content, &steps()), []);
    assert_eq!(found.policies[1].content, Value::Null);
    assert_eq!(field_differences(&found.alarms[0].content, &low()), []);
    assert!(!found.alarms[0].composite && found.alarms[1].composite);
    let requests = server.requests();
    let asked = requests.iter().find(|request| request.operation() == "DescribeAlarms").unwrap().cbor();
    let names =
        ["cpu-high", "memory-high", "low"].map(|what| format!("ecs-blue-green/shop/web-green/{what}"));
    assert_eq!(
        asked,
        json!({
            "AlarmNames": names,
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]
        })
    );
}

#[tokio::test]
async fn a_policy_and_an_alarm_are_written_as_a_whole() {
    let server = Server::start(|request, _| match request.operation().as_str() {
        "PutScalingPolicy" => answer(json!({ "PolicyARN": "arn:out" }).to_string()),
        _ => Answer::Cbor(200, json!({})),
    })
    .await;
    let aws = server.aws().await;
    aws.put_policy(&place(), &put("out", &steps())).await.unwrap();
    aws.put_alarm(&put("low", &low())).await.unwrap();
    let requests = server.requests();
    assert_eq!(
        requests[0].json(),
        json!({
            "PolicyName": "out", "ServiceNamespace": "ecs", "ResourceId": "service/shop/web-green",
            "ScalableDimension": "ecs:service:DesiredCount", "PolicyType": "StepScaling",
            "StepScalingPolicyConfiguration": steps(),
        })
    );
    let mut alarm = low();
    alarm["AlarmName"] = json!("low");
    assert_eq!(requests[1].cbor(), alarm);
}

#[tokio::test]
async fn what_the_sdk_does_not_know_is_not_sent() {
    let server = Server::start(|_, _| answer("{}")).await;
    let aws = server.aws().await;
    let odd = json!({ "Treshold": 1 });
    for trouble in [
        aws.put_policy(&place(), &put("out", &odd)).await.unwrap_err(),
        aws.put_alarm(&put("low", &odd)).await.unwrap_err(),
    ] {
        assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::Refused, false));
        assert_eq!(trouble.message, "can't be written, nothing was sent: unknown key Treshold");
    }
    assert_eq!(server.operations(), [""; 0]);
}

#[tokio::test]
async fn invariant_35_a_policy_or_alarm_without_an_answer_is_written_once() {
    for dropped in [false, true] {
        let server = Server::start(move |request, _| {
            if dropped { Answer::Drop } else { refusal(request, 500, "InternalServiceException", "boom") }
        })
        .await;
        let aws = server.aws().await;
        for trouble in [
            aws.put_policy(&place(), &put("out", &steps())).await.unwrap_err(),
            aws.put_alarm(&put("low", &low())).await.unwrap_err(),
        ] {
            assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::Unreachable, true));
        }
        assert_eq!(server.operations(), ["PutScalingPolicy", "PutMetricAlarm"]);
    }
}

#[tokio::test]
async fn a_service_linked_role_that_is_missing_is_a_missing_permission() {
    let server = Server::start(|request, _| {
        let text = "User is missing the following permissions: iam:CreateServiceLinkedRole";
        refusal(request, 400, "ValidationException", text)
    })
    .await;
    let scaling = Scaling {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        min: Some(1),
        max: Some(2),
        in_suspended: None,
        new: false,
        purpose: Purpose::Deploy,
    };
    let trouble = server.aws().await.scale(&place(), &scaling, Scalable::default()).await.unwrap_err();
    assert_eq!((trouble.kind, trouble.action), (AwsErrorKind::Denied, "iam:CreateServiceLinkedRole"));
    assert_eq!(
        trouble.resource,
        "arn:aws:iam::123456789012:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"
    );
}
