//! Whole sets of inputs of `promote`: what they mean, and every problem as the user reads it.

use super::super::settings::{Command, OnCancel};
use super::super::traffic::tests::read;
use super::*;
use crate::plan::traffic::TrafficRequest;

/// The promotion, and the warnings.
fn promotion(changes: &[(&str, &str)]) -> (Promotion, String) {
    match read("promote", changes, None) {
        Ok((Command::Promote(promotion), OnCancel::Leave, warnings)) => (*promotion, warnings),
        other => panic!("{other:?}"),
    }
}

/// The least that is said.
fn least() -> Promotion {
    Promotion {
        color: Color::Green,
        mode: Mode::Swap,
        idle_count: 1,
        max_drain: Duration::from_secs(600),
        per_color: vec![],
        expect: None,
        traffic: TrafficRequest {
            to: Split { blue: 0, green: 100 },
            steps: vec![],
            bake: Duration::from_secs(300),
            alarms: vec![],
            scale_up: true,
            force: false,
            adopt: false,
            expect: None,
            settle: Duration::from_secs(120),
        },
    }
}

#[test]
fn a_promote_needs_the_color_alone() {
    assert_eq!(promotion(&[("INPUT_COLOR", "green")]), (least(), String::new()));
}

#[test]
fn everything_of_a_promote_can_be_said() {
    let (found, warnings) = promotion(&[
        ("INPUT_COLOR", "blue"),
        ("INPUT_MODE", "copy"),
        ("INPUT_IDLE-COUNT", "2"),
        ("INPUT_SETTLE", "1m"),
        ("INPUT_MAX-DRAIN", "0s"),
        ("INPUT_PER-COLOR", "COLOR, POOL_SIZE"),
        ("INPUT_EXPECT-TASK-DEFINITION", "web:7"),
        ("INPUT_STEPS", "20, 100"),
        ("INPUT_BAKE-TIME", "1m"),
        ("INPUT_ROLLBACK-ALARMS", "slow"),
        ("INPUT_SCALE-UP", "false"),
        ("INPUT_ADOPT", "true"),
    ]);
    let wanted = Promotion {
        color: Color::Blue,
        mode: Mode::Copy,
        idle_count: 2,
        max_drain: Duration::ZERO,
        per_color: vec!["COLOR".to_owned(), "POOL_SIZE".to_owned()],
        expect: Some("web:7".to_owned()),
        traffic: TrafficRequest {
            to: Split { blue: 100, green: 0 },
            steps: vec![20, 100],
            bake: Duration::from_secs(60),
            alarms: vec!["slow".to_owned()],
            scale_up: false,
            force: false,
            adopt: true,
            expect: None,
            settle: Duration::from_secs(60),
        },
    };
    assert_eq!((found, warnings.as_str()), (wanted, ""));
}

#[test]
fn the_color_is_given_and_never_guessed() {
    let proven = "`${{ steps.deploy.outputs.color }}`";
    let guess =
        format!("would be a guess: write the color that was proven, `blue` or `green`, such as {proven}");
    let table = [
        (
            "",
            format!(
                "missing. Write the color that was proven, `blue` or `green`: {proven} after a deploy with the id `deploy`."
            ),
        ),
        ("idle", format!("`idle` {guess}")),
        ("branch", format!("`branch` {guess}")),
        ("develop", "`develop` never takes production traffic: write `blue` or `green`".to_owned()),
        ("gren", "`gren` is not one of `blue`, `green`; did you mean `green`?".to_owned()),
    ];
    for (color, told) in table {
        let found = read("promote", &[("INPUT_COLOR", color)], None);
        assert_eq!(found, Err(format!("input color: {told}")));
    }
}

#[test]
fn what_is_wrong_with_a_promote_is_told_at_once() {
    let changes = [
        ("INPUT_MODE", "swop"),
        ("INPUT_IDLE-COUNT", "-1"),
        ("INPUT_MAX-DRAIN", "25h"),
        ("INPUT_PER-COLOR", "A=b, C D\nE"),
        ("INPUT_STEPS", "0"),
        ("INPUT_ADOPT", "x"),
        ("INPUT_EXPECT-TASK-DEFINITION", "web"),
    ];
    assert_eq!(
        read("promote", &changes, None).unwrap_err(),
        "input color: missing. Write the color that was proven, `blue` or `green`: `${{ steps.deploy.outputs.color }}` after a deploy with the id `deploy`.\n\
         input mode: `swop` is not one of `swap`, `copy`; did you mean `swap`?\n\
         input idle-count: `-1` is not a count: write 0 to 5000\n\
         input max-drain: `25h` is out of range: 0s to 24h\n\
         input per-color: `A=b` is not the name of a variable: it has no `=` and no spaces\n\
         input per-color: `C D` is not the name of a variable: it has no `=` and no spaces\n\
         input steps: `0` is not a step: 1 to 100 is expected\n\
         input adopt: `x` is not a boolean: write `true` or `false`\n\
         input expect-task-definition: `web` has no revision: write the one that was approved, such as `web:7`"
    );
}

