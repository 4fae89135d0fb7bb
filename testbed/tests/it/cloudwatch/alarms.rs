//! Every operation on alarms: what it does, and what it refuses.

use serde_json::{Value, json};
use testbed::cloudwatch::State;

use super::bed::{Bed, names, orders};

/// An action of a kind that alarms notify.
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:on-call";
/// A scaling policy.
const POLICY: &str =
    "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1:resource/ecs/service/shop/web:policyName/out";

#[test]
fn an_alarm_reads_back_as_it_was_put() {
    let bed = Bed::start();
    let input = json!({
        "AlarmDescription": "d", "ActionsEnabled": false, "AlarmActions": [TOPIC, POLICY], "OKActions": [TOPIC],
        "DatapointsToAlarm": 2, "EvaluationPeriods": 3, "TreatMissingData": "notBreaching", "Unit": "Count",
        "Dimensions": [{ "Name": "Shop", "Value": "1" }],
    });
    bed.ok("PutMetricAlarm", orders("a", input.clone()));
    let alarm = bed.alarm("a");
    for (name, value) in orders("a", input).as_object().expect("fields") {
        let same = if name == "Threshold" { json!(5.0) } else { value.clone() };
        assert_eq!(alarm[name], same, "{name}");
    }
    assert_eq!(alarm["AlarmArn"], "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a");
    assert_eq!(alarm["StateValue"], "INSUFFICIENT_DATA");
    assert_eq!(alarm["StateReason"], "Unchecked: Initial alarm creation");
    assert_eq!(alarm["InsufficientDataActions"], json!([]));
    assert!(alarm.get("ExtendedStatistic").is_none() && alarm.get("Metrics").is_none());
}

#[test]
fn putting_an_alarm_again_overwrites_all_but_its_state() {
    let bed = Bed::start();
    let first = json!({ "AlarmDescription": "d", "ActionsEnabled": false, "AlarmActions": [TOPIC], "Tags": [{ "Key": "a", "Value": "1" }] });
    bed.ok("PutMetricAlarm", orders("a", first));
    bed.ok("SetAlarmState", json!({ "AlarmName": "a", "StateValue": "OK", "StateReason": "by hand" }));
    bed.ok("PutMetricAlarm", orders("a", json!({ "Period": 3600, "Threshold": 0.5 })));
    let alarm = bed.alarm("a");
    assert_eq!(alarm["ActionsEnabled"], true, "left out means true");
    assert_eq!(alarm["AlarmActions"], json!([]));
    assert!(alarm.get("AlarmDescription").is_none());
    assert_eq!((&alarm["StateValue"], &alarm["StateReason"]), (&json!("OK"), &json!("by hand")));
    assert_eq!((&alarm["Period"], &alarm["Threshold"]), (&json!(3600), &json!(0.5)));
    let tags = bed.ok("ListTagsForResource", json!({ "ResourceARN": alarm["AlarmArn"] }));
    assert_eq!(tags["Tags"], json!([{ "Key": "a", "Value": "1" }]), "tags are for new alarms only");
}

#[test]
fn metric_math_reads_back_with_what_returns_data() {
    let bed = Bed::start();
    bed.ok("PutMetricAlarm", math("MAX([m1,m2])"));
    let alarm = bed.alarm("math");
    assert_eq!(names(&alarm["Metrics"], "Id"), ["m1", "m2", "e1"]);
    let returns: Vec<Value> =
        alarm["Metrics"].as_array().expect("a list").iter().map(|one| one["ReturnData"].clone()).collect();
    assert_eq!(returns, [json!(false), json!(false), json!(true)]);
    assert!(alarm.get("MetricName").is_none() && alarm.get("Period").is_none());
}

/// An alarm on an expression over `Shop` `Orders` and `Refunds`.
fn math(expression: &str) -> Value {
    let metric = |id: &str, name: &str| {
        let metric = json!({ "Namespace": "Shop", "MetricName": name });
        json!({ "Id": id, "ReturnData": false, "MetricStat": { "Metric": metric, "Period": 5, "Stat": "Average" } })
    };
    json!({
        "AlarmName": "math", "EvaluationPeriods": 1, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold",
        "Metrics": [metric("m1", "Orders"), metric("m2", "Refunds"), { "Id": "e1", "Expression": expression }],
    })
}

