//! Tables of what is written of a service's scaling, and the property that it converges and touches nothing else.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::Color;
use crate::plan::sample::{service, trouble};
use crate::plan::snapshot::{Scalable, Service};
use crate::plan::step::{Purpose, Put, Refusal, Scaling, Step};

/// The values of the example in docs/reference.md.
const MANAGED: Managed = Managed {
    min: 2,
    max: 10,
    idle_min: 1,
    cpu: 80,
    memory: 75,
    scale_in_below: 40,
    scale_in_after: Duration::from_secs(300),
};

/// The cluster.
const SHOP: &str = "shop";

/// Green with this scalable target, and no policy and no alarm.
fn green(target: Option<(u32, u32)>, desired: u32) -> Service {
    let target = target.map(|(min, max)| Scalable { min, max, ..Scalable::default() });
    Service {
        desired,
        scaling: Some(Ok(target)),
        scalers: Some(Ok(Scalers::default())),
        ..service(Color::Green)
    }
}

/// A policy of somebody else's.
fn stranger(name: &str, kind: &str) -> Policy {
    Policy { name: name.to_owned(), arn: format!("arn:{name}"), kind: kind.to_owned(), content: json!({}) }
}

/// What was read of a service's policies and alarms.
fn scalers(service: &mut Service) -> &mut Scalers {
    service.scalers.as_mut().unwrap().as_mut().unwrap()
}

/// How a decision is asked for.
type Ask = fn((&str, &Service), &Managed, Role, Purpose) -> Managing;

/// Takes each step until all is settled.
fn settled(service: &mut Service, ask: Ask, role: Role, purpose: Purpose) -> Vec<Step> {
    let mut steps = Vec::new();
    loop {
        match ask((SHOP, service), &MANAGED, role, purpose) {
            Managing::Step(step) => {
                take(service, &step);
                steps.push(step);
            }
            Managing::Settled => return steps,
            other => panic!("{other:?}"),
        }
        assert!(steps.len() < 20, "{steps:?}");
    }
}

/// A service after a step.
fn take(service: &mut Service, step: &Step) {
    match step {
        Step::Scaling(scaling) => apply_bounds(service, scaling),
        Step::Policy(put) => put_policy(service, put),
        Step::Alarm(put) => put_alarm(service, put),
        other => panic!("{other:?}"),
    }
}

/// Steps in short words.
fn short(steps: &[Step]) -> Vec<String> {
    let words = |step: &Step| match step {
        Step::Scaling(Scaling { min, max, in_suspended, .. }) => {
            let told = [min.map(|min| format!("min {min}")), max.map(|max| format!("max {max}"))];
            let suspended = in_suspended.map(|suspended| format!("suspended {suspended}"));
            told.into_iter().chain([suspended]).flatten().collect::<Vec<_>>().join(" ")
        }
        Step::Policy(put) => format!("policy {}{}", last(put), fields(put)),
        Step::Alarm(put) => format!("alarm {} {}{}", last(put), put.content["ActionsEnabled"], fields(put)),
        other => format!("{other:?}"),
    };
    steps.iter().map(words).collect()
}

/// The last part of a name.
fn last(put: &Put) -> &str {
    put.name.rsplit('/').next().unwrap()
}

/// The fields that change in what exists.
fn fields(put: &Put) -> String {
    let show = |value: &Option<String>| value.clone().unwrap_or_default();
    let change = |one: &FieldChange| format!("; {} {} -> {}", one.path, show(&one.before), show(&one.after));
    if put.new { String::new() } else { put.changes.iter().map(change).collect() }
}

#[test]
fn everything_is_made_in_the_order_in_which_aws_takes_it() {
    for (role, acts, least, suspended) in
        [(Role::Idle, "false", 1, ""), (Role::Develop, "true", 1, ""), (Role::Live, "true", 2, "")]
    {
        let mut service = green(None, 4);
        let alarm = |what: &str| format!("alarm {what} {acts}");
        let mut wanted =
            vec![format!("min {least} max 10{suspended}"), "policy out".to_owned(), "policy in".to_owned()];
        wanted.extend(["cpu-high", "memory-high", "low"].map(alarm));
        assert_eq!(short(&settled(&mut service, next_step, role, Purpose::Deploy)), wanted, "{role:?}");
        assert_eq!(service.desired, 4, "{role:?}");
    }
}

#[test]
fn invariant_29_every_alarm_says_whether_it_acts_and_what_no_data_means() {
    let mut service = green(Some((1, 10)), 2);
    for step in settled(&mut service, next_step, Role::Idle, Purpose::Deploy) {
        if let Step::Alarm(put) = step {
            assert_eq!(put.content["ActionsEnabled"], false);
            assert_eq!(put.content["TreatMissingData"], "notBreaching");
        }
    }
}

