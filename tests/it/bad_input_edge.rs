//! Bad input that is found before AWS is asked: one test a kind, no call recorded, every problem word by word.

use crate::common::edge;

use std::time::{Duration, Instant};

use crate::common::edge::problems;
use crate::common::{Action, Done};

/// A deploy with the sample's names that is refused for what `change` does to it, without one call of AWS.
#[track_caller]
fn refused(change: impl FnOnce(Action) -> Action) -> Done {
    edge::refused("deploy", change)
}

/// The problems of a deploy with one input more.
#[track_caller]
fn input(name: &str, value: &str) -> Vec<String> {
    problems(&refused(|action| action.input(name, value)))
}

/// The problems of a deploy that has a config file.
#[track_caller]
fn config(text: &str) -> Vec<String> {
    problems(&refused(|action| action.file(".github/blue-green.yml", text)))
}

#[test]
fn a_missing_command_is_named_with_what_is_allowed() {
    let done = refused(|action| action.without("INPUT_COMMAND"));
    assert_eq!(
        problems(&done),
        [
            "input command: missing. What to do: `deploy`, `redirect-traffic`, `promote`, `rollback`, `status` or `doctor`."
        ]
    );
    assert_eq!(
        input("command", "  "),
        [
            "input command: missing. What to do: `deploy`, `redirect-traffic`, `promote`, `rollback`, `status` or `doctor`."
        ]
    );
}

#[test]
fn an_unknown_command_names_the_nearest() {
    let cases = [
        (
            "delpoy",
            "input command: `delpoy` is not one of `deploy`, `redirect-traffic`, `promote`, `rollback`, `status`, `doctor`; did you mean `deploy`?",
        ),
        (
            "Status",
            "input command: `Status` is not one of `deploy`, `redirect-traffic`, `promote`, `rollback`, `status`, `doctor`; did you mean `status`?",
        ),
        (
            "destroy-all",
            "input command: `destroy-all` is not one of `deploy`, `redirect-traffic`, `promote`, `rollback`, `status`, `doctor`",
        ),
    ];
    for (value, told) in cases {
        assert_eq!(input("command", value), [told]);
    }
}

#[test]
fn unknown_config_keys_are_all_named_at_once_with_the_nearest() {
    let text = "clster: shop\napps:\n  web:\n    blue: web-blue\n    gren: web-green\n    colour: x\n    probes:\n      - { path: /, pth: / }\n";
    assert_eq!(
        config(text),
        [
            ".github/blue-green.yml:1:1 clster: unknown key; did you mean `cluster`?",
            ".github/blue-green.yml:5:5 apps.web.gren: unknown key; did you mean `green`?",
            ".github/blue-green.yml:6:5 apps.web.colour: unknown key; the keys here are blue, green, develop, hosts, probes, scaling, rollback-alarms, labels",
            ".github/blue-green.yml:8:20 apps.web.probes[0].pth: unknown key; did you mean `path`?",
        ]
    );
}

#[test]
fn keys_that_are_there_twice_are_named() {
    assert_eq!(
        config("cluster: a\ncluster: b\napps:\n  web: { blue: a, green: b, blue: c }\n"),
        [
            ".github/blue-green.yml:2:1 cluster: the key is there twice",
            ".github/blue-green.yml:4:29 apps.web.blue: the key is there twice",
        ]
    );
    assert_eq!(input("environment", "A: b\nA: c"), ["input environment:2:1 A: the key is there twice"]);
}

#[test]
fn yaml_syntax_has_line_and_column() {
    assert_eq!(
        config("cluster: shop\napps:\n\tweb: 1\n"),
        [
            ".github/blue-green.yml:3:1: couldn't be read as YAML: the line is indented with a tab, and YAML takes only spaces"
        ]
    );
    assert_eq!(
        config("cluster: shop\napps: [web\nbranches: {}\n"),
        [".github/blue-green.yml:3:9: couldn't be read as YAML: a comma or the closing `]` is missing"]
    );
    assert_eq!(
        input("probes", "- {path: /"),
        ["input probes:2:1: couldn't be read as YAML: a comma or the closing `}` is missing"]
    );
    assert_eq!(
        config("cluster: !Ref Shop\n"),
        [
            ".github/blue-green.yml:1:10: couldn't be read as YAML: a tag such as `!Ref` is not supported here; text that begins with `!` must be in quotes"
        ]
    );
}

