//! Whole sets of inputs: what they mean, and every problem as the user reads it.

use crate::plan::compare::CompareSettings;
use std::io;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::action::env::Entry;
use crate::action::inputs::INPUTS;
use crate::plan::color::ServiceColor;
use crate::plan::definition::image::ImageRef;
use crate::plan::wanted::{
    DefinitionSource, DesiredCount, EnvChange, Hosts, Images, ListenerChoice, Probe, Protocol, Text,
    WantedColor,
};

/// A config file with one app.
const ONE_APP: &str = "\
cluster: shop
apps:
  web:
    blue: web-blue
    green: web-green
    develop: web-dev
    probes: [{ path: /healthz, contains: ok }]
branches: { main: idle, release/*: green, develop: develop }
";

/// A task definition; as JSON it is YAML, too.
const DEFINITION: &str = r#"{"family": "web", "containerDefinitions": [{"name": "app", "image": "web:v1"}]}"#;

/// The least that a deploy needs, without a config file.
const LEAST: [(&str, &str); 5] = [
    ("INPUT_COMMAND", "deploy"),
    ("INPUT_CLUSTER", "shop"),
    ("INPUT_BLUE-SERVICE", "web-blue"),
    ("INPUT_GREEN-SERVICE", "web-green"),
    ("AWS_REGION", "eu-west-1"),
];

/// Reads settings from variables and files.
fn read_with(
    variables: &[&[(&str, &str)]],
    files: &[(&str, &str)],
) -> Result<(Settings, Vec<InputWarning>), Vec<Problem>> {
    let env = Environment::new(Entry::Main, &variables.concat());
    read_inputs(&env, &|path: &Path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    })
}

/// What is wrong with the least set of inputs and these changes, one problem a line.
fn problems(changes: &[(&str, &str)]) -> String {
    told(read_with(&[&LEAST, changes], &[]))
}

/// The problems, one a line.
fn told(result: Result<(Settings, Vec<InputWarning>), Vec<Problem>>) -> String {
    result.unwrap_err().iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// The settings of a deploy with the least set of inputs and these changes.
fn deploy(changes: &[(&str, &str)]) -> DeploySettings {
    deploy_of(read_with(&[&LEAST, changes], &[]).unwrap().0)
}

/// The deploy in the settings.
fn deploy_of(settings: Settings) -> DeploySettings {
    match settings.command {
        Command::Deploy(deploy) => *deploy,
        other => panic!("{other:?}"),
    }
}

#[test]
fn inputs_alone_suffice_and_the_defaults_are_those_of_the_table() {
    let (settings, warnings) = read_with(&[&LEAST], &[]).unwrap();
    assert_eq!(warnings, []);
    let wanted = DeploySettings {
        image_left_empty: false,
        color: WantedColor::Idle,
        images: Images::None,
        definition: DefinitionSource::Current,
        environment: vec![],
        secrets: vec![],
        pin_digest: true,
        desired_count: None,
        allow_live: false,
        probes: vec![],
    };
    let place = AppPlace {
        cluster: "shop".to_owned(),
        blue: "web-blue".to_owned(),
        green: "web-green".to_owned(),
        develop: None,
        listener: None,
        hosts: Hosts::default(),
    };
    assert_eq!(
        settings,
        Settings {
            failure_logs: true,
            refuse_takes_back: false,
            command: Command::Deploy(Box::new(wanted)),
            place,
            app: None,
            scaling: None,
            region: "eu-west-1".to_owned(),
            role: None,
            allowed_account_ids: vec![],
            arns: vec![],
            plan_only: false,
            timeout: Duration::from_secs(1800),
            poll_interval: Duration::from_secs(5),
            on_cancel: OnCancel::Restore,
            compare: CompareSettings::OFF,
            split_probes: vec![],
            github: GithubSettings {
                token: None,
                comment: true,
                labels: true,
                deployments: true,
                pull_request: None,
                app: "web".to_owned(),
                style: crate::feedback::LabelStyle::default(),
                prefix: None,
                workflow: None,
            },
        }
    );
}

/// Settings with a value for every input.
fn everything() -> Settings {
    let digest = format!("web@sha256:{}", "0".repeat(64));
    let (settings, _) = read_with(
        &[
            &LEAST,
            &[
                ("INPUT_COLOR", "develop"),
                ("INPUT_DEVELOP-SERVICE", "web-dev"),
                ("INPUT_LISTENER", "HTTPS:443"),
                ("INPUT_IMAGE", &format!("app: {digest}\nproxy: envoy:v1\n")),
                ("INPUT_TASK-DEFINITION", "infra/web.yml"),
                ("INPUT_ENVIRONMENT", "A: x\napp:\n  B: ''\n  C: null\n"),
                (
                    "INPUT_SECRETS",
                    "D: /shop/d\nE: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:e-AbCdEf:key::'\n",
                ),
                ("INPUT_PIN-DIGEST", "False"),
                ("INPUT_DESIRED-COUNT", "match"),
                ("INPUT_ALLOW-LIVE", "TRUE"),
                ("INPUT_PROBES", "  - path: /a?b=c\n    status: 204\n  - { path: /, contains: ok }\n"),
                ("INPUT_PLAN-ONLY", "true"),
                ("INPUT_TIMEOUT", "1h30m"),
                ("INPUT_POLL-INTERVAL", "300ms"),
                ("INPUT_ON-CANCEL", "leave"),
                ("INPUT_REGION", "eu-central-1"),
                ("INPUT_ROLE-TO-ASSUME", "arn:aws:iam::123456789012:role/ci/deploy"),
                ("INPUT_ALLOWED-ACCOUNT-IDS", "123456789012"),
            ],
        ],
        &[("infra/web.yml", DEFINITION)],
    )
    .unwrap();
    settings
}

#[test]
fn everything_can_be_said_by_inputs() {
    let settings = everything();
    assert_eq!(
        settings.place.listener,
        Some(ListenerChoice::Port { protocol: Some(Protocol::Https), port: 443 })
    );
    assert_eq!(
        (settings.timeout, settings.poll_interval),
        (Duration::from_secs(5400), Duration::from_millis(300))
    );
    assert_eq!((settings.plan_only, settings.on_cancel), (true, OnCancel::Leave));
    assert_eq!(
        settings.role.as_ref().map(|role| role.arn.as_str()),
        Some("arn:aws:iam::123456789012:role/ci/deploy")
    );
    assert_eq!(settings.region, "eu-central-1");
    assert_eq!(settings.allowed_account_ids, ["123456789012"]);
    let deploy = deploy_of(settings);
    assert_eq!(deploy.color, WantedColor::Color(ServiceColor::Develop));
    let digest = format!("web@sha256:{}", "0".repeat(64));
    let image = |container: &str, image: &str| (container.to_owned(), ImageRef::parse(image).unwrap());
    assert_eq!(deploy.images, Images::PerContainer(vec![image("app", &digest), image("proxy", "envoy:v1")]));
    assert_eq!(deploy.definition, DefinitionSource::File(PathBuf::from("infra/web.yml")));
    let change = |container: Option<&str>, name: &str, value: Option<&str>| EnvChange {
        container: container.map(str::to_owned),
        name: name.to_owned(),
        value: value.map(Text::new),
    };
    assert_eq!(
        deploy.environment,
        [change(None, "A", Some("x")), change(Some("app"), "B", Some("")), change(Some("app"), "C", None)]
    );
    assert_eq!(deploy.secrets[0], change(None, "D", Some("/shop/d")));
    assert_eq!(deploy.secrets.len(), 2);
    assert_eq!((deploy.pin_digest, deploy.allow_live), (false, true));
    assert_eq!(deploy.desired_count, Some(DesiredCount::Match));
    let probe = |path: &str, status, contains: Option<&str>| Probe {
        path: path.to_owned(),
        status,
        contains: contains.map(str::to_owned),
    };
    assert_eq!(deploy.probes, [probe("/a?b=c", 204, None), probe("/", 200, Some("ok"))]);
}

#[test]
fn the_config_file_fills_in_and_the_inputs_override_it() {
    let files = [(".github/blue-green.yml", ONE_APP)];
    let least = [("INPUT_COMMAND", "deploy"), ("AWS_DEFAULT_REGION", "eu-west-1")];
    let (settings, _) = read_with(&[&least], &files).unwrap();
    assert_eq!((settings.place.cluster.as_str(), settings.app.as_deref()), ("shop", Some("web")));
    assert_eq!(settings.place.develop.as_deref(), Some("web-dev"));
    assert_eq!(deploy_of(settings).probes.len(), 1);
    let overrides = [("INPUT_GREEN-SERVICE", "other"), ("INPUT_PROBES", "[]"), ("INPUT_APP", "web")];
    let (settings, _) = read_with(&[&least, &overrides], &files).unwrap();
    assert_eq!((settings.place.blue.as_str(), settings.place.green.as_str()), ("web-blue", "other"));
    assert_eq!(deploy_of(settings).probes, []);
}

#[test]
fn probes_of_the_config_file_are_for_both_colors_only_while_steps_are_compared() {
    let files = [(".github/blue-green.yml", ONE_APP)];
    let probes = |more: &[(&str, &str)]| {
        let least = [("AWS_DEFAULT_REGION", "eu-west-1"), ("INPUT_TRAFFIC", "green")];
        let command = [("INPUT_COMMAND", "redirect-traffic")];
        read_with(&[&least, &command, more], &files).unwrap().0.split_probes.len()
    };
    assert_eq!(probes(&[("INPUT_STEPS", "20")]), 1);
    assert_eq!(probes(&[("INPUT_STEPS", "20"), ("INPUT_COMPARE", "off")]), 0);
    assert_eq!(probes(&[]), 0);
}

#[test]
fn all_problems_are_listed_at_once() {
    assert_eq!(
        told(read_with(
            &[&[("INPUT_COLOR", "gren"), ("INPUT_PLAN-ONLY", "yes"), ("INPUT_TIMEOUT", "30")]],
            &[]
        )),
        "input command: missing. What to do: `deploy`, `redirect-traffic`, `promote`, `rollback`, `status` or `doctor`.\n\
         input cluster: missing: give the input, or `cluster` in `.github/blue-green.yml`, which does not exist (is actions/checkout among the steps before?)\n\
         input blue-service: missing: give the input, or `apps.NAME.blue` in `.github/blue-green.yml`, which does not exist (is actions/checkout among the steps before?)\n\
         input green-service: missing: give the input, or `apps.NAME.green` in `.github/blue-green.yml`, which does not exist (is actions/checkout among the steps before?)\n\
         input color: `gren` is not one of `idle`, `blue`, `green`, `develop`, `branch`; did you mean `green`?\n\
         input region: missing: give the input, or set AWS_REGION (aws-actions/configure-aws-credentials does)\n\
         input plan-only: `yes` is not a boolean: write `true` or `false`\n\
         input timeout: `30` has no unit: write `30s` for seconds or `30m` for minutes"
    );
}

/// A set of changed variables, and what is said of them.
type Told<'a> = (&'a [(&'a str, &'a str)], &'a str);

/// Checks what is said of each change to the least set of inputs.
fn check(table: &[Told<'_>]) {
    for (changes, wanted) in table {
        assert_eq!(problems(changes), *wanted, "{changes:?}");
    }
}

/// The ARN of a cluster in another region.
const ELSEWHERE: &str = "arn:aws:ecs:us-east-1:123456789012:cluster/shop";

#[test]
fn a_wrong_place_is_told_in_words() {
    check(&[
        (
            &[("INPUT_GREEN-SERVICE", "web-blue")],
            "input green-service: `web-blue` is the blue service too: every color needs its own",
        ),
        (
            &[("INPUT_CLUSTER", ELSEWHERE)],
            "input cluster: `arn:aws:ecs:us-east-1:123456789012:cluster/shop` is in region `us-east-1`, but the region of this run is `eu-west-1`",
        ),
        (
            &[("INPUT_LISTENER", "TLS:443")],
            "input listener: `TLS` is not a protocol of an Application Load Balancer's listener: write `HTTP` or `HTTPS`",
        ),
        (
            &[("INPUT_APP", "web")],
            "input app: `web` can't be looked up: `.github/blue-green.yml` has no apps",
        ),
        (
            &[("INPUT_CONFIG", "x.yml")],
            "input config: `x.yml` does not exist: is actions/checkout among the steps before?",
        ),
    ]);
}

#[test]
fn a_wrong_image_or_definition_is_told_in_words() {
    check(&[
        (
            &[("INPUT_IMAGE", "app:shop/web:1")],
            "input image: `app:shop/web:1` is not an image: `app:shop` is not a registry's host name, with or without a port; for one container put a space after its colon: `app: shop/web:1`",
        ),
        (
            &[("INPUT_IMAGE", "Shop/web:1")],
            "input image: `Shop/web:1` is not an image: the repository `Shop/web` is not made of lower-case letters and digits, with `.`, `_`, `__`, `-` or `/` between them",
        ),
        (
            &[("INPUT_IMAGE", "app: 'web:'\nb c: web\n")],
            "input image:1:6 app: `web:` is not an image: the tag (empty) is not 1 to 128 of letters, digits, `_`, `.` and `-`, the first of them a letter, digit or `_`\ninput image:2:6 (key 2): is not the name of a container: it has only letters, digits, `-` and `_`",
        ),
        (
            &[("INPUT_IMAGE", "a b")],
            "input image:1:1: is text: one image is expected, or a mapping, `CONTAINER: IMAGE` a line",
        ),
        (&[("INPUT_IMAGE", "a: web\na: web")], "input image:2:1 a: the key is there twice"),
        (
            &[("INPUT_TASK-DEFINITION", "{\"family\": \"web\"}")],
            "input task-definition: holds text where the path of a file is expected: write it to a `.json` file first",
        ),
        (
            &[("INPUT_TASK-DEFINITION", "web:0")],
            "input task-definition: `web:0` is neither a `.json`, `.yml` or `.yaml` file, an ARN, `FAMILY` nor `FAMILY:REVISION`",
        ),
        (
            &[("INPUT_TASK-DEFINITION", ELSEWHERE)],
            "input task-definition: `arn:aws:ecs:us-east-1:123456789012:cluster/shop` is not the ARN of a task definition",
        ),
        (
            &[("INPUT_TASK-DEFINITION", "arn:aws:ecs:us-east-1:123456789012:task-definition/web:7")],
            "input task-definition: `arn:aws:ecs:us-east-1:123456789012:task-definition/web:7` is in region `us-east-1`, but the region of this run is `eu-west-1`",
        ),
    ]);
}

#[test]
fn a_wrong_input_of_deploy_is_told_in_words() {
    check(&[
        (
            &[("INPUT_COLOR", "develop")],
            "input color: `develop` has no service: give `develop-service`, or `apps.NAME.develop` in `.github/blue-green.yml`",
        ),
        (
            &[("INPUT_COLOR", "branch")],
            "input color: `branch` needs `branches` in `.github/blue-green.yml`, such as `branches: { main: idle }`",
        ),
        (
            &[("INPUT_DESIRED-COUNT", "two")],
            "input desired-count: `two` is not a count: write 1 to 5000, or `match`",
        ),
        (
            &[("INPUT_DESIRED-COUNT", "0")],
            "input desired-count: `0` leaves no task that could prove the version healthy: write 1 or more, or `match`",
        ),
        (&[("INPUT_PROBES", "/healthz")], "input probes:1:1: is text: a list is expected"),
        (
            &[("INPUT_PROBES", "- path: /\n  sttus: 200\n")],
            "input probes:2:3 [0].sttus: unknown key; did you mean `status`?",
        ),
        (
            &[("INPUT_PROBES", "- path: [")],
            "input probes:2:1: couldn't be read as YAML: a value is missing, or a bracket is not closed",
        ),
    ]);
}

#[test]
fn a_wrong_input_of_every_command_is_told_in_words() {
    check(&[
        (
            &[("INPUT_COMMAND", "deplyo")],
            "input command: `deplyo` is not one of `deploy`, `redirect-traffic`, `promote`, `rollback`, `status`, `doctor`; did you mean `deploy`?",
        ),
        (
            &[("INPUT_DESIRED-COUMT", "2")],
            "input desired-coumt: unknown input; did you mean `desired-count`?",
        ),
        (&[("INPUT_DRY-RUN", "yes")], "input dry-run: `yes` is not a boolean: write `true` or `false`"),
        (
            &[("INPUT_SERVICE", "web")],
            "input service: unknown input: a release has two services here: write `blue-service` and `green-service`",
        ),
        (
            &[("INPUT_AWS-REGION", "us-east-1"), ("INPUT_REGION", "eu-west-1")],
            "input aws-region: means the same as `region`, and the two differ: keep `region` alone",
        ),
        (&[("INPUT_POLL-INTERVAL", "61s")], "input poll-interval: `61s` is out of range: 100ms to 1m"),
        (&[("INPUT_TIMEOUT", "25h")], "input timeout: `25h` is out of range: 1ms to 24h"),
        (&[("INPUT_ON-CANCEL", "rollback")], "input on-cancel: `rollback` is not one of `restore`, `leave`"),
        (
            &[("INPUT_REGION", "eu-west-1b")],
            "input region: `eu-west-1b` is an availability zone: its region is `eu-west-1`",
        ),
        (&[("AWS_REGION", "Ireland")], "AWS_REGION: `Ireland` is not a region: write it like `eu-west-1`"),
        (
            &[("INPUT_ALLOWED-ACCOUNT-IDS", "1234")],
            "input allowed-account-ids: `1234` is not an account id: write 12 digits, several with commas",
        ),
        (
            &[("AWS_PROFILE", "prod")],
            "AWS_PROFILE: profiles of the runner don't exist in the action's container, and AWS_ACCESS_KEY_ID is not set: let aws-actions/configure-aws-credentials export the credentials",
        ),
    ]);
}

#[test]
fn a_profile_beside_keys_or_a_role_is_fine() {
    let role = ("INPUT_ROLE-TO-ASSUME", "arn:aws:iam::123456789012:role/deploy");
    for beside in [("AWS_ACCESS_KEY_ID", "AKIA"), role] {
        assert!(read_with(&[&LEAST, &[("AWS_PROFILE", "prod"), beside]], &[]).is_ok());
    }
}

#[test]
fn a_time_out_that_outlasts_exported_credentials_is_told() {
    let warned = |changes: &[(&str, &str)]| {
        let (_, warnings) = read_with(&[&LEAST, changes], &[]).unwrap();
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let (session, long) = (("AWS_SESSION_TOKEN", "x"), ("INPUT_TIMEOUT", "1h30m"));
    assert_eq!(
        warned(&[session, long]),
        "input timeout: 1h30m is longer than exported credentials last by default (1h), and nobody can renew them: \
         give `role-to-assume` here, or `role-duration-seconds` to the step that exports them"
    );
    assert_eq!(warned(&[long]), "");
    assert_eq!(warned(&[session, ("INPUT_TIMEOUT", "1h")]), "");
    assert_eq!(
        warned(&[session, long, ("INPUT_ROLE-TO-ASSUME", "arn:aws:iam::123456789012:role/deploy")]),
        ""
    );
}

#[test]
fn a_role_of_another_partition_or_account_is_refused_before_aws_is_asked() {
    let role = "arn:aws-cn:iam::123456789012:role/deploy";
    assert_eq!(
        problems(&[("INPUT_ROLE-TO-ASSUME", role), ("INPUT_ALLOWED-ACCOUNT-IDS", "210987654321")]),
        "input role-to-assume: the role is of the partition `aws-cn`, but the region `eu-west-1` is of `aws`\n\
         input role-to-assume: the role is in account `123456789012`; `allowed-account-ids` allows `210987654321`"
    );
    assert_eq!(
        problems(&[("INPUT_ROLE-TO-ASSUME", "deploy")]),
        "input role-to-assume: `deploy` is no ARN: write `arn:aws:iam::ACCOUNT_ID:role/deploy`, with the account's 12 digits"
    );
}

#[test]
fn invariant_32_no_environment_value_reaches_a_problem() {
    let told = problems(&[
        (
            "INPUT_ENVIRONMENT",
            "PORT: 8080\nDEBUG: true\nhunter2=x: hunter2\nLIST: [hunter2]\napp: {A B: hunter2}\nX: a\nX: hunter2\n",
        ),
        ("INPUT_SECRETS", "TOKEN: 'hunter2!'\nX: x\nY: arn:aws:s3:eu-west-1:123456789012:hunter2\n"),
    ]);
    assert_eq!(
        told,
        "input environment:7:1 X: the key is there twice\n\
         input environment:1:7 PORT: is a number where text is expected: write it in quotes, as in `PORT: \"…\"`\n\
         input environment:2:8 DEBUG: is a boolean where text is expected: write it in quotes, as in `DEBUG: \"…\"`\n\
         input environment:3:12 (key 3): is not the name of a variable: it has no `=` and no spaces\n\
         input environment:4:7 LIST: is a list where text is expected\n\
         input environment:5:12 app.(key 1): is not the name of a variable: it has no `=` and no spaces\n\
         input secrets:1:8 TOKEN: is neither the ARN of a Secrets Manager secret or SSM parameter nor a parameter's name; the secret itself does not belong here\n\
         input secrets:3:4 Y: is neither the ARN of a Secrets Manager secret or SSM parameter nor a parameter's name; the secret itself does not belong here\n\
         input secrets: `X` is set in `environment` too: keep one"
    );
    for text in [
        "hunter2",
        "- hunter2",
        "PASSWORD=hunter2",
        "A: [hunter2",
        "A: !hunter2 hunter2",
        "A: hunter2: b",
        "*hunter2",
    ] {
        for input in ["INPUT_ENVIRONMENT", "INPUT_SECRETS"] {
            let told = problems(&[(input, text)]);
            assert!(!told.contains("hunter2"), "{text}: {told}");
        }
    }
}

#[test]
fn several_apps_need_a_name() {
    let text = ONE_APP.replace("branches", "  api: { blue: a, green: b }\nbranches");
    let files = [(".github/blue-green.yml", text.as_str())];
    let least = [("INPUT_COMMAND", "status"), ("AWS_REGION", "eu-west-1")];
    assert_eq!(
        told(read_with(&[&least], &files)),
        "input app: missing: `.github/blue-green.yml` has several apps, name one of `web`, `api`"
    );
    assert_eq!(
        told(read_with(&[&least, &[("INPUT_APP", "wep")]], &files)),
        "input app: `.github/blue-green.yml` has no app `wep`, only `web`, `api`; did you mean `web`?"
    );
    assert_eq!(read_with(&[&least, &[("INPUT_APP", "api")]], &files).unwrap().0.place.blue, "a");
    let services = [("INPUT_BLUE-SERVICE", "x"), ("INPUT_GREEN-SERVICE", "y")];
    assert_eq!(read_with(&[&least, &services], &files).unwrap().0.place.green, "y");
}

#[test]
fn a_wrong_config_file_is_told_without_what_follows_from_it() {
    let files = [("x.yml", "cluster: shop\napps: { web: { blue: b, gren: g } }\n")];
    let changes = [
        ("INPUT_COMMAND", "deploy"),
        ("AWS_REGION", "eu-west-1"),
        ("INPUT_CONFIG", "x.yml"),
        ("INPUT_COLOR", "branch"),
    ];
    assert_eq!(
        told(read_with(&[&changes], &files)),
        "x.yml:2:25 apps.web.gren: unknown key; did you mean `green`?"
    );
    let files = [("x.yml", "apps: { web: { blue: b } }\n")];
    assert_eq!(
        told(read_with(&[&changes[..3]], &files)),
        "input cluster: missing: give the input, or `cluster` in `x.yml`\n\
         input green-service: missing: give the input, or `apps.web.green` in `x.yml`"
    );
}

#[test]
fn the_branch_decides_the_color() {
    let event = |repository: &str| {
        format!("{{\"pull_request\":{{\"head\":{{\"repo\":{{\"full_name\":\"{repository}\"}}}}}}}}")
    };
    let (own, fork) = (event("octo/shop"), event("evil/shop"));
    let files = [(".github/blue-green.yml", ONE_APP), ("/own.json", &own), ("/fork.json", &fork)];
    let least = [
        ("INPUT_COMMAND", "deploy"),
        ("INPUT_COLOR", "branch"),
        ("AWS_REGION", "eu-west-1"),
        ("GITHUB_REPOSITORY", "octo/shop"),
    ];
    let read = |changes: &[(&str, &str)]| read_with(&[&least, changes], &files);
    let color = |changes: &[(&str, &str)]| deploy_of(read(changes).unwrap().0).color;
    assert_eq!(color(&[("GITHUB_REF_NAME", "main"), ("GITHUB_REF_TYPE", "branch")]), WantedColor::Idle);
    assert_eq!(color(&[("GITHUB_REF_NAME", "develop")]), WantedColor::Color(ServiceColor::Develop));
    let pull = [
        ("GITHUB_REF_NAME", "7/merge"),
        ("GITHUB_HEAD_REF", "release/2"),
        ("GITHUB_EVENT_PATH", "/own.json"),
    ];
    assert_eq!(color(&pull), WantedColor::Color(ServiceColor::Green));
    let table: &[(&[(&str, &str)], &str)] = &[
        (
            &[("GITHUB_REF_NAME", "fix")],
            "no pattern of `branches` in `.github/blue-green.yml` fits the branch `fix`, only `main`, `release/*`, `develop`",
        ),
        (
            &[("GITHUB_REF_NAME", "v1"), ("GITHUB_REF_TYPE", "tag")],
            "no pattern of `branches` in `.github/blue-green.yml` fits the tag `v1`: a pattern for tags begins with `refs/tags/`, such as `refs/tags/v*: idle`",
        ),
        (&[], "`branch` can't be used: GITHUB_REF_NAME is not set"),
        (
            &[("GITHUB_HEAD_REF", "main"), ("GITHUB_EVENT_PATH", "/fork.json")],
            "`branch` can't be used: the pull request is from `evil/shop`, and `branches` is for branches of `octo/shop`",
        ),
        (
            &[("GITHUB_HEAD_REF", "main")],
            "`branch` can't be used: the event does not say which repository the pull request is from",
        ),
    ];
    for (changes, wanted) in table {
        assert_eq!(told(read(changes)), format!("input color: {wanted}"));
    }
}

#[test]
fn status_reads_only_its_own_inputs_and_says_so() {
    let changes = [
        ("INPUT_COMMAND", "status"),
        ("INPUT_IMAGE", "???"),
        ("INPUT_PIN-DIGEST", "true"),
        ("INPUT_STAGES", "3"),
    ];
    let (settings, warnings) = read_with(&[&LEAST, &changes], &[]).unwrap();
    assert_eq!(settings.command, Command::Status);
    let warnings: Vec<String> = warnings.iter().map(InputWarning::to_string).collect();
    assert_eq!(
        warnings,
        ["input stages: unknown input, ignored", "input image: `status` does not use it, ignored"]
    );
}

#[test]
fn variables_are_as_they_were_written_or_refused() {
    let said = |input: &str, value: &str| {
        let name = format!("INPUT_{}", input.to_uppercase());
        problems(&[(name.as_str(), value)])
    };
    let remove = "or `A: null` to remove the variable";
    let nothing = format!("has no value: write `A: \"\"` for an empty value, {remove}");
    for input in ["environment", "secrets"] {
        assert_eq!(said(input, "A:"), format!("input {input}:1:3 A: {nothing}"));
        assert_eq!(said(input, "web:\n  A:\n"), format!("input {input}:2:5 web.A: {nothing}"));
        assert_eq!(
            said(input, "{A: ~, B: c}"),
            format!("input {input}:1:5 A: `~` means null in YAML: write `A: \"~\"` for the text, {remove}")
        );
        assert_eq!(
            said(input, "B: c\nA: #fff\n"),
            format!(
                "input {input}:2:3 A: has no value, because YAML takes what begins with `#` for a comment: write `A: \"#…\"`, {remove}"
            )
        );
        for first in ["&", "*", "%", "@"] {
            let told = said(input, &format!("B: &x c\nA: {first}x\n"));
            let what = format!(
                "a value that begins with `{first}` must be in quotes in YAML, as in `A: \"{first}…\"`"
            );
            assert!(told.contains(&what), "{told}");
        }
    }
    let colon = "couldn't be read as YAML: a value with a colon before a space or at its end must be in quotes in YAML, as in";
    assert_eq!(said("environment", "A: b: c"), format!("input environment:1:5: {colon} `A: \"…\"`"));
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-x:password::";
    assert_eq!(said("secrets", &format!("A: {arn}")), format!("input secrets:1:71: {colon} `A: \"arn:…\"`"));
    let flow = "{\"A\": \"b\", C: d, E:\n  f g\n  , 'H' : 'i', J: \"k\" }";
    assert_eq!(deploy(&[("INPUT_ENVIRONMENT", flow)]).environment.len(), 5);
    let good = "A: \"\"\nB: null\nC: 'a #b'\nD: a#b # why\nE: ~/bin\nF: |\n  A:\nG: # why\n  a!&*, b] }\nH: \"\\\"'\"\n\
                I:\n  null\nJ: a\u{a0}\nK: >-\n  a\n  b\n";
    let good = [("INPUT_ENVIRONMENT", good)];
    let Command::Deploy(deploy) = read_with(&[&LEAST, &good], &[]).unwrap().0.command else {
        panic!("deploy")
    };
    let values: Vec<_> =
        deploy.environment.iter().map(|change| change.value.as_ref().map(Text::reveal)).collect();
    assert_eq!(
        values,
        [
            Some(""),
            None,
            Some("a #b"),
            Some("a#b"),
            Some("~/bin"),
            Some("A:\n"),
            Some("a!&*, b] }"),
            Some("\"'"),
            None,
            Some("a\u{a0}"),
            Some("a b")
        ]
    );
}

#[test]
fn a_value_that_yaml_changes_is_refused_in_every_form() {
    let said = |input: &str, value: &str| {
        let name = format!("INPUT_{}", input.to_uppercase());
        problems(&[(name.as_str(), value)])
    };
    let first =
        |sign| format!("a value that begins with `{sign}` must be in quotes in YAML, as in `A: \"{sign}…\"`");
    let joined = "the value goes on in the next line, and YAML joins lines by a space: write `A: \"…\"` in one line, or `A: |` above the lines";
    let cut =
        "YAML takes the part from ` #` on for a comment: write `A: \"…\"`, or a space after `#` if it is one";
    for (written, what) in [
        ("A: !!PLANTED", first('!')),
        ("A: !!x PLANTED", first('!')),
        ("A: !<x> PLANTED", first('!')),
        ("A:\n  &x PLANTED", first('&')),
        ("A: # why\n\n  # why\n  !!x PLANTED", first('!')),
        ("A:\n  PLANTED #word", cut.to_owned()),
        ("A: PLANTED\n  rest", joined.to_owned()),
        ("A:\n  PLANTED\n  rest", joined.to_owned()),
        ("A: 'PLANTED\n  rest'", joined.to_owned()),
        ("A: \"PLANTED\\\"\n  rest\"", joined.to_owned()),
        ("{A: PLANTED\n  rest}", joined.to_owned()),
        ("? A\n: &x PLANTED", "YAML may have changed the value: write the line as `A: \"…\"`".to_owned()),
    ] {
        for input in ["environment", "secrets"] {
            let said = said(input, written);
            assert!(
                said.ends_with(&format!(" A: {what}")) && !said.contains("PLANTED"),
                "{written:?}: {said}"
            );
        }
    }
    let tag = "couldn't be read as YAML: a tag such as `!Ref` is not supported here; text that begins with `!` must be in quotes";
    for core in ["null", "bool", "int", "float"] {
        assert_eq!(
            said("environment", &format!("A: !!{core} PLANTED")),
            format!("input environment:1:4: {tag}")
        );
    }
    assert_eq!(said("secrets", "A: !!null"), format!("input secrets:1:4: {tag}"));
    let secret = said("environment", "PASSWORD:\n  s3cr$et:\n");
    assert_eq!(
        secret,
        "input environment:2:11 PASSWORD.(key 1): has no value: write `NAME: \"\"` for an empty value, or `NAME: null` to remove the variable"
    );
    let empty = "has no variables: leave it out; for the text write `FEATURES: \"{}\"`";
    assert_eq!(said("environment", "FEATURES: {}"), format!("input environment:1:11 FEATURES: {empty}"));
}

#[test]
fn an_empty_image_that_changes_nothing_is_noticed() {
    let empty = |changes: &[(&str, &str)]| {
        let Command::Deploy(deploy) = read_with(&[&LEAST, changes], &[]).unwrap().0.command else { panic!() };
        deploy.image_left_empty
    };
    assert!(empty(&[("INPUT_IMAGE", "")]));
    assert!(empty(&[("INPUT_IMAGE", " "), ("INPUT_DESIRED-COUNT", "")]));
    for none in ["{ }", "# web: 1\n# api: 2", "{} # none"] {
        assert!(empty(&[("INPUT_IMAGE", none)]), "{none}");
        assert_eq!(deploy(&[("INPUT_IMAGE", none)]).images, Images::None);
        assert!(!empty(&[("INPUT_IMAGE", none), ("INPUT_ENVIRONMENT", "A: b")]), "{none}");
    }
    for other in ["INPUT_DESIRED-COUNT", "INPUT_IMAGE"] {
        assert!(!empty(&[("INPUT_IMAGE", ""), (other, "2")]), "{other}");
    }
    assert!(!empty(&[("INPUT_IMAGE", ""), ("INPUT_ENVIRONMENT", "A: b")]));
    assert!(!empty(&[("INPUT_IMAGE", ""), ("INPUT_TASK-DEFINITION", "web:7")]));
    assert!(!empty(&[]));
}

#[test]
fn control_characters_in_credentials_and_regions_are_refused_by_name() {
    let what = "holds a line break or another control character: store the value again without it";
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"] {
        for value in ["PLANTED\n", "PLAN\u{1}TED", "\u{7f}PLANTED"] {
            assert_eq!(problems(&[(name, value)]), format!("{name}: {what}"));
        }
    }
    assert_eq!(
        problems(&[("INPUT_TOKEN", "PLAN\nTED")]),
        "input token: is not a token: it holds spaces, line breaks or letters outside of ASCII"
    );
    assert!(problems(&[("INPUT_REGION", "eu-west-1\u{1}")]).starts_with("input region: "));
}

#[test]
fn a_file_that_the_container_can_not_see_is_told_with_what_to_write() {
    let repository = ("GITHUB_REPOSITORY", "acme/shop");
    let said = |path: &str| problems(&[repository, ("INPUT_TASK-DEFINITION", path)]);
    let outside = "is outside the workspace, which is all that a container action sees of the runner's files";
    assert_eq!(
        said("/home/runner/work/_temp/task-definition--1-x.json"),
        format!(
            "input task-definition: `/home/runner/work/_temp/task-definition--1-x.json` {outside}: copy it into the workspace in a step before this one, and write its path from there, such as `task-definition--1-x.json`. If amazon-ecs-render-task-definition wrote it, leave that step out: the inputs `image` and `environment` do the same"
        )
    );
    assert_eq!(
        said("/home/runner/work/shop/shop/deploy/task.json"),
        "input task-definition: `/home/runner/work/shop/shop/deploy/task.json` does not exist for a container action, which has the workspace at another path: write `deploy/task.json`"
    );
    assert!(said("../task.json").contains(outside));
    assert_eq!(
        said("file://task.json"),
        "input task-definition: write the path without `file://`: `task.json`"
    );
    assert!(matches!(definition_of("task.JSON"), DefinitionSource::File(_)));
}

/// What the input `task-definition` is read as.
fn definition_of(value: &str) -> DefinitionSource {
    let files = [(value, DEFINITION)];
    let settings = read_with(&[&LEAST, &[("INPUT_TASK-DEFINITION", value)]], &files).unwrap().0;
    let Command::Deploy(deploy) = settings.command else { panic!("deploy") };
    deploy.definition
}

#[test]
fn inputs_under_names_of_other_tools_count() {
    let read = |changes: &[(&str, &str)]| read_with(&[&LEAST, changes], &[]).unwrap().0;
    for name in ["INPUT_DRY-RUN", "INPUT_DRY_RUN", "INPUT_NOOP"] {
        assert!(read(&[(name, "true"), ("INPUT_PLAN-ONLY", "false")]).plan_only, "{name}");
        assert!(!read(&[(name, "false"), ("INPUT_PLAN-ONLY", "false")]).plan_only, "{name}");
    }
    assert_eq!(read(&[("INPUT_AWS-REGION", "us-east-1")]).region, "us-east-1");
}

#[test]
fn definitions_are_files_arns_or_families() {
    let arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7";
    for (value, wanted) in [
        ("task.json", DefinitionSource::File(PathBuf::from("task.json"))),
        ("/a/b.yaml", DefinitionSource::File(PathBuf::from("/a/b.yaml"))),
        ("web", DefinitionSource::Named("web".to_owned())),
        ("web:7", DefinitionSource::Named("web:7".to_owned())),
        (arn, DefinitionSource::Named(arn.to_owned())),
    ] {
        let input: &[(&str, &str)] = &[("INPUT_TASK-DEFINITION", value)];
        let (settings, _) = read_with(&[&LEAST, input], &[(value, DEFINITION)]).unwrap();
        assert_eq!(deploy_of(settings).definition, wanted);
    }
    assert_eq!(deploy(&[("INPUT_DESIRED-COUNT", "5000")]).desired_count, Some(DesiredCount::Count(5000)));
    let one = deploy(&[("INPUT_IMAGE", " web:1 ")]).images;
    assert_eq!(one, Images::One(ImageRef::parse("web:1").unwrap()));
}

#[test]
fn a_task_definition_file_is_checked_with_the_inputs_but_not_by_the_post_step() {
    let input: &[(&str, &str)] = &[("INPUT_TASK-DEFINITION", "task.json"), ("INPUT_TIMEOUT", "90")];
    let file =
        r#"{"family": "web", "cpu": 256, "containerDefinitions": [{"name": "app", "image": "web:v1"}]}"#;
    assert_eq!(
        told(read_with(&[&LEAST, input], &[("task.json", file)])),
        "task.json: cpu: must be text, found a number; write the task's cpu in quotes: \"256\"\n\
         input timeout: `90` has no unit: write `90s` for seconds or `90m` for minutes"
    );
    assert_eq!(
        problems(&input[..1]),
        "input task-definition: `task.json` does not exist: is actions/checkout among the steps before?"
    );
    let env = Environment::new(Entry::Post, &[&LEAST, &input[..1]].concat());
    assert!(read_inputs(&env, &|_| Err(io::Error::from(io::ErrorKind::NotFound))).is_ok());
}

#[test]
fn every_input_of_the_table_is_read() {
    for input in INPUTS {
        let variable = format!("INPUT_{}", input.name.to_uppercase());
        let told = problems(&[("INPUT_COMMAND", input.commands[0].word()), (&variable, "{?? nonsense")]);
        assert!(told.contains(&format!("input {}", input.name)), "{}: {told}", input.name);
    }
}

proptest! {
    #[test]
    fn no_text_panics(index in 0..INPUTS.len(), text in "(?s).{0,40}|[a-z0-9:/.@ \n{}\\[\\],\\-]{0,40}") {
        let variable = format!("INPUT_{}", INPUTS[index].name.to_uppercase());
        let command = INPUTS[index].commands[0].word();
        let changes = [("INPUT_COMMAND", command), (variable.as_str(), text.as_str())];
        let _ = read_with(&[&LEAST, &changes], &[(".github/blue-green.yml", &text)]);
    }
}