#[test]
fn bad_metric_alarms_are_refused() {
    let bed = Bed::start();
    let null = Value::Null;
    for (more, words) in [
        (json!({ "AlarmName": null }), "'alarmName' failed to satisfy constraint: Member must not be null"),
        (json!({ "AlarmName": "x".repeat(256) }), "Member must have length less than or equal to 255"),
        (json!({ "EvaluationPeriods": null }), "Value null at 'evaluationPeriods'"),
        (json!({ "EvaluationPeriods": 0 }), "Member must have value greater than or equal to 1"),
        (json!({ "ComparisonOperator": "Above" }), "Value 'Above' at 'comparisonOperator' failed to satisfy"),
        (json!({ "Statistic": null }), "You must specify either Statistic or ExtendedStatistic"),
        (json!({ "ExtendedStatistic": "p90" }), "You cannot specify both"),
        (json!({ "Statistic": "Mean" }), "enum value set: [SampleCount, Average, Sum, Minimum, Maximum]"),
        (json!({ "Period": null }), "Period must be specified"),
        (json!({ "Period": 45 }), "Period must be"),
        (json!({ "Period": 60, "EvaluationPeriods": 1441 }), "must be <= 86400"),
        (
            json!({ "DatapointsToAlarm": 2 }),
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        ),
        (json!({ "TreatMissingData": "good" }), "enum value set: [missing, ignore, breaching, notBreaching]"),
        (json!({ "Threshold": null }), "Threshold must be specified"),
        (json!({ "AlarmActions": ["scale"] }), "Invalid arn syntax: scale"),
        (json!({ "AlarmActions": [TOPIC, TOPIC, TOPIC, TOPIC, TOPIC, TOPIC] }), "less than or equal to 5"),
        (json!({ "Metrics": math("m1")["Metrics"] }), "The parameters Metrics and Namespace must not"),
    ] {
        let said = bed.refused("PutMetricAlarm", orders("a", more.clone()));
        assert!(said.starts_with("ValidationError: ") && said.contains(words), "{more}: {said}");
    }
    let said = bed.refused("PutMetricAlarm", orders("a", json!({ "Period": "5" })));
    assert!(said.starts_with("SerializationException: "), "{said}");
    for (expression, words) in [
        ("m1 +", "Error in expression 'e1': it ends too early"),
        ("m9", "Unresolved id [m9]"),
        ("e1 + m1", "it refers to itself"),
        ("RATE(m1)", "the function RATE is not supported"),
    ] {
        let said = bed.refused("PutMetricAlarm", math(expression));
        assert!(said.contains(words), "{expression}: {said}");
    }
    let mut two = math("m1");
    two["Metrics"][0]["ReturnData"] = null;
    let said = bed.refused("PutMetricAlarm", two);
    assert!(said.ends_with("Exactly one element of the metrics list should return data."), "{said}");
    assert_eq!(bed.ok("DescribeAlarms", json!({}))["MetricAlarms"], json!([]));
}

#[test]
fn bad_composite_alarms_are_refused() {
    let bed = Bed::start();
    bed.ok("PutMetricAlarm", orders("a", json!({})));
    let composite = |rule: &str| json!({ "AlarmName": "c", "AlarmRule": rule });
    for (input, words) in [
        (json!({ "AlarmName": "c" }), "Value null at 'alarmRule'"),
        (composite("ALARM(a"), "AlarmRule is not valid"),
        (composite("ALARM(a) OR OK(b)"), "as alarms [b] in the alarm rule do not exist"),
        (json!({ "AlarmName": "a", "AlarmRule": "TRUE" }), "An alarm of another type"),
        (
            json!({ "AlarmName": "c", "AlarmRule": "TRUE", "AlarmActions": [POLICY] }),
            "do not support the action",
        ),
    ] {
        let said = bed.refused("PutCompositeAlarm", input.clone());
        assert!(said.starts_with("ValidationError: ") && said.contains(words), "{input}: {said}");
    }
    bed.ok("PutCompositeAlarm", composite("ALARM(a)"));
    assert!(bed.refused("PutMetricAlarm", orders("c", json!({}))).contains("An alarm of another type"));
    assert!(bed.refused("PutCompositeAlarm", composite("ALARM(c)")).contains("must not refer to itself"));
}