#[test]
fn values_of_the_wrong_type_are_named() {
    assert_eq!(
        config(
            "cluster: [shop]\napps:\n  web:\n    blue: { name: web-blue }\n    probes: /healthz\n    scaling: { min: two, max: 4 }\nbranches: main\n"
        ),
        [
            ".github/blue-green.yml:1:10 cluster: is a list where text is expected",
            ".github/blue-green.yml:4:11 apps.web.blue: is a mapping where text is expected",
            ".github/blue-green.yml:5:13 apps.web.probes: is text: a list is expected",
            ".github/blue-green.yml:6:21 apps.web.scaling.min: is text where a number is expected: write 1 to 5000 without quotes",
            ".github/blue-green.yml:7:11 branches: is text: a mapping of branch patterns to colors is expected",
        ]
    );
    assert_eq!(
        config("- shop\n"),
        [
            ".github/blue-green.yml:1:1: is a list: a mapping with the keys cluster, apps, branches, workflow is expected"
        ]
    );
    assert_eq!(
        input("environment", "[A, B]"),
        ["input environment:1:1: is a list: a mapping is expected, `NAME: text` a line"]
    );
    assert_eq!(input("probes", "/healthz"), ["input probes:1:1: is text: a list is expected"]);
    assert_eq!(
        input("probes", "- {path: healthz, status: '200'}"),
        [
            "input probes:1:10 [0].path: `healthz` is not a path: begin with `/`, without spaces and `#`, and escape what is not ASCII",
            "input probes:1:27 [0].status: is text where a number is expected: write 200 to 599 without quotes",
        ]
    );
    assert_eq!(
        input("desired-count", "two"),
        ["input desired-count: `two` is not a count: write 1 to 5000, or `match`"]
    );
    assert_eq!(
        input("desired-count", "0"),
        [
            "input desired-count: `0` leaves no task that could prove the version healthy: write 1 or more, or `match`"
        ]
    );
}

#[test]
fn numbers_and_booleans_where_text_is_meant_are_refused() {
    assert_eq!(
        config("cluster: 1.10\napps:\n  web: { blue: true, green: 2 }\n"),
        [
            ".github/blue-green.yml:1:10 cluster: is a number where text is expected: write it in quotes, as in `cluster: \"…\"`",
            ".github/blue-green.yml:3:16 apps.web.blue: is a boolean where text is expected: write it in quotes, as in `blue: \"…\"`",
            ".github/blue-green.yml:3:29 apps.web.green: is a number where text is expected: write it in quotes, as in `green: \"…\"`",
        ]
    );
    assert_eq!(
        input("environment", "VERSION: 1.10\nDEBUG: true"),
        [
            "input environment:1:10 VERSION: is a number where text is expected: write it in quotes, as in `VERSION: \"…\"`",
            "input environment:2:8 DEBUG: is a boolean where text is expected: write it in quotes, as in `DEBUG: \"…\"`",
        ]
    );
    assert_eq!(
        input("image", "app: 1.10"),
        ["input image:1:6 app: is a number where text is expected: write it in quotes, as in `app: \"…\"`"]
    );
}

#[test]
fn durations_need_a_unit_and_a_range() {
    let form = "is not a duration: write it like `300ms`, `90s`, `5m` or `1h30m`";
    let cases = [
        ("90", "`90` has no unit: write `90s` for seconds or `90m` for minutes".to_owned()),
        ("5 m", format!("`5 m` {form}")),
        ("1.5h", format!("`1.5h` {form}")),
        ("5min", format!("`5min` {form}")),
        ("10s5m", format!("`10s5m` {form}")),
        ("-5m", format!("`-5m` {form}")),
        ("0s", "`0s` is out of range: 1ms to 24h".to_owned()),
        ("25h", "`25h` is out of range: 1ms to 24h".to_owned()),
    ];
    for (value, told) in cases {
        assert_eq!(input("timeout", value), [format!("input timeout: {told}")]);
    }
    assert_eq!(input("poll-interval", "10ms"), ["input poll-interval: `10ms` is out of range: 100ms to 1m"]);
}