#[test]
fn policies_and_alarms_say_what_was_asked_for() {
    let mut service = green(Some((1, 10)), 2);
    settled(&mut service, next_step, Role::Live, Purpose::Deploy);
    let scalers = scalers(&mut service);
    let arn =
        |name: &str| scalers.policy(&format!("ecs-blue-green/shop/web-green/{name}")).unwrap().arn.clone();
    let alarm =
        |name: &str| scalers.alarm(&format!("ecs-blue-green/shop/web-green/{name}")).unwrap().content.clone();
    let dimensions = json!([
        {"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "web-green"}]);
    assert_eq!(
        alarm("memory-high"),
        json!({
            "AlarmDescription": "Memory above 75 % scales web-green out",
            "ActionsEnabled": true, "AlarmActions": [arn("out")],
            "EvaluationPeriods": 2, "DatapointsToAlarm": 2, "Threshold": 75.0,
            "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
            "Namespace": "AWS/ECS", "MetricName": "MemoryUtilization", "Dimensions": dimensions,
            "Statistic": "Average", "Period": 60,
        })
    );
    assert_eq!(alarm("cpu-high")["MetricName"], "CPUUtilization");
    assert_eq!(alarm("cpu-high")["Threshold"], 80.0);
    let low = alarm("low");
    assert_eq!(low["AlarmActions"], json!([arn("in")]));
    assert_eq!((&low["EvaluationPeriods"], &low["DatapointsToAlarm"]), (&json!(5), &json!(5)));
    assert_eq!((&low["Threshold"], &low["ComparisonOperator"]), (&json!(40.0), &json!("LessThanThreshold")));
    assert_eq!(low["Metrics"][2]["Expression"], "MAX([cpu, memory])");
    assert_eq!(low["Metrics"][0]["MetricStat"]["Metric"]["Dimensions"], dimensions);
    let returned: Vec<&Value> =
        low["Metrics"].as_array().unwrap().iter().map(|one| &one["ReturnData"]).collect();
    assert_eq!(returned, [&json!(false), &json!(false), &json!(true)]);
}

#[test]
fn roles_turn_actions_and_bounds_in_a_safe_order() {
    let mut service = green(None, 4);
    settled(&mut service, next_step, Role::Idle, Purpose::Deploy);
    let on = "ActionsEnabled false -> true";
    assert_eq!(
        short(&settled(&mut service, next_serving_step, Role::Live, Purpose::Traffic)),
        [
            format!("alarm cpu-high true; {on}"),
            format!("alarm memory-high true; {on}"),
            format!("alarm low true; {on}")
        ]
    );
    assert_eq!(short(&settled(&mut service, next_step, Role::Live, Purpose::Traffic)), ["min 2"]);
    let off = "ActionsEnabled true -> false";
    assert_eq!(
        short(&settled(&mut service, next_step, Role::Idle, Purpose::Traffic)),
        [
            format!("alarm cpu-high false; {off}"),
            format!("alarm memory-high false; {off}"),
            format!("alarm low false; {off}"),
            "min 1".to_owned(),
        ]
    );
}

#[test]
fn invariant_23_bounds_never_cut_a_count_and_an_idle_one_is_not_raised() {
    for (desired, target, role, wanted) in [
        (14, None, Role::Idle, "min 1 max 14"),
        (0, None, Role::Idle, "min 0 max 10"),
        (14, Some((1, 20)), Role::Live, "min 2 max 14"),
        (1, Some((0, 10)), Role::Live, "min 2"),
        (0, Some((3, 10)), Role::Idle, "min 0"),
        (2, Some((1, 5)), Role::Develop, "max 10"),
    ] {
        let mut service = green(target, desired);
        let steps = settled(&mut service, next_step, role, Purpose::Deploy);
        assert_eq!(short(&steps).iter().filter(|step| step.starts_with('m')).collect::<Vec<_>>(), [wanted]);
        let raised = if role == Role::Live { desired.max(2) } else { desired };
        assert_eq!(service.desired, raised, "{wanted}");
    }
}

#[test]
fn invariant_19_a_scalable_target_that_is_made_while_users_move_scales_nothing_in() {
    let mut service = green(None, 1);
    let steps = settled(&mut service, next_serving_step, Role::Live, Purpose::Traffic);
    assert_eq!(short(&steps)[0], "min 1 max 10 suspended true");
}

#[test]
fn a_color_may_grow_as_far_as_the_config_says_before_it_gets_users() {
    for (desired, target, role, purpose, wanted) in [
        (1, (1, 2), Role::Live, Purpose::Traffic, Some("max 10")),
        (14, (1, 2), Role::Live, Purpose::Traffic, Some("max 14")),
        (1, (1, 10), Role::Live, Purpose::Traffic, None),
        (1, (1, 20), Role::Live, Purpose::Traffic, None),
        (1, (1, 2), Role::Idle, Purpose::Traffic, None),
        (1, (1, 2), Role::Live, Purpose::Deploy, None),
    ] {
        let mut service = green(Some(target), desired);
        let steps = short(&settled(&mut service, next_serving_step, role, purpose));
        let bounds: Vec<&String> = steps.iter().filter(|step| step.starts_with('m')).collect();
        assert_eq!(bounds, wanted.iter().collect::<Vec<_>>(), "{target:?} {role:?} {purpose:?}");
        assert_eq!(service.desired, desired, "no count is moved");
    }
}

#[test]
fn beside_somebody_elses_policy_none_is_added_and_ours_are_kept() {
    let mut service = green(Some((1, 10)), 2);
    scalers(&mut service).policies.push(stranger("theirs", "TargetTrackingScaling"));
    assert_eq!(unmanaged_policies(SHOP, &service), ["theirs"]);
    assert_eq!(settled(&mut service, next_step, Role::Idle, Purpose::Deploy), []);

    let mut service = green(Some((1, 10)), 2);
    settled(&mut service, next_step, Role::Idle, Purpose::Deploy);
    assert_eq!(unmanaged_policies(SHOP, &service), [""; 0]);
    scalers(&mut service).policies.push(stranger("theirs", STEP_SCALING));
    scalers(&mut service).alarms.retain(|alarm| !alarm.name.ends_with("memory-high"));
    let steps = settled(&mut service, next_serving_step, Role::Live, Purpose::Traffic);
    let on = "ActionsEnabled false -> true";
    assert_eq!(short(&steps), [format!("alarm cpu-high true; {on}"), format!("alarm low true; {on}")]);
}

#[test]
fn a_name_of_ours_on_something_of_another_kind_is_refused() {
    let ask = |service: &Service| next_step((SHOP, service), &MANAGED, Role::Idle, Purpose::Deploy);
    let refused = |name: &str, found: &str, wanted: &'static str| {
        let (service, name, found) = ("web-green".to_owned(), name.to_owned(), found.to_owned());
        Managing::Refused(Refusal::NameTaken { service, name, found, wanted })
    };
    let mut service = green(Some((1, 10)), 2);
    let name = "ecs-blue-green/shop/web-green/out";
    scalers(&mut service).policies.push(stranger(name, "TargetTrackingScaling"));
    assert_eq!(
        ask(&service),
        refused(name, "a scaling policy of type TargetTrackingScaling", "a step scaling policy")
    );
    let mut service = green(None, 2);
    let name = "ecs-blue-green/shop/web-green/low";
    scalers(&mut service).alarms.push(ScalingAlarm {
        name: name.to_owned(),
        composite: true,
        content: Value::Null,
    });
    assert_eq!(ask(&service), refused(name, "a composite alarm", "a metric alarm"));
}

#[test]
fn invariant_09_what_was_not_read_is_not_taken_as_missing() {
    let ask = |service: &Service| next_step((SHOP, service), &MANAGED, Role::Idle, Purpose::Deploy);
    let throttled = trouble(AwsErrorKind::Throttled);
    for (change, wanted) in [
        ((|service: &mut Service| service.scaling = None) as fn(&mut Service), Managing::Unseen),
        (|service| service.scalers = None, Managing::Unseen),
        (
            |service| service.scaling = Some(Err(trouble(AwsErrorKind::Throttled))),
            Managing::AwsError(throttled.clone()),
        ),
        (
            |service| service.scalers = Some(Err(trouble(AwsErrorKind::Throttled))),
            Managing::AwsError(throttled.clone()),
        ),
    ] {
        let mut service = green(Some((1, 10)), 2);
        change(&mut service);
        assert_eq!(ask(&service), wanted);
    }
}

#[test]
fn differences_go_by_meaning() {
    let observed = json!({
        "Threshold": 80, "OKActions": [], "AlarmDescription": "", "Unit": null, "Period": 60,
        "Dimensions": [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}],
    });
    let wanted = json!({
        "Threshold": 80.0, "Period": 60,
        "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}],
    });
    assert_eq!(field_differences(&observed, &wanted), []);
    let other = json!({
        "Threshold": 90, "OKActions": ["arn:x"], "Period": 60,
        "Dimensions": [{"Name": "a", "Value": "1"}],
    });
    let change = |path: &str, before: Option<&str>, after: Option<&str>| FieldChange {
        path: path.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    assert_eq!(
        field_differences(&other, &wanted),
        [
            change("Dimensions[b].Name", None, Some("b")),
            change("Dimensions[b].Value", None, Some("2")),
            change("OKActions[0]", Some("arn:x"), None),
            change("Threshold", Some("90"), Some("80")),
        ]
    );
}

#[test]
fn names_derive_from_the_service_and_fit() {
    let names = ScalingNames::of("shop", "web");
    assert_eq!(names.memory_high, "ecs-blue-green/shop/web/memory-high");
    assert_eq!(names.back, "ecs-blue-green/shop/web/in");
    let (cluster, service) = ("c".repeat(255), "s".repeat(254));
    let (one, other) = (
        ScalingNames::of(&cluster, &format!("{service}1")),
        ScalingNames::of(&cluster, &format!("{service}2")),
    );
    for name in one.alarms().into_iter().chain([one.out.as_str()]) {
        assert_eq!(name.chars().count(), 255, "{name}");
    }
    assert_ne!(one.low, other.low);
    assert_ne!(one.low, one.cpu_high);
    assert_eq!(one, ScalingNames::of(&cluster, &format!("{service}1")));
}

#[test]
fn contradictions_are_told_all_at_once() {
    let wrong = Managed { min: 12, idle_min: 13, cpu: 101, memory: 0, scale_in_below: 80, ..MANAGED };
    assert_eq!(
        wrong.contradictions(),
        [
            "`min` 12 is above `max` 10",
            "`idle-min` 13 is above `min` 12",
            "`cpu` 101 is not a percentage: 1 to 100",
            "`memory` 0 is not a percentage: 1 to 100",
            "`scale-in-below` 80 is not below `cpu` 101 and `memory` 0",
        ]
    );
    assert_eq!(MANAGED.contradictions(), [""; 0]);
}

/// What an alarm or policy of ours may have become by somebody's hand.
fn spoilt(content: &Value, how: u8) -> Value {
    let mut content = content.clone();
    let fields = content.as_object_mut().unwrap();
    match how {
        0 => drop(fields.insert("Threshold".to_owned(), json!(55))),
        1 => drop(fields.insert("OKActions".to_owned(), json!(["arn:aws:sns:x"]))),
        2 => drop(fields.remove("Cooldown").or_else(|| fields.remove("Metrics"))),
        3 => drop(fields.insert("ActionsEnabled".to_owned(), json!(true))),
        _ => {}
    }
    content
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// From any state, with any of ours missing or spoilt: it ends where nothing differs, writes nothing but ours, keeps
    /// what is not ours, and a second time writes nothing.
    #[test]
    fn invariant_29_it_converges_and_writes_ours_alone(
        target in prop::option::of((0u32..5, 5u32..15)),
        desired in 0u32..20,
        role in prop::sample::select(vec![Role::Live, Role::Idle, Role::Develop]),
        bounds in any::<bool>(),
        missing in prop::collection::vec(any::<bool>(), 5),
        spoil in prop::collection::vec(0u8..6, 5),
        theirs in any::<bool>(),
    ) {
        let mut service = green(target, desired);
        if target.is_some() {
            settled(&mut service, next_serving_step, Role::Idle, Purpose::Deploy);
            let scalers = scalers(&mut service);
            let all = (scalers.policies.iter_mut().map(|one| &mut one.content))
                .chain(scalers.alarms.iter_mut().map(|one| &mut one.content));
            for (content, how) in all.zip(&spoil) {
                *content = spoilt(content, *how);
            }
            let mut gone = missing.iter();
            scalers.policies.retain(|_| !gone.next().unwrap());
            scalers.alarms.retain(|_| !gone.next().unwrap());
            if theirs {
                scalers.policies.push(stranger("theirs", "TargetTrackingScaling"));
            }
        }
        let before = service.desired;
        let ask: Ask = if bounds { next_step } else { next_serving_step };
        let names = ScalingNames::of(SHOP, &service.name);
        for step in settled(&mut service, ask, role, Purpose::Traffic) {
            match step {
                Step::Scaling(scaling) => prop_assert_eq!(&scaling.service, &service.name),
                Step::Policy(put) => prop_assert!(names.has_policy(&put.name)),
                Step::Alarm(put) => {
                    prop_assert!(names.alarms().contains(&put.name.as_str()));
                    prop_assert_eq!(put.content["ActionsEnabled"].as_bool(), Some(role != Role::Idle));
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert!(service.desired >= before);
        // AWS moves a count into the bounds at every call, and this one is below MinCapacity.
        let low = target.is_some_and(|(min, _)| before < min);
        prop_assert!(service.desired == before || (role == Role::Live && (bounds || low)));
        prop_assert_eq!(settled(&mut service, ask, role, Purpose::Traffic), []);
        let theirs = theirs && target.is_some();
        let scalers = scalers(&mut service);
        prop_assert_eq!(scalers.policy("theirs").is_some(), theirs);
        if !theirs {
            prop_assert_eq!((scalers.policies.len(), scalers.alarms.len()), (2, 3));
        }
    }
}