#[test]
fn describe_filters() {
    let bed = Bed::start();
    for name in ["b-2", "a-1", "b-1"] {
        bed.ok(
            "PutMetricAlarm",
            orders(name, json!({ "AlarmActions": [if name == "a-1" { TOPIC } else { POLICY }] })),
        );
    }
    bed.ok(
        "PutCompositeAlarm",
        json!({ "AlarmName": "b-all", "AlarmRule": "ALARM(b-1) AND ALARM(\"b-2\")" }),
    );
    bed.ok("SetAlarmState", json!({ "AlarmName": "b-1", "StateValue": "ALARM", "StateReason": "by hand" }));
    let both = json!(["MetricAlarm", "CompositeAlarm"]);
    for (input, metrics, composites) in [
        (json!({}), vec!["a-1", "b-1", "b-2"], vec![]),
        (json!({ "AlarmTypes": both }), vec!["a-1", "b-1", "b-2"], vec!["b-all"]),
        (json!({ "AlarmTypes": ["CompositeAlarm"] }), vec![], vec!["b-all"]),
        (json!({ "AlarmNames": ["b-all", "b-2", "nobody"] }), vec!["b-2"], vec![]),
        (json!({ "AlarmNamePrefix": "b-", "AlarmTypes": both }), vec!["b-1", "b-2"], vec!["b-all"]),
        (json!({ "StateValue": "ALARM" }), vec!["b-1"], vec![]),
        (json!({ "ActionPrefix": "arn:aws:sns" }), vec!["a-1"], vec![]),
        (json!({ "ChildrenOfAlarmName": "b-all" }), vec!["b-1", "b-2"], vec![]),
        (json!({ "ParentsOfAlarmName": "b-2" }), vec![], vec!["b-all"]),
    ] {
        let answer = bed.ok("DescribeAlarms", input.clone());
        assert_eq!(names(&answer["MetricAlarms"], "AlarmName"), metrics, "{input}");
        assert_eq!(names(&answer["CompositeAlarms"], "AlarmName"), composites, "{input}");
    }
    for input in [
        json!({ "AlarmNames": ["a"], "AlarmNamePrefix": "a" }),
        json!({ "AlarmTypes": ["Alarm"] }),
        json!({ "StateValue": "BAD" }),
        json!({ "MaxRecords": 101 }),
        json!({ "AlarmNames": vec!["a"; 101] }),
    ] {
        assert!(bed.refused("DescribeAlarms", input).starts_with("ValidationError: "));
    }
}

#[test]
fn describe_pages() {
    let bed = Bed::start();
    for number in 0..7 {
        bed.ok("PutMetricAlarm", orders(&format!("a-{number}"), json!({})));
    }
    let mut seen = Vec::new();
    let mut token = Value::Null;
    for size in [3, 3, 1] {
        let answer = bed.ok("DescribeAlarms", json!({ "MaxRecords": 3, "NextToken": token }));
        let page = names(&answer["MetricAlarms"], "AlarmName");
        assert_eq!(page.len(), size);
        seen.extend(page);
        token = answer["NextToken"].clone();
    }
    assert!(token.is_null());
    assert!(bed.ok("DescribeAlarms", json!({})).get("NextToken").is_none(), "left out, not null");
    assert_eq!(seen, ["a-0", "a-1", "a-2", "a-3", "a-4", "a-5", "a-6"]);
    let said = bed.refused("DescribeAlarms", json!({ "NextToken": "made up" }));
    assert_eq!(said, "InvalidNextToken: The next token specified is invalid.");
    bed.0.world(|world| world.cloudwatch.page_limit = Some(2));
    assert_eq!(names(&bed.ok("DescribeAlarms", json!({}))["MetricAlarms"], "AlarmName").len(), 2);
}