#[test]
fn booleans_are_true_or_false() {
    for value in ["yes", "no", "on", "1", "tRue"] {
        for name in ["allow-live", "pin-digest", "plan-only"] {
            let told = format!("input {name}: `{value}` is not a boolean: write `true` or `false`");
            assert_eq!(input(name, value), [told]);
        }
    }
}

#[test]
fn words_that_are_none_of_the_allowed_name_the_nearest() {
    assert_eq!(
        input("color", "gren"),
        [
            "input color: `gren` is not one of `idle`, `blue`, `green`, `develop`, `branch`; did you mean `green`?"
        ]
    );
    assert_eq!(
        input("on-cancel", "restor"),
        ["input on-cancel: `restor` is not one of `restore`, `leave`; did you mean `restore`?"]
    );
}

#[test]
fn image_references_are_checked() {
    let cases = [
        (
            "<IMAGE1_NAME>",
            "`<IMAGE1_NAME>` is not an image: `<IMAGE1_NAME>` is a placeholder; write the image itself",
        ),
        (
            "shop/Web:v1",
            "`shop/Web:v1` is not an image: the repository `shop/Web` is not made of lower-case letters and digits, with `.`, `_`, `__`, `-` or `/` between them",
        ),
        (
            "https://ghcr.io/shop/web:v1",
            "`https://ghcr.io/shop/web:v1` is not an image: `https://ghcr.io/shop/web:v1` is a URL; write the image without `https://`",
        ),
        (
            "shop/web:",
            "`shop/web:` is not an image: the tag (empty) is not 1 to 128 of letters, digits, `_`, `.` and `-`, the first of them a letter, digit or `_`",
        ),
        (
            "shop/web@sha256:12",
            "`shop/web@sha256:12` is not an image: the digest `sha256:12` is not `sha256:` and 64 hexadecimal digits",
        ),
        (
            "app:shop/web:v1",
            "`app:shop/web:v1` is not an image: `app:shop` is not a registry's host name, with or without a port; for one container put a space after its colon: `app: shop/web:v1`",
        ),
    ];
    for (value, told) in cases {
        assert_eq!(input("image", value), [format!("input image: {told}")]);
    }
    assert_eq!(
        input("image", "app: Web\nside car: envoy"),
        [
            "input image:1:6 app: `Web` is not an image: the repository `Web` is not made of lower-case letters and digits, with `.`, `_`, `__`, `-` or `/` between them",
            "input image:2:11 (key 2): is not the name of a container: it has only letters, digits, `-` and `_`",
        ]
    );
}

#[test]
fn names_and_arns_are_checked() {
    let cases = [
        ("cluster", "my shop", "`my shop` is neither a cluster name (letters, digits, `-`, `_`) nor an ARN"),
        (
            "blue-service",
            "arn:aws:ecs:eu-west-1:123456789012:cluster/shop",
            "`arn:aws:ecs:eu-west-1:123456789012:cluster/shop` names ecs `cluster`, not an ECS service",
        ),
        ("green-service", "web-blue", "`web-blue` is the blue service too: every color needs its own"),
        ("develop-service", "web-green", "`web-green` is the green service too: every color needs its own"),
        (
            "cluster",
            "arn:aws:ecs:us-east-1:123456789012:cluster/shop",
            "`arn:aws:ecs:us-east-1:123456789012:cluster/shop` is in region `us-east-1`, but the region of this run is `eu-west-1`",
        ),
        ("listener", "HTTPS", "`HTTPS` is not a listener: write an ARN, `443` or `HTTPS:443`"),
        (
            "listener",
            "TCP:443",
            "`TCP` is not a protocol of an Application Load Balancer's listener: write `HTTP` or `HTTPS`",
        ),
        ("region", "eu-west-1a", "`eu-west-1a` is an availability zone: its region is `eu-west-1`"),
        ("region", "Ireland", "`Ireland` is not a region: write it like `eu-west-1`"),
        (
            "allowed-account-ids",
            "12345",
            "`12345` is not an account id: write 12 digits, several with commas",
        ),
        (
            "task-definition",
            "web.toml",
            "`web.toml` is neither a `.json`, `.yml` or `.yaml` file, an ARN, `FAMILY` nor `FAMILY:REVISION`",
        ),
        (
            "task-definition",
            "arn:aws:ecs:eu-west-1:123456789012:service/shop/web",
            "`arn:aws:ecs:eu-west-1:123456789012:service/shop/web` is not the ARN of a task definition",
        ),
        (
            "task-definition",
            "{}",
            "holds text where the path of a file is expected: write it to a `.json` file first",
        ),
    ];
    for (name, value, told) in cases {
        assert_eq!(input(name, value), [format!("input {name}: {told}")]);
    }
}

