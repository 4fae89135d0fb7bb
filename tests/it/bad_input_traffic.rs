//! Bad input of the commands that move users, found before AWS is asked: every problem word by word.

use crate::common::edge::{problems, refused};

/// What is told of these inputs of a command.
#[track_caller]
fn told(command: &str, inputs: &[(&str, &str)]) -> Vec<String> {
    let set = |action, (name, value): &(&str, &str)| crate::common::Action::input(action, name, value);
    problems(&refused(command, |action| inputs.iter().fold(action, set)))
}

/// What is told of a redirect to green with one input more.
#[track_caller]
fn redirect(name: &str, value: &str) -> Vec<String> {
    told("redirect-traffic", &[("traffic", "green"), (name, value)])
}

/// What the input `traffic` can say.
const FORMS: &str = "write `blue`, `blue-80`, `split`, `green-80`, `green` or `BLUE/GREEN` such as `95/5`";

#[test]
fn a_split_is_a_preset_or_two_weights_that_sum_to_100() {
    let users = "is not for users: only blue and green take production traffic";
    let cases = [
        ("gren", format!("`gren` is not a split: {FORMS}; did you mean `green`?")),
        ("green80", format!("`green80` is not a split: {FORMS}; did you mean `green-80`?")),
        ("canary", format!("`canary` is not a split: {FORMS}")),
        ("80", format!("`80` is not a split: {FORMS}")),
        ("develop", format!("`develop` {users}, {FORMS}")),
        ("60/30/10", format!("`60/30/10` {users}, {FORMS}")),
        ("80/30", "the weights in `80/30` sum to 110, not to 100".to_owned()),
        ("4/1", "the weights in `4/1` sum to 5, not to 100; the same ratio is `80/20`".to_owned()),
        ("0/0", "the weights in `0/0` sum to 0, not to 100".to_owned()),
        ("80/-20", "`-20` is negative: 0 to 100 is expected in `80/-20`".to_owned()),
        ("x/20", "`x` is not a number in `x/20`".to_owned()),
        ("99.5/0.5", "`99.5` is not a whole number in `99.5/0.5`".to_owned()),
        ("80%/20%", "write `80%` without `%` in `80%/20%`".to_owned()),
    ];
    for (value, what) in cases {
        assert_eq!(redirect("traffic", value), [format!("input traffic: {what}")]);
    }
    assert_eq!(
        told("redirect-traffic", &[]),
        [
            "input traffic: missing. Where to send users: `blue`, `blue-80`, `split`, `green-80`, `green`, or `BLUE/GREEN` such as `95/5`."
        ]
    );
}

#[test]
fn steps_are_shares_that_ascend_to_the_split() {
    let form = "write shares in percent, such as `20, 50, 80`";
    let cases = [
        ("50, 20", vec!["input steps: `20` comes after `50`: the shares ascend".to_owned()]),
        ("20, 20", vec!["input steps: `20` is there twice".to_owned()]),
        (
            "0, 101",
            vec![
                "input steps: `0` is not a step: 1 to 100 is expected".to_owned(),
                format!("input steps: `101` is more than 100: {form}"),
            ],
        ),
        ("20%", vec![format!("input steps: write `20%` without `%`: {form}")]),
        ("blue-80", vec![format!("input steps: `blue-80` is not a number: {form}")]),
        ("[20, 110]", vec!["input steps:1:6 [1]: 110 is out of range: 1 to 100".to_owned()]),
        (
            "- 20\n- '50'",
            vec![
                "input steps:2:3 [1]: is text where a number is expected: write 1 to 100 without quotes"
                    .to_owned(),
            ],
        ),
        ("{20: 50}", vec!["input steps:1:1: is a mapping: a list is expected".to_owned()]),
    ];
    for (value, what) in cases {
        assert_eq!(redirect("steps", value), what);
    }
    assert_eq!(
        told("redirect-traffic", &[("traffic", "split"), ("steps", "20, 50, 80")]),
        ["input steps: `80` is beyond the end: no color has more than 50 % there"]
    );
    assert_eq!(
        told("redirect-traffic", &[("traffic", "green"), ("steps", "20"), ("force", "true")]),
        ["input force: `true` moves the traffic at once, and `steps` hold it on the way: keep one"]
    );
}

#[test]
fn times_need_a_unit_and_a_range() {
    let cases = [
        ("bake-time", "5", "`5` has no unit: write `5s` for seconds or `5m` for minutes"),
        ("bake-time", "0s", "`0s` is out of range: 1ms to 24h"),
        ("settle", "2h", "`2h` is out of range: 0s to 1h"),
        ("settle", "soon", "`soon` is not a duration: write it like `300ms`, `90s`, `5m` or `1h30m`"),
    ];
    for (name, value, what) in cases {
        assert_eq!(redirect(name, value), [format!("input {name}: {what}")]);
    }
}

#[test]
fn booleans_are_true_or_false() {
    for name in ["scale-up", "force", "adopt"] {
        let what = format!("input {name}: `yes` is not a boolean: write `true` or `false`");
        assert_eq!(redirect(name, "yes"), [what.as_str()]);
        assert_eq!(told("rollback", &[(name, "yes")]), [what]);
    }
}

