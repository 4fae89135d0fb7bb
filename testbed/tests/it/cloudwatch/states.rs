//! Alarms look at their metrics and at each other: states, reasons, actions.

use serde_json::{Value, json};
use testbed::cloudwatch::{FiredAction, State};

use super::bed::{Bed, orders};

/// Two scaling policies and a topic.
const OUT: &str =
    "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1:resource/ecs/service/shop/web:policyName/out";
/// The other policy.
const IN: &str =
    "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:2:resource/ecs/service/shop/web:policyName/in";
/// The topic.
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:on-call";

/// A state's reason with its dates taken out.
fn reason(bed: &Bed, name: &str) -> String {
    let alarm = bed.alarm(name);
    let text = alarm["StateReason"].as_str().expect("a reason");
    let mut out = String::new();
    for (index, part) in text.split('(').enumerate() {
        match part.split_once(')') {
            Some((inside, rest)) if inside.matches('/').count() == 2 => out.extend(["(DATE)", rest]),
            _ if index > 0 => out.extend(["(", part]),
            _ => out.push_str(part),
        }
    }
    out
}

#[test]
fn an_alarm_follows_its_metric_and_says_why() {
    let bed = Bed::start();
    bed.ok("PutMetricAlarm", orders("a", json!({ "TreatMissingData": "notBreaching" })));
    bed.wait_state("a", State::Ok);
    assert_eq!(
        reason(&bed, "a"),
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as \
         [NonBreaching]."
    );
    bed.value(7.5);
    bed.wait_state("a", State::Alarm);
    assert_eq!(
        reason(&bed, "a"),
        "Threshold Crossed: 1 out of the last 1 datapoints [7.5 (DATE)] was greater than the threshold (5.0) \
         (minimum 1 datapoint for OK -> ALARM transition)."
    );
    let data: Value =
        serde_json::from_str(bed.alarm("a")["StateReasonData"].as_str().expect("data")).expect("JSON");
    assert_eq!(data["recentDatapoints"], json!([7.5]));
    assert_eq!(
        [&data["statistic"], &data["threshold"], &data["period"]],
        [&json!("Average"), &json!(5.0), &json!(5)]
    );
    bed.value(2.0);
    bed.wait_state("a", State::Ok);
    assert_eq!(
        reason(&bed, "a"),
        "Threshold Crossed: 1 out of the last 1 datapoints [2.0 (DATE)] was not greater than the threshold (5.0) \
         (minimum 1 datapoint for ALARM -> OK transition)."
    );
    assert_eq!(bed.path("a"), [State::Ok, State::Alarm, State::Ok]);
}

#[test]
fn missing_data_is_treated_as_the_alarm_says() {
    let bed = Bed::start();
    for (name, treat) in [("m", "missing"), ("i", "ignore"), ("b", "breaching"), ("n", "notBreaching")] {
        bed.ok("PutMetricAlarm", orders(name, json!({ "TreatMissingData": treat })));
        bed.ok("SetAlarmState", json!({ "AlarmName": name, "StateValue": "OK", "StateReason": "by hand" }));
    }
    bed.wait_state("b", State::Alarm);
    bed.wait_state("m", State::InsufficientData);
    assert_eq!(reason(&bed, "m"), "Insufficient Data: 1 datapoint was unknown.");
    assert_eq!(
        reason(&bed, "b"),
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching]."
    );
    assert_eq!((bed.path("i"), bed.path("n")), (vec![State::Ok], vec![State::Ok]));
    bed.value(9.0);
    for name in ["m", "i", "n"] {
        bed.wait_state(name, State::Alarm);
    }
    // The datapoint leaves the evaluation range, and what is missing decides again.
    bed.wait_state("m", State::InsufficientData);
    bed.wait_state("n", State::Ok);
    assert_eq!(bed.path("i"), [State::Ok, State::Alarm], "ignored data leaves the state");
}

