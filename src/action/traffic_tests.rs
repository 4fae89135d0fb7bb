//! Whole sets of inputs of `redirect-traffic` and `rollback`: what they mean, and every problem as the user reads it.

use std::io;
use std::path::Path;

use super::*;
use crate::action::env::{Entry, Environment};
use crate::action::settings::{Command, OnCancel, read_inputs};

/// What every command needs.
const PLACE: [(&str, &str); 4] = [
    ("INPUT_CLUSTER", "shop"),
    ("INPUT_BLUE-SERVICE", "web-blue"),
    ("INPUT_GREEN-SERVICE", "web-green"),
    ("AWS_REGION", "eu-west-1"),
];

/// A config file that names alarms.
const FILE: &str = "apps:\n  web:\n    rollback-alarms: [web-5xx, 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:too slow', web-5xx]\n";

/// What is read from a command, further variables and a config file: its settings with the warnings, or all problems.
pub(in crate::action) fn read(
    command: &str,
    changes: &[(&str, &str)],
    file: Option<&str>,
) -> Result<(Command, OnCancel, String), String> {
    let variables = [&PLACE, &[("INPUT_COMMAND", command)][..], changes].concat();
    let env = Environment::new(Entry::Main, &variables);
    let file = |_: &Path| file.map(str::to_owned).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound));
    let lines = |lines: Vec<String>| lines.join("\n");
    match read_inputs(&env, &file) {
        Ok((settings, warnings)) => Ok((
            settings.command,
            settings.on_cancel,
            lines(warnings.iter().map(ToString::to_string).collect()),
        )),
        Err(problems) => Err(lines(problems.iter().map(ToString::to_string).collect())),
    }
}

/// The wish of a redirect without a warning.
fn wish(changes: &[(&str, &str)], file: Option<&str>) -> TrafficRequest {
    match read("redirect-traffic", changes, file) {
        Ok((Command::Redirect(wish), OnCancel::Leave, warnings)) if warnings.is_empty() => *wish,
        other => panic!("{other:?}"),
    }
}

/// What is wrong with a redirect to green with these changes.
fn problems(changes: &[(&str, &str)]) -> String {
    let changes = [&[("INPUT_TRAFFIC", "green")], changes].concat();
    read("redirect-traffic", &changes, None).unwrap_err()
}

/// The warnings of a redirect to green with these changes.
fn warnings(changes: &[(&str, &str)]) -> String {
    let changes = [&[("INPUT_TRAFFIC", "green")], changes].concat();
    read("redirect-traffic", &changes, None).unwrap().2
}

#[test]
fn a_redirect_needs_the_split_alone() {
    let wanted = TrafficRequest {
        to: Split { blue: 80, green: 20 },
        steps: vec![],
        bake: Duration::from_secs(300),
        alarms: vec![],
        scale_up: true,
        force: false,
        adopt: false,
        expect: None,
        settle: Duration::from_secs(120),
    };
    assert_eq!(wish(&[("INPUT_TRAFFIC", "blue-80")], None), wanted);
}

#[test]
fn everything_of_a_redirect_can_be_said() {
    let found = wish(
        &[
            ("INPUT_TRAFFIC", "10/90"),
            ("INPUT_STEPS", "20, 50\n90"),
            ("INPUT_BAKE-TIME", "300ms"),
            (
                "INPUT_ROLLBACK-ALARMS",
                "web 5xx errors\nslow, arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a:b",
            ),
            ("INPUT_SCALE-UP", "false"),
            ("INPUT_ADOPT", "true"),
            ("INPUT_EXPECT-TASK-DEFINITION", "web:7"),
            ("INPUT_SETTLE", "0s"),
        ],
        Some(FILE),
    );
    let wanted = TrafficRequest {
        to: Split { blue: 10, green: 90 },
        steps: vec![20, 50, 90],
        bake: Duration::from_millis(300),
        alarms: vec!["web 5xx errors".to_owned(), "slow".to_owned(), "a:b".to_owned()],
        scale_up: false,
        force: false,
        adopt: true,
        expect: Some("web:7".to_owned()),
        settle: Duration::ZERO,
    };
    assert_eq!(found, wanted);
    assert!(wish(&[("INPUT_TRAFFIC", "blue"), ("INPUT_FORCE", "true")], None).force);
}