#[test]
fn a_misspelt_input_is_refused_and_the_nearest_named() {
    assert_eq!(
        input("desired-coumt", "3"),
        ["input desired-coumt: unknown input; did you mean `desired-count`?"]
    );
    assert_eq!(input("allow_live", "true"), ["input allow_live: unknown input; did you mean `allow-live`?"]);
}

#[test]
fn missing_names_say_where_they_can_be_given() {
    let done = refused(|action| action.without("INPUT_CLUSTER").without("INPUT_GREEN-SERVICE"));
    assert_eq!(
        problems(&done),
        [
            "input cluster: missing: give the input, or `cluster` in `.github/blue-green.yml`, which does not exist (is actions/checkout among the steps before?)",
            "input green-service: missing: give the input, or `apps.NAME.green` in `.github/blue-green.yml`, which does not exist (is actions/checkout among the steps before?)",
        ]
    );
    let text = "cluster: shop\napps:\n  web: { blue: web-blue }\n";
    let done = refused(|action| action.without("INPUT_GREEN-SERVICE").file(".github/blue-green.yml", text));
    assert_eq!(
        problems(&done),
        ["input green-service: missing: give the input, or `apps.web.green` in `.github/blue-green.yml`"]
    );
    assert_eq!(
        input("config", "other.yml"),
        ["input config: `other.yml` does not exist: is actions/checkout among the steps before?"]
    );
}

#[test]
fn an_app_that_is_not_in_the_file_names_the_nearest() {
    let text = "apps:\n  web: { blue: a, green: b }\n  api: { blue: c, green: d }\n";
    let done = refused(|action| action.input("app", "wbe").file(".github/blue-green.yml", text));
    assert_eq!(
        problems(&done),
        ["input app: `.github/blue-green.yml` has no app `wbe`, only `web`, `api`; did you mean `web`?"]
    );
}

#[test]
fn a_branch_without_a_color_is_told() {
    assert_eq!(
        input("color", "branch"),
        [
            "input color: `branch` needs `branches` in `.github/blue-green.yml`, such as `branches: { main: idle }`"
        ]
    );
    let text = "branches: { release/*: green }\n";
    let done = refused(|action| action.input("color", "branch").file(".github/blue-green.yml", text));
    assert_eq!(
        problems(&done),
        [
            "input color: no pattern of `branches` in `.github/blue-green.yml` fits the branch `main`, only `release/*`"
        ]
    );
    let done = refused(|action| action.input("color", "develop").without("INPUT_DEVELOP-SERVICE"));
    assert_eq!(
        problems(&done),
        [
            "input color: `develop` has no service: give `develop-service`, or `apps.NAME.develop` in `.github/blue-green.yml`"
        ]
    );
}

#[test]
fn a_profile_without_keys_is_explained() {
    let done = refused(|action| {
        action.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY").env("AWS_PROFILE", "production")
    });
    assert_eq!(
        problems(&done),
        [
            "AWS_PROFILE: profiles of the runner don't exist in the action's container, and AWS_ACCESS_KEY_ID is not set: let aws-actions/configure-aws-credentials export the credentials"
        ]
    );
}