#[test]
fn m_out_of_n_datapoints() {
    let bed = Bed::start();
    // The calendar's time of one period, 5 AWS seconds.
    let period = bed.0.world(|world| world.pace.seconds(5)).as_secs_f64();
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs_f64();
    let more = json!({ "EvaluationPeriods": 4, "DatapointsToAlarm": 2, "Period": 5, "Statistic": "Maximum" });
    bed.ok("PutMetricAlarm", orders("two", more));
    bed.ok("PutMetricAlarm", orders("four", json!({ "EvaluationPeriods": 4 })));
    // A value above the threshold in every other period, from before now until long after.
    let data: Vec<Value> = (-10..300)
        .map(|index| {
            let value = if index % 2 == 0 { 9.0 } else { 1.0 };
            let at = ((now / period).floor() + f64::from(index) + 0.5) * period;
            json!({ "MetricName": "Orders", "Value": value, "Timestamp": at })
        })
        .collect();
    bed.ok("PutMetricData", json!({ "Namespace": "Shop", "MetricData": data }));
    bed.wait_state("two", State::Alarm);
    bed.wait_state("four", State::Ok);
    let text = reason(&bed, "two");
    assert!(text.contains("(minimum 2 datapoints for OK -> ALARM transition)"), "{text}");
    assert_eq!(bed.path("four"), [State::Ok]);
}

#[test]
fn metric_math_is_worked_out() {
    let bed = Bed::start();
    let metric = |id: &str, name: &str| {
        let metric = json!({ "Namespace": "Shop", "MetricName": name });
        json!({ "Id": id, "ReturnData": false, "MetricStat": { "Metric": metric, "Period": 5, "Stat": "Maximum" } })
    };
    let alarm = |name: &str, expression: &str| {
        json!({
            "AlarmName": name, "EvaluationPeriods": 1, "Threshold": 40, "TreatMissingData": "ignore",
            "ComparisonOperator": "LessThanThreshold",
            "Metrics": [metric("cpu", "Cpu"), metric("memory", "Memory"), { "Id": "e1", "Expression": expression }],
        })
    };
    bed.ok("PutMetricAlarm", alarm("max", "MAX([cpu, memory])"));
    bed.ok("PutMetricAlarm", alarm("all", "MAX(METRICS())"));
    bed.ok("PutMetricAlarm", alarm("mean", "(cpu + memory) / 2"));
    let both = json!([{ "MetricName": "Cpu", "Value": 10 }, { "MetricName": "Memory", "Value": 60 }]);
    bed.ok("PutMetricData", json!({ "Namespace": "Shop", "MetricData": both }));
    for (name, state) in [("max", State::Ok), ("all", State::Ok), ("mean", State::Alarm)] {
        bed.wait_state(name, state);
        assert_eq!(bed.path(name), [state]);
    }
}

#[test]
fn a_state_set_by_hand_lasts_until_the_next_evaluation_finds_otherwise() {
    let bed = Bed::start();
    bed.ok("PutMetricAlarm", orders("a", json!({ "TreatMissingData": "notBreaching" })));
    bed.ok("PutMetricAlarm", orders("quiet", json!({ "TreatMissingData": "ignore" })));
    for name in ["a", "quiet"] {
        bed.ok(
            "SetAlarmState",
            json!({ "AlarmName": name, "StateValue": "ALARM", "StateReason": "by hand" }),
        );
    }
    bed.wait_state("a", State::Ok);
    assert_eq!(bed.path("a").last(), Some(&State::Ok));
    assert_eq!(bed.path("quiet"), [State::Alarm]);
}