#[test]
fn alarms_are_names_or_arns_of_this_region() {
    let long = "a".repeat(256);
    let shown = "a".repeat(80);
    let cases = [
        (
            long.as_str(),
            format!(
                "input rollback-alarms: `{shown}…` is not the name of an alarm: it has 1 to 255 characters, none of them a control character"
            ),
        ),
        (
            "arn:aws:cloudwatch:eu-west-1:123456789012:dashboard:x",
            "input rollback-alarms: `arn:aws:cloudwatch:eu-west-1:123456789012:dashboard:x` is not the ARN of a CloudWatch alarm".to_owned(),
        ),
        (
            "arn:aws:cloudwatch:us-east-1:123456789012:alarm:too slow",
            "input rollback-alarms: `arn:aws:cloudwatch:us-east-1:123456789012:alarm:too slow` is in region `us-east-1`, but the region of this run is `eu-west-1`".to_owned(),
        ),
        (
            "- web-5xx\n- 5",
            "input rollback-alarms:2:3 [1]: is a number where text is expected: write it in quotes".to_owned(),
        ),
    ];
    for (value, what) in cases {
        assert_eq!(redirect("rollback-alarms", value), [what]);
    }
}

#[test]
fn an_approved_task_definition_has_its_revision() {
    let cases = [
        ("web", "`web` has no revision: write the one that was approved, such as `web:7`"),
        ("web:latest", "`web:latest` is neither an ARN nor `FAMILY:REVISION`"),
        (
            "arn:aws:ecs:us-east-1:123456789012:task-definition/web:7",
            "`arn:aws:ecs:us-east-1:123456789012:task-definition/web:7` is in region `us-east-1`, but the region of this run is `eu-west-1`",
        ),
    ];
    for (value, what) in cases {
        assert_eq!(
            redirect("expect-task-definition", value),
            [format!("input expect-task-definition: {what}")]
        );
    }
}

#[test]
fn a_rollback_goes_to_a_color_that_can_have_users() {
    let cases = [
        ("develop", "`develop` never takes production traffic: write `blue` or `green`"),
        ("idle", "`idle` is not one of `blue`, `green`"),
        ("bleu", "`bleu` is not one of `blue`, `green`; did you mean `blue`?"),
    ];
    for (value, what) in cases {
        assert_eq!(told("rollback", &[("color", value)]), [format!("input color: {what}")]);
    }
}

#[test]
fn a_promote_is_given_its_color() {
    let proven = "`${{ steps.deploy.outputs.color }}`";
    let missing = format!(
        "missing. Write the color that was proven, `blue` or `green`: {proven} after a deploy with the id `deploy`."
    );
    let guess = format!(
        "`idle` would be a guess: write the color that was proven, `blue` or `green`, such as {proven}"
    );
    let cases = [
        ("", missing),
        ("idle", guess),
        ("develop", "`develop` never takes production traffic: write `blue` or `green`".to_owned()),
        ("gren", "`gren` is not one of `blue`, `green`; did you mean `green`?".to_owned()),
    ];
    for (value, what) in cases {
        assert_eq!(told("promote", &[("color", value)]), [format!("input color: {what}")]);
    }
}

#[test]
fn a_promote_checks_its_own_inputs() {
    let cases = [
        ("mode", "swpa", "`swpa` is not one of `swap`, `copy`; did you mean `swap`?"),
        ("idle-count", "one", "`one` is not a count: write 0 to 5000"),
        ("idle-count", "5001", "`5001` is not a count: write 0 to 5000"),
        ("max-drain", "10", "`10` has no unit: write `10s` for seconds or `10m` for minutes"),
        ("max-drain", "25h", "`25h` is out of range: 0s to 24h"),
        ("per-color", "A=b", "`A=b` is not the name of a variable: it has no `=` and no spaces"),
        (
            "expect-task-definition",
            "web",
            "`web` has no revision: write the one that was approved, such as `web:7`",
        ),
    ];
    for (name, value, what) in cases {
        assert_eq!(told("promote", &[("color", "green"), (name, value)]), [format!("input {name}: {what}")]);
    }
}

#[test]
fn several_problems_of_a_misspelt_command_are_listed_at_once() {
    let inputs = [
        ("traffic", "80/30"),
        ("steps", "50, 20"),
        ("bake-time", "5"),
        ("force", "yes"),
        ("rollback-alarm", "web-5xx"),
        ("expect-task-definition", "web"),
        ("on-cancel", "leav"),
    ];
    assert_eq!(
        told("redirect-trafic", &inputs),
        [
            "input rollback-alarm: unknown input; did you mean `rollback-alarms`?",
            "input command: `redirect-trafic` is not one of `deploy`, `redirect-traffic`, `promote`, `rollback`, `status`, `doctor`; did you mean `redirect-traffic`?",
            "input traffic: the weights in `80/30` sum to 110, not to 100",
            "input steps: `20` comes after `50`: the shares ascend",
            "input bake-time: `5` has no unit: write `5s` for seconds or `5m` for minutes",
            "input force: `yes` is not a boolean: write `true` or `false`",
            "input expect-task-definition: `web` has no revision: write the one that was approved, such as `web:7`",
            "input on-cancel: `leav` is not one of `restore`, `leave`; did you mean `leave`?",
        ]
    );
}