#[test]
fn lists_are_yaml_too_and_an_input_overrides_the_alarms_of_the_file() {
    let to = ("INPUT_TRAFFIC", "green");
    for steps in ["[20, 50]", "- 20\n- 50\n", "20,50", " 20\r\n 50 ", "20, 50,"] {
        assert_eq!(wish(&[to, ("INPUT_STEPS", steps)], None).steps, [20, 50], "{steps}");
    }
    let stepped = |steps, value| {
        wish(&[to, ("INPUT_STEPS", steps), ("INPUT_ROLLBACK-ALARMS", value)], Some(FILE)).alarms
    };
    assert_eq!(stepped("", ""), [""; 0], "those of the file are watched while steps are held");
    assert_eq!(stepped("", "a"), ["a"]);
    assert_eq!(wish(&[to, ("INPUT_FORCE", "true"), ("INPUT_ROLLBACK-ALARMS", "a")], None).alarms, [""; 0]);
    let alarms = |value| stepped("20", value);
    assert_eq!(alarms(""), ["web-5xx", "too slow"]);
    assert_eq!(alarms("- a, b\n- '007'"), ["a, b", "007"]);
    assert_eq!(alarms("a, a"), ["a"]);
    assert_eq!(alarms("[]"), [""; 0]);
}

#[test]
fn what_is_wrong_with_a_redirect_is_told_at_once() {
    assert_eq!(
        problems(&[
            ("INPUT_TRAFFIC", "gren"),
            ("INPUT_STEPS", "50, x, 20%"),
            ("INPUT_BAKE-TIME", "5"),
            ("INPUT_ROLLBACK-ALARMS", "- 5"),
            ("INPUT_FORCE", "yes"),
            ("INPUT_SETTLE", "2h"),
            ("INPUT_EXPECT-TASK-DEFINITION", "web"),
        ]),
        "input traffic: `gren` is not a split: write `blue`, `blue-80`, `split`, `green-80`, `green` or `BLUE/GREEN` such as `95/5`; did you mean `green`?\n\
         input steps: `x` is not a number: write shares in percent, such as `20, 50, 80`\n\
         input steps: write `20%` without `%`: write shares in percent, such as `20, 50, 80`\n\
         input bake-time: `5` has no unit: write `5s` for seconds or `5m` for minutes\n\
         input rollback-alarms:1:3 [0]: is a number where text is expected: write it in quotes\n\
         input force: `yes` is not a boolean: write `true` or `false`\n\
         input settle: `2h` is out of range: 0s to 1h\n\
         input expect-task-definition: `web` has no revision: write the one that was approved, such as `web:7`"
    );
    assert_eq!(
        read("redirect-traffic", &[], None).unwrap_err(),
        "input traffic: missing. Where to send users: `blue`, `blue-80`, `split`, `green-80`, `green`, or `BLUE/GREEN` such as `95/5`."
    );
}