#[test]
fn composite_alarms_follow_their_children() {
    let bed = Bed::start();
    for name in ["a", "b"] {
        bed.ok("PutMetricAlarm", orders(name, json!({ "TreatMissingData": "ignore" })));
    }
    let put = |name: &str, rule: &str| {
        bed.ok("PutCompositeAlarm", json!({ "AlarmName": name, "AlarmRule": rule, "AlarmActions": [TOPIC] }));
    };
    let set = |name: &str, state: &str| {
        bed.ok("SetAlarmState", json!({ "AlarmName": name, "StateValue": state, "StateReason": "by hand" }));
    };
    let states =
        || ["any", "top"].map(|name| bed.alarm(name)["StateValue"].as_str().expect("a state").to_owned());
    put("any", "ALARM(\"a\") OR ALARM(\"b\")");
    put("top", "ALARM(any) AND NOT OK(b)");
    let arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:";
    assert_eq!(
        bed.alarm("any")["StateReason"],
        format!("{arn}any was created and its alarm rule evaluates to OK")
    );
    assert_eq!(states(), ["OK", "OK"]);
    set("a", "ALARM");
    assert_eq!(states(), ["ALARM", "ALARM"]);
    let alarm = bed.alarm("any");
    let told = alarm["StateReason"].as_str().expect("a reason");
    assert!(
        told.starts_with(&format!("{arn}a transitioned to ALARM at ")) && told.ends_with(" UTC"),
        "{told}"
    );
    let data = alarm["StateReasonData"].as_str().expect("data");
    assert!(data.starts_with(&format!("{{\"triggeringAlarms\":[{{\"arn\":\"{arn}a\"")), "{data}");
    set("b", "OK");
    assert_eq!(states(), ["ALARM", "OK"]);
    set("any", "OK");
    assert_eq!(states(), ["OK", "OK"], "by hand, until a child changes");
    set("b", "ALARM");
    assert_eq!(states(), ["ALARM", "ALARM"]);
    put("any", "FALSE");
    assert_eq!(
        bed.alarm("any")["StateReason"],
        format!("{arn}any was updated and its alarm rule evaluates to OK")
    );
    assert_eq!(states(), ["OK", "OK"]);
    let fired = bed.0.world(|world| world.cloudwatch.fired().to_vec());
    let of = |name: &str| fired.iter().filter(|action| action.alarm == name).count();
    assert_eq!((of("any"), of("top")), (2, 2), "{fired:?}");
}

/// What was fired after the first `taken`, which move on: alarm, end of the action, whether it repeats. Application Auto
/// Scaling is the one that takes them by `due_actions`.
fn due(bed: &Bed, taken: &mut usize) -> Vec<(String, String, bool)> {
    let told = |action: &FiredAction| {
        let end = action.action.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
        (action.alarm.clone(), end, action.repeat)
    };
    let due: Vec<_> = bed.0.world(|world| world.cloudwatch.fired()[*taken..].iter().map(told).collect());
    *taken += due.len();
    due
}

#[test]
fn scaling_actions_repeat_every_minute_and_others_do_not() {
    let bed = Bed::start();
    let actions = json!({ "AlarmActions": [OUT, TOPIC], "OKActions": [IN], "TreatMissingData": "ignore" });
    bed.ok("PutMetricAlarm", orders("a", actions));
    bed.value(9.0);
    bed.wait_state("a", State::Alarm);
    let first = |name: &str| ("a".to_owned(), name.to_owned(), false);
    let again = ("a".to_owned(), "out".to_owned(), true);
    let mut taken = 0;
    assert_eq!(due(&bed, &mut taken)[..2], [first("out"), first("on-call")]);
    bed.wait("three repeats", |world| world.cloudwatch.fired().len() >= 5);
    let fired = bed.0.world(|world| world.cloudwatch.fired().to_vec());
    assert!(fired[2..].iter().all(|action| action.repeat && action.action == OUT));
    let minute = bed.0.world(|world| world.pace.seconds(60));
    let between: Vec<_> = fired[1..].windows(2).map(|pair| pair[1].at.duration_since(pair[0].at)).collect();
    assert!(between.iter().all(|time| *time >= minute), "{between:?}");
    assert_eq!((fired[0].datapoint, fired[0].threshold), (Some(9.0), Some(5.0)));
    bed.ok("DisableAlarmActions", json!({ "AlarmNames": ["a"] }));
    assert!(due(&bed, &mut taken).contains(&again));
    bed.ok("SetAlarmState", json!({ "AlarmName": "a", "StateValue": "OK", "StateReason": "by hand" }));
    assert_eq!(due(&bed, &mut taken), [], "no actions while they are off");
    bed.ok("SetAlarmState", json!({ "AlarmName": "a", "StateValue": "ALARM", "StateReason": "by hand" }));
    let before = bed.0.world(|world| world.cloudwatch.fired().len());
    bed.ok("EnableAlarmActions", json!({ "AlarmNames": ["a"] }));
    bed.wait("a repeat at once", |world| world.cloudwatch.fired().len() > before);
    assert_eq!(due(&bed, &mut taken)[0], again);
    bed.ok("SetAlarmState", json!({ "AlarmName": "a", "StateValue": "OK", "StateReason": "by hand" }));
    assert!(due(&bed, &mut taken).contains(&first("in")));
}