#[test]
fn without_a_region_nothing_is_searched_for() {
    let began = Instant::now();
    let done = refused(|action| action.without("AWS_REGION").without("AWS_DEFAULT_REGION"));
    assert!(began.elapsed() < Duration::from_secs(2), "answered after {:?}", began.elapsed());
    assert_eq!(
        problems(&done),
        [
            "input region: missing: give the input, or set AWS_REGION (aws-actions/configure-aws-credentials does)"
        ]
    );
    let done = refused(|action| action.env("AWS_REGION", "mars"));
    assert_eq!(problems(&done), ["AWS_REGION: `mars` is not a region: write it like `eu-west-1`"]);
}

#[test]
fn several_problems_are_listed_at_once() {
    let done = refused(|action| {
        action
            .input("command", "deplyo")
            .input("timeout", "90")
            .input("allow-live", "yes")
            .input("image", "shop/Web:v1")
            .input("color", "gren")
            .input("desired-coumt", "3")
            .input("probes", "- {pth: /}")
            .without("AWS_REGION")
            .without("AWS_DEFAULT_REGION")
            .file(".github/blue-green.yml", "clster: shop\n")
    });
    assert_eq!(
        problems(&done),
        [
            "input desired-coumt: unknown input; did you mean `desired-count`?",
            "input command: `deplyo` is not one of `deploy`, `redirect-traffic`, `promote`, `rollback`, `status`, `doctor`; did you mean `deploy`?",
            ".github/blue-green.yml:1:1 clster: unknown key; did you mean `cluster`?",
            "input color: `gren` is not one of `idle`, `blue`, `green`, `develop`, `branch`; did you mean `green`?",
            "input image: `shop/Web:v1` is not an image: the repository `shop/Web` is not made of lower-case letters and digits, with `.`, `_`, `__`, `-` or `/` between them",
            "input allow-live: `yes` is not a boolean: write `true` or `false`",
            "input probes:1:4 [0].pth: unknown key; did you mean `path`?",
            "input probes:1:3 [0]: has no `path`: a probe needs one, such as `/healthz`",
            "input region: missing: give the input, or set AWS_REGION (aws-actions/configure-aws-credentials does)",
            "input timeout: `90` has no unit: write `90s` for seconds or `90m` for minutes",
        ]
    );
}

#[test]
fn invariant_32_no_value_of_a_variable_or_secret_is_shown() {
    let plants = [
        ("environment", "TOKEN: PLANTED\n  A: b"),
        ("environment", "- TOKEN=PLANTED"),
        ("environment", "TOKEN=PLANTED"),
        ("environment", "TOKEN=PLANTED: x y\nTOKEN=PLANTED: z"),
        ("environment", "TOKEN: [PLANTED]"),
        ("environment", "TOKEN: !PLANTED x"),
        ("environment", "\"TOKEN\": \"PLANTED"),
        ("environment", "PLANTED"),
        ("environment", "{TOKEN: PLANTED"),
        ("environment", "*PLANTED"),
        ("environment", "TOKEN: *PLANTED"),
        ("environment", "app: {TOKEN: {PLANTED: PLANTED}}"),
        ("secrets", "TOKEN: PLANTED!"),
        ("secrets", "TOKEN: arn:aws:s3:::PLANTED"),
        ("secrets", "TOKEN: PLANTED\nTOKEN: PLANTED"),
    ];
    for (name, value) in plants {
        let done = refused(|action| action.input(name, value));
        for (place, text) in [("log", &done.log), ("summary", &done.summary)] {
            assert!(!text.contains("PLANTED"), "{name} `{value}` is in the {place}:\n{text}");
        }
        assert!(!format!("{:?}", done.outputs).contains("PLANTED"), "{name} `{value}` is in an output");
        assert!(problems(&done)[0].starts_with(&format!("input {name}")), "{}", done.log);
    }
}