#[test]
fn values_that_are_fine_alone_and_wrong_together_are_told() {
    let table: [(&[(&str, &str)], &str); 6] = [
        (
            &[("INPUT_FORCE", "true"), ("INPUT_STEPS", "20")],
            "input force: `true` moves the traffic at once, and `steps` hold it on the way: keep one",
        ),
        (&[("INPUT_STEPS", "50, 20")], "input steps: `20` comes after `50`: the shares ascend"),
        (&[("INPUT_STEPS", "[20, 20]")], "input steps: `20` is there twice"),
        (
            &[("INPUT_TRAFFIC", "split"), ("INPUT_STEPS", "20, 60")],
            "input steps: `60` is beyond the end: no color has more than 50 % there",
        ),
        (
            &[("INPUT_ROLLBACK-ALARMS", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a")],
            "input rollback-alarms: `arn:aws:cloudwatch:us-east-1:123456789012:alarm:a` is in region `us-east-1`, but the region of this run is `eu-west-1`",
        ),
        (
            &[("INPUT_EXPECT-TASK-DEFINITION", "arn:aws:ecs:us-east-1:123456789012:task-definition/web:7")],
            "input expect-task-definition: `arn:aws:ecs:us-east-1:123456789012:task-definition/web:7` is in region `us-east-1`, but the region of this run is `eu-west-1`",
        ),
    ];
    for (changes, told) in table {
        assert_eq!(problems(changes), told, "{changes:?}");
    }
}

#[test]
fn a_task_definition_that_was_approved_has_its_revision() {
    let arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web";
    for good in ["web:1", &format!("{arn}:12")] {
        assert_eq!(expected_one(good), Ok(good.to_owned()));
    }
    let table = [
        ("web", "`web` has no revision: write the one that was approved, such as `web:7`"),
        (
            arn,
            "`arn:aws:ecs:eu-west-1:123456789012:task-definition/web` has no revision: write the one that was approved, such as `web:7`",
        ),
        ("web:0", "`web:0` is neither an ARN nor `FAMILY:REVISION`"),
        ("task.json", "`task.json` is neither an ARN nor `FAMILY:REVISION`"),
        ("a/web:7", "`a/web:7` is neither an ARN nor `FAMILY:REVISION`"),
        (
            "arn:aws:ecs:eu-west-1:123456789012:service/shop/web",
            "`arn:aws:ecs:eu-west-1:123456789012:service/shop/web` is not the ARN of a task definition",
        ),
    ];
    for (value, told) in table {
        assert_eq!(expected_one(value), Err(told.to_owned()));
    }
}

#[test]
fn bakes_that_outlive_the_job_or_the_credentials_are_warned_of() {
    let three = [("INPUT_STEPS", "20, 50, 80"), ("INPUT_BAKE-TIME", "20m")];
    let session = ("AWS_SESSION_TOKEN", "x");
    assert_eq!(warnings(&[three[0], three[1], session]), "", "3 times 20m is not longer than 1h");
    let bake = ("INPUT_BAKE-TIME", "25m");
    assert_eq!(warnings(&[three[0], bake]), "");
    assert_eq!(
        warnings(&[three[0], bake, session]),
        "input bake-time: 3 steps of 25m each take 1h15m, but exported credentials last 1h where `role-duration-seconds` does not say more: let `role-to-assume` renew them"
    );
    assert_eq!(
        warnings(&[three[0], ("INPUT_BAKE-TIME", "2h30m")]),
        "input bake-time: 3 steps of 2h30m each take 7h30m, but a job on GitHub's own runners ends after 6h: the run would be killed on the way"
    );
    assert_eq!(warnings(&[("INPUT_BAKE-TIME", "24h"), session]), "", "without steps nothing is held");
}

#[test]
fn a_rollback_needs_no_color_and_refuses_one_without_users() {
    let wanted = RollbackSettings {
        color: None,
        scale_up: true,
        force: false,
        adopt: false,
        settle: Duration::from_secs(120),
    };
    let none = (Command::Rollback(wanted), OnCancel::Leave, String::new());
    assert_eq!(read("rollback", &[], Some(FILE)), Ok(none));
    let changes = [
        ("INPUT_COLOR", "green"),
        ("INPUT_SCALE-UP", "false"),
        ("INPUT_FORCE", "true"),
        ("INPUT_ADOPT", "true"),
        ("INPUT_SETTLE", "1m"),
        ("INPUT_ON-CANCEL", "restore"),
    ];
    let wanted = RollbackSettings {
        color: Some(Color::Green),
        scale_up: false,
        force: true,
        adopt: true,
        settle: Duration::from_secs(60),
    };
    let all = (Command::Rollback(wanted), OnCancel::Restore, String::new());
    assert_eq!(read("rollback", &changes, None), Ok(all));
    for (color, told) in [
        ("develop", "`develop` never takes production traffic: write `blue` or `green`"),
        ("idle", "`idle` is not one of `blue`, `green`"),
        ("gren", "`gren` is not one of `blue`, `green`; did you mean `green`?"),
    ] {
        assert_eq!(read("rollback", &[("INPUT_COLOR", color)], None), Err(format!("input color: {told}")));
    }
}

#[test]
fn inputs_of_the_other_commands_are_told_and_ignored() {
    let changes = [
        ("INPUT_STEPS", "20"),
        ("INPUT_ROLLBACK-ALARMS", "a"),
        ("INPUT_TRAFFIC", "green"),
        ("INPUT_BAKE-TIME", "5m"),
    ];
    assert_eq!(
        read("rollback", &changes, None).unwrap().2,
        "input traffic: `rollback` does not use it, ignored\n\
         input steps: `rollback` does not use it, ignored\n\
         input rollback-alarms: `rollback` does not use it, ignored"
    );
}

#[test]
fn a_misspelt_command_is_read_as_the_one_that_was_meant() {
    assert_eq!(
        read("redirect-trafic", &[("INPUT_TRAFFIC", "80/30")], None).unwrap_err(),
        "input command: `redirect-trafic` is not one of `deploy`, `redirect-traffic`, `promote`, `rollback`, `status`, `doctor`; did you mean `redirect-traffic`?\n\
         input traffic: the weights in `80/30` sum to 110, not to 100"
    );
}