#[test]
fn what_a_promote_ignores_or_costs_is_warned_of() {
    let (_, warnings) = promotion(&[
        ("INPUT_COLOR", "green"),
        ("INPUT_PER-COLOR", "A"),
        ("INPUT_IDLE-COUNT", "0"),
        ("INPUT_FORCE", "true"),
    ]);
    assert_eq!(
        warnings,
        "input force: `promote` does not use it, ignored\n\
         input per-color: `mode: swap` does not use it, ignored\n\
         input idle-count: `0` leaves the color without users no task: a rollback has to start tasks first, and a Route 53 alias that evaluates target health takes a load balancer with an empty target group for unhealthy"
    );
}

#[test]
fn a_count_is_a_whole_number_of_tasks() {
    for (value, wanted) in
        [("0", Some(0)), ("5000", Some(5000)), ("5001", None), ("+1", None), ("", None), ("1.0", None)]
    {
        assert_eq!(idle_count(value).ok(), wanted, "{value}");
    }
}

/// The idle count of a promote to green where the config file has this `scaling`, and the warnings.
fn idle_of(scaling: &str, changes: &[(&str, &str)]) -> (u32, String) {
    let file = format!("cluster: shop\napps:\n  web:\n    blue: web-blue\n    green: web-green\n{scaling}");
    let changes = [&[("INPUT_COLOR", "green")], changes].concat();
    match read("promote", &changes, Some(&file)) {
        Ok((Command::Promote(promotion), _, warnings)) => (promotion.idle_count, warnings),
        other => panic!("{other:?}"),
    }
}

#[test]
fn where_the_config_scales_its_idle_min_is_the_idle_count() {
    let scaling = |idle: u32| format!("    scaling: {{ min: 3, max: 9, idle-min: {idle} }}\n");
    let none = String::new();
    assert_eq!(idle_of("", &[]), (1, none.clone()));
    assert_eq!(idle_of("    scaling: { min: 3, max: 9 }\n", &[]), (1, none.clone()));
    assert_eq!(idle_of(&scaling(2), &[]), (2, none.clone()));
    assert_eq!(idle_of(&scaling(0), &[]), (1, none.clone()), "a target group is emptied only by the input");
    for count in ["2", "3"] {
        let found = idle_of(&scaling(2), &[("INPUT_IDLE-COUNT", count)]);
        assert_eq!(found, (count.parse().unwrap(), none.clone()));
    }
    let (count, warnings) = idle_of(&scaling(2), &[("INPUT_IDLE-COUNT", "1")]);
    assert_eq!(
        (count, warnings.as_str()),
        (
            1,
            "input idle-count: 1 is less than `idle-min` 2 of the config's `scaling`: the color without users gets 1 as its MinCapacity too"
        )
    );
}

#[test]
fn a_settle_and_a_drain_that_outlive_the_job_or_the_credentials_are_warned_of() {
    let of = |changes: &[(&str, &str)]| promotion(&[&[("INPUT_COLOR", "green")], changes].concat()).1;
    let session = ("AWS_SESSION_TOKEN", "x");
    let long = [("INPUT_SETTLE", "1h"), ("INPUT_MAX-DRAIN", "1m")];
    assert_eq!(of(&long), "");
    assert_eq!(of(&[session]), "", "the defaults are short");
    let told = of(&[&long[..], &[session]].concat());
    assert_eq!(
        told,
        "input max-drain: `settle` of 1h and `max-drain` of 1m may take 1h1m, but exported credentials last 1h where `role-duration-seconds` does not say more: let `role-to-assume` renew them"
    );
    let told = of(&[("INPUT_MAX-DRAIN", "20h")]);
    assert_eq!(
        told,
        "input max-drain: `settle` of 2m and `max-drain` of 20h may take 20h2m, but a job on GitHub's own runners ends after 6h: the run would be killed on the way"
    );
}