#[test]
fn delete_is_all_or_nothing() {
    let bed = Bed::start();
    for name in ["a", "b"] {
        bed.ok("PutMetricAlarm", orders(name, json!({})));
    }
    for name in ["c", "d"] {
        bed.ok("PutCompositeAlarm", json!({ "AlarmName": name, "AlarmRule": "ALARM(a)" }));
    }
    let said = bed.refused("DeleteAlarms", json!({ "AlarmNames": ["a", "x", "y"] }));
    assert_eq!(said, "ResourceNotFound: Alarms [x, y] do not exist.");
    let said = bed.refused("DeleteAlarms", json!({ "AlarmNames": ["c", "d"] }));
    assert!(said.starts_with("ValidationError: At most one composite alarm"), "{said}");
    assert!(bed.refused("DeleteAlarms", json!({})).contains("Value null at 'alarmNames'"));
    bed.ok("DeleteAlarms", json!({ "AlarmNames": ["c", "b"] }));
    assert!(bed.alarm("b").is_null() && bed.alarm("c").is_null() && !bed.alarm("a").is_null());
    bed.ok("SetAlarmState", json!({ "AlarmName": "a", "StateValue": "ALARM", "StateReason": "by hand" }));
    assert_eq!(bed.alarm("d")["StateValue"], "ALARM");
    bed.ok("DeleteAlarms", json!({ "AlarmNames": ["a"] }));
    assert_eq!(bed.alarm("d")["StateValue"], "OK", "an alarm that is gone is in no state");
}

#[test]
fn actions_are_turned_on_and_off() {
    let bed = Bed::start();
    for name in ["a", "b", "c"] {
        bed.ok("PutMetricAlarm", orders(name, json!({})));
    }
    bed.ok("DisableAlarmActions", json!({ "AlarmNames": ["a", "b", "nobody"] }));
    let enabled = || ["a", "b", "c"].map(|name| bed.alarm(name)["ActionsEnabled"] == true);
    assert_eq!(enabled(), [false, false, true]);
    bed.ok("EnableAlarmActions", json!({ "AlarmNames": ["b"] }));
    assert_eq!(enabled(), [false, true, true]);
    assert!(bed.refused("EnableAlarmActions", json!({})).contains("Value null at 'alarmNames'"));
}

#[test]
fn set_alarm_state_sets_it_and_refuses_nonsense() {
    let bed = Bed::start();
    bed.ok("PutMetricAlarm", orders("a", json!({ "Period": 3600 })));
    let input =
        json!({ "AlarmName": "a", "StateValue": "ALARM", "StateReason": "by hand", "StateReasonData": "{}" });
    bed.ok("SetAlarmState", input);
    let alarm = bed.alarm("a");
    assert_eq!(
        [&alarm["StateValue"], &alarm["StateReason"], &alarm["StateReasonData"]],
        ["ALARM", "by hand", "{}"]
    );
    let changes = bed.0.world(|world| world.cloudwatch.history().to_vec());
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].from, changes[0].to), (State::InsufficientData, State::Alarm));
    for (input, words) in [
        (json!({ "AlarmName": "x", "StateValue": "OK", "StateReason": "r" }), "ResourceNotFound: "),
        (json!({ "AlarmName": "a", "StateValue": "BAD", "StateReason": "r" }), "ValidationError: "),
        (json!({ "AlarmName": "a", "StateReason": "r" }), "ValidationError: "),
        (json!({ "AlarmName": "a", "StateValue": "OK" }), "ValidationError: "),
        (
            json!({ "AlarmName": "a", "StateValue": "OK", "StateReason": "r", "StateReasonData": "{" }),
            "InvalidFormat: ",
        ),
    ] {
        let said = bed.refused("SetAlarmState", input.clone());
        assert!(said.starts_with(words), "{input}: {said}");
    }
}

#[test]
fn tags_come_and_go() {
    let bed = Bed::start();
    bed.ok("PutMetricAlarm", orders("a", json!({ "Tags": [{ "Key": "a", "Value": "1" }] })));
    let arn = bed.alarm("a")["AlarmArn"].clone();
    let tags = json!([{ "Key": "a", "Value": "2" }, { "Key": "b", "Value": "3" }]);
    bed.ok("TagResource", json!({ "ResourceARN": arn, "Tags": tags }));
    assert_eq!(bed.ok("ListTagsForResource", json!({ "ResourceARN": arn }))["Tags"], tags);
    bed.ok("UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["a"] }));
    let left = json!([{ "Key": "b", "Value": "3" }]);
    assert_eq!(bed.ok("ListTagsForResource", json!({ "ResourceARN": arn }))["Tags"], left);
    let said = bed
        .refused("ListTagsForResource", json!({ "ResourceARN": "arn:aws:cloudwatch:eu-west-1:1:alarm:x" }));
    assert!(said.starts_with("ResourceNotFoundException: "), "{said}");
}
