//! The table of inputs and outputs: the source of `action.yml`, of the tables in docs/reference.md, and of validation.

use super::env::{Environment, PREFIX};
use super::other_tools;
use crate::config::kinds::list_values;
use crate::plan::problem::Problem;
use crate::plan::suggestion::edit_distance;
use crate::plan::suggestion::nearest_word;

/// The commands, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandName {
    /// `deploy`.
    Deploy,
    /// `redirect-traffic`.
    RedirectTraffic,
    /// `promote`.
    Promote,
    /// `rollback`.
    Rollback,
    /// `status`.
    Status,
}

/// The words of the input `command`.
pub(crate) const COMMANDS: [(&str, CommandName); 5] = [
    ("deploy", CommandName::Deploy),
    ("redirect-traffic", CommandName::RedirectTraffic),
    ("promote", CommandName::Promote),
    ("rollback", CommandName::Rollback),
    ("status", CommandName::Status),
];

impl CommandName {
    /// The word in the input `command`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            CommandName::Deploy => "deploy",
            CommandName::RedirectTraffic => "redirect-traffic",
            CommandName::Promote => "promote",
            CommandName::Rollback => "rollback",
            CommandName::Status => "status",
        }
    }

    /// The command in the input `command`, or the closest command to a misspelt word, so all problems with its inputs
    /// are reported at once; otherwise `deploy`.
    pub(crate) fn meant(env: &Environment) -> Self {
        let word = env.input("command").unwrap_or_default();
        let suggestion = nearest_word(word, COMMANDS.map(|(word, _)| word));
        let found = COMMANDS.into_iter().find(|(word, _)| Some(*word) == suggestion);
        found.map_or(CommandName::Deploy, |(_, name)| name)
    }
}

/// An input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    /// The name in `action.yml`.
    pub(crate) name: &'static str,
    /// The commands with this input.
    pub(crate) commands: &'static [CommandName],
    /// The default; empty if there is none. The runner passes a default like a given value.
    pub(crate) default: &'static str,
    /// Defaults that differ between the commands, unknown to the runner.
    pub(crate) defaults: &'static [(&'static [CommandName], &'static str)],
    /// The commands that require the input. The runner does not check this, but the action does.
    pub(crate) required: &'static [CommandName],
    /// Message for a missing input; if empty, the input's documentation.
    missing: &'static str,
    /// One line for `action.yml` and docs/reference.md.
    pub(crate) what: &'static str,
}

impl Input {
    /// Sets defaults that differ between the commands.
    const fn default_by(mut self, defaults: &'static [(&'static [CommandName], &'static str)]) -> Self {
        self.defaults = defaults;
        self
    }

    /// Sets the commands that require the input, and the message for a missing input.
    const fn required_by(mut self, commands: &'static [CommandName], missing: &'static str) -> Self {
        self.required = commands;
        self.missing = missing;
        self
    }

    /// The default for this command; empty if there is none.
    fn default_of(&self, command: CommandName) -> &'static str {
        let own = self.defaults.iter().find(|(commands, _)| commands.contains(&command));
        own.map_or(self.default, |(_, value)| value)
    }
}

/// Every command.
const ALL: &[CommandName] = &[
    CommandName::Deploy,
    CommandName::RedirectTraffic,
    CommandName::Promote,
    CommandName::Rollback,
    CommandName::Status,
];
/// Deploy alone.
const DEPLOY: &[CommandName] = &[CommandName::Deploy];
/// Every command but deploy.
const NOT_DEPLOY: &[CommandName] =
    &[CommandName::RedirectTraffic, CommandName::Promote, CommandName::Rollback, CommandName::Status];
/// Redirect-traffic alone.
const REDIRECT: &[CommandName] = &[CommandName::RedirectTraffic];
/// Promote alone.
const PROMOTE: &[CommandName] = &[CommandName::Promote];
/// The commands that move traffic as approved, in steps if wanted.
const STEPPED: &[CommandName] = &[CommandName::RedirectTraffic, CommandName::Promote];
/// The commands that move traffic at once if users get errors.
const FORCED: &[CommandName] = &[CommandName::RedirectTraffic, CommandName::Rollback];
/// The commands that move traffic.
const TRAFFIC: &[CommandName] = &[CommandName::RedirectTraffic, CommandName::Promote, CommandName::Rollback];
/// The commands with a color.
const COLORED: &[CommandName] = &[CommandName::Deploy, CommandName::Promote, CommandName::Rollback];

/// An optional input.
const fn optional_input(
    name: &'static str,
    commands: &'static [CommandName],
    default: &'static str,
    what: &'static str,
) -> Input {
    Input { name, commands, default, defaults: &[], required: &[], missing: "", what }
}

/// Message if promote lacks a color: a guessed color might be untested.
const PROMOTED: &str = "Write the color that was proven, `blue` or `green`: `${{ steps.deploy.outputs.color }}` after a deploy with the id `deploy`.";

/// Every input, in the order of the documentation.
pub(crate) const INPUTS: &[Input] = &[
    optional_input("command", ALL, "", "What to do: `deploy`, `redirect-traffic`, `promote`, `rollback` or `status`.")
        .required_by(ALL, ""),
    optional_input("cluster", ALL, "", "Name or ARN of the ECS cluster. Overrides `cluster` in the config file."),
    optional_input(
        "blue-service",
        ALL,
        "",
        "Name or ARN of the blue ECS service. Overrides `blue` of the app in the config file.",
    ),
    optional_input(
        "green-service",
        ALL,
        "",
        "Name or ARN of the green ECS service. Overrides `green` of the app in the config file.",
    ),
    optional_input(
        "develop-service",
        ALL,
        "",
        "Name or ARN of an optional third ECS service that never takes production traffic. Overrides `develop` of the app in the config file.",
    ),
    optional_input("app", ALL, "", "Which app of the config file is meant, where it has several."),
    optional_input(
        "config",
        ALL,
        ".github/blue-green.yml",
        "Path of the config file. The default file may be missing when the inputs say enough.",
    ),
    optional_input(
        "listener",
        ALL,
        "",
        "The production listener, where it can't be discovered: an ARN, a port, or `PROTOCOL:PORT`.",
    ),
    optional_input(
        "color",
        COLORED,
        "",
        "For deploy, where to: `idle`, `blue`, `green`, `develop`, or `branch` to look the branch up in the config file. For promote, the color that was proven, `blue` or `green`, such as the output `color` of the deploy. For rollback, where to send users, `blue` or `green`; without it, to the color that has none.",
    )
    .default_by(&[(DEPLOY, "idle")])
    .required_by(PROMOTE, PROMOTED),
    optional_input(
        "image",
        DEPLOY,
        "",
        "The image to deploy, or a YAML mapping `CONTAINER: IMAGE` for several containers. Without it the task definition's images stay.",
    ),
    optional_input(
        "task-definition",
        DEPLOY,
        "",
        "What to start from: a `.json`, `.yml` or `.yaml` file, an ARN, `FAMILY` or `FAMILY:REVISION`. Without it, the one that the service runs.",
    ),
    optional_input(
        "environment",
        DEPLOY,
        "",
        "Environment variables to set, as a YAML mapping `NAME: text`, or `CONTAINER: {NAME: text}`. `null` removes a variable. Values are never shown.",
    ),
    optional_input(
        "secrets",
        DEPLOY,
        "",
        "Secrets to set, as `environment`, with the ARN of a Secrets Manager secret or SSM parameter, or a parameter's name, as the value.",
    ),
    optional_input(
        "pin-digest",
        DEPLOY,
        "true",
        "Whether an ECR image's tag is replaced by its digest in the task definition.",
    ),
    optional_input(
        "desired-count",
        DEPLOY,
        "",
        "How many tasks the color gets: a number, or `match` for as many as the live color. Without it, the service's count stays, at least 1. A color that serves users keeps at least the tasks that it has.",
    ),
    optional_input(
        "allow-live",
        DEPLOY,
        "false",
        "Whether a color that serves users may be deployed to, as a rolling update.",
    ),
    optional_input(
        "probes",
        DEPLOY,
        "",
        "Requests through the test listener that must pass, as a YAML list of `{path: /healthz, status: 200, contains: ok}`. Overrides `probes` of the app in the config file.",
    ),
    optional_input(
        "traffic",
        REDIRECT,
        "",
        "Where to send users: `blue`, `blue-80`, `split`, `green-80`, `green`, or `BLUE/GREEN` such as `95/5`.",
    )
    .required_by(REDIRECT, ""),
    optional_input(
        "steps",
        STEPPED,
        "",
        "Shares in percent to hold on the way, of the color that gains users, such as `20, 50, 80`. Without it, the traffic moves at once.",
    ),
    optional_input("bake-time", STEPPED, "5m", "How long each of `steps` is held."),
    optional_input(
        "rollback-alarms",
        STEPPED,
        "",
        "CloudWatch alarms that send users back while `steps` are held: names or ARNs, with commas, a line each, or as a YAML list. Overrides `rollback-alarms` of the app in the config file, which is for runs with `steps`.",
    ),
    optional_input(
        "scale-up",
        TRAFFIC,
        "true",
        "Whether a color with too few healthy tasks for its share is scaled up first. If not, such a change is refused.",
    ),
    optional_input(
        "force",
        FORCED,
        "false",
        "For when users are already failing: whether one healthy target is enough to move the traffic now, while the color scales up.",
    ),
    optional_input(
        "adopt",
        TRAFFIC,
        "false",
        "Whether a color's target group is brought into a production rule that holds only the other one.",
    ),
    optional_input(
        "mode",
        PROMOTE,
        "swap",
        "How to promote: `swap` makes the color production, `copy` brings the other color's version to it.",
    ),
    optional_input(
        "idle-count",
        PROMOTE,
        "",
        "How many tasks the color without users keeps: 0 to 5000. Without it 1, or `idle-min` where the config has `scaling`.",
    ),
    optional_input(
        "settle",
        TRAFFIC,
        "120s",
        "How long a color carries all users before anything may be scaled in, up to `1h`.",
    ),
    optional_input(
        "max-drain",
        PROMOTE,
        "10m",
        "How long to wait at most for users whom stickiness keeps on the other color, up to `24h`.",
    ),
    optional_input(
        "per-color",
        PROMOTE,
        "",
        "For `mode: copy`, names of environment variables that each color keeps as its own, with commas, a line each, or as a YAML list.",
    ),
    optional_input(
        "expect-task-definition",
        STEPPED,
        "",
        "The task definition that was approved, as an ARN or `FAMILY:REVISION`. Where another one runs, nothing is changed.",
    ),
    optional_input("plan-only", ALL, "false", "Whether to print the plan and write nothing."),
    optional_input("timeout", ALL, "30m", "How long to wait at most, such as `90s`, `30m` or `1h30m`: for a deployment until it is healthy and old tasks have drained; before each change of the split for AWS and for healthy targets. Bakes, `settle`, `max-drain` and the restore after a failure come on top; the plan says which `timeout-minutes` the job needs."),
    optional_input("poll-interval", ALL, "5s", "How long to wait between two looks at AWS, from `100ms` to `60s`."),
    optional_input(
        "on-cancel",
        ALL,
        "",
        "What a cancelled run does: `restore` what it changed, or `leave` it.",
    )
    .default_by(&[(DEPLOY, "restore"), (NOT_DEPLOY, "leave")]),
    optional_input(
        "token",
        ALL,
        "${{ github.token }}",
        "The token for what is shown on GitHub. It needs `pull-requests: write`, `deployments: write` and `statuses: write`.",
    ),
    optional_input("comment", ALL, "true", "Whether the pull request has one comment that is kept up to date."),
    optional_input(
        "labels",
        ALL,
        "true",
        "Whether pull requests have labels that say what runs where, such as `web-1a2b3c4d traffic: blue` and `web-1a2b3c4d deployed: green`.",
    ),
    optional_input(
        "deployments",
        ALL,
        "true",
        "Whether a deploy is a deployment on GitHub too, with a commit status `ecs-blue-green/APP REGION HASH`.",
    ),
    optional_input(
        "pull-request",
        ALL,
        "",
        "The number of the pull request. Without it, the one that the event or the commit belongs to.",
    ),
    optional_input(
        "region",
        ALL,
        "",
        "The AWS region. Without it, `AWS_REGION` or `AWS_DEFAULT_REGION` of the environment.",
    ),
    optional_input(
        "role-to-assume",
        ALL,
        "",
        "ARN of the IAM role to assume by the job's id token, which needs the permission `id-token: write`. Its credentials are renewed as long as the run lasts. Without it, the credentials of the environment.",
    ),
    optional_input(
        "allowed-account-ids",
        ALL,
        "",
        "The only AWS accounts to work in, 12 digits each, with commas. Without it, any.",
    ),
];

/// An output.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// The name in `action.yml`.
    pub(crate) name: &'static str,
    /// One line for `action.yml` and docs/reference.md.
    pub(crate) what: &'static str,
}

/// Every output, in the order of the documentation. A failed run also writes all known outputs.
#[cfg(test)]
pub(crate) const OUTPUTS: &[Output] = &[
    Output {
        name: "result",
        what: "How the run ended: `succeeded`, `unchanged`, `planned`, `refused`, `failed`, `superseded` or `cancelled`.",
    },
    Output { name: "reason", what: "Why the run did not succeed, in one word for machines." },
    Output {
        name: "left",
        what: "What a run that did not succeed left behind: `untouched`, `restored`, `changed` or `unknown`.",
    },
    Output { name: "color", what: "The color that the command worked on." },
    Output {
        name: "live-color",
        what: "The color that serves users: `blue`, `green` or `both`; empty where it is not known.",
    },
    Output {
        name: "traffic",
        what: "The split of the production traffic: `blue`, `blue-80`, `split`, `green-80`, `green`, or `BLUE/GREEN` such as `95/5`. Empty where it is not known: the rules hold different splits, or could not be read at the end.",
    },
    Output {
        name: "previous-traffic",
        what: "The split before a change of traffic; empty where the rules held different ones.",
    },
    Output { name: "task-definition-arn", what: "The task definition that the color runs now." },
    Output {
        name: "previous-task-definition-arn",
        what: "The task definition that the color ran before; of a promote by swap, the one that production ran.",
    },
    Output {
        name: "attempted-task-definition-arn",
        what: "The task definition that this run brought to the color, also if the run then restored the color.",
    },
    Output { name: "image", what: "The image that the color runs now." },
    Output { name: "ecs-deployment-id", what: "The id of the ECS deployment." },
    Output { name: "production-url", what: "Where users reach the live color." },
    Output { name: "test-url", what: "Where the color is reached without production traffic." },
    Output { name: "comment-url", what: "The comment on the pull request." },
    Output { name: "duration-seconds", what: "How long the run took, in whole seconds." },
    Output { name: "status-json", what: "The state of the colors and their traffic, as JSON." },
];

/// Required inputs of this command without a value, each with advice. The runner does not check this.
pub(crate) fn missing_inputs(env: &Environment, command: CommandName) -> Vec<Problem> {
    let missing = |input: &&Input| input.required.contains(&command) && env.input(input.name).is_none();
    let said = |input: &Input| if input.missing.is_empty() { input.what } else { input.missing };
    INPUTS
        .iter()
        .filter(missing)
        .map(|input| Problem::new(format!("input {}", input.name), format!("missing. {}", said(input))))
        .collect()
}

/// The default of an input for this command; empty if there is none.
pub(crate) fn default_value(name: &str, command: CommandName) -> &'static str {
    INPUTS.iter().find(|input| input.name == name).map_or("", |input| input.default_of(command))
}

/// Variables from `with` of a container action that the runner itself uses, and passes on.
const OF_THE_RUNNER: [&str; 2] = ["INPUT_ARGS", "INPUT_ENTRYPOINT"];

/// Unknown inputs. The runner would only warn about such inputs and lose their values: a `dry-run` would deploy. All
/// are refused. A read-only command refuses only misspelt inputs; the second list has the others.
pub(crate) fn unknown_inputs(env: &Environment, command: CommandName) -> (Vec<Problem>, Vec<Problem>) {
    let (mut refused, mut ignored) = (Vec::new(), Vec::new());
    for variable in env.input_variables() {
        let name = variable.trim_start_matches(PREFIX).to_lowercase();
        let known = INPUTS.iter().any(|input| input.name == name) || other_tools::is_accepted(&name);
        if OF_THE_RUNNER.contains(&variable) || known {
            continue;
        }
        let place = format!("input {}", crate::action::commands::strip_control_chars(&name));
        let writes = command != CommandName::Status;
        match (other_tools::input_advice(&name), nearest_input(&name)) {
            (None, Some(suggestion)) => {
                refused.push(Problem::new(place, format!("unknown input; did you mean `{suggestion}`?")));
            }
            (Some(advice), _) if writes => {
                refused.push(Problem::new(place, format!("unknown input: {advice}")));
            }
            (Some(advice), _) => {
                ignored.push(Problem::new(place, format!("unknown input, ignored: {advice}")));
            }
            (None, None) if writes => {
                refused.push(Problem::new(place, unknown_input_message(&name, command)))
            }
            (None, None) => ignored.push(Problem::new(place, "unknown input, ignored")),
        }
    }
    refused.extend(other_tools::alias_conflicts(env, |name| default_value(name, command)));
    (refused, ignored)
}

/// Message for an unknown input: the closest input, or all inputs of the command.
fn unknown_input_message(name: &str, command: CommandName) -> String {
    let own = INPUTS.iter().filter(|input| input.commands.contains(&command)).map(|input| input.name);
    if let Some(suggestion) = nearest_word(&name.replace('_', "-"), own.clone()) {
        return format!("unknown input; did you mean `{suggestion}`?");
    }
    format!("unknown input; `{}` takes {}", command.word(), list_values(own))
}

/// The input within two letters of `name`, or within one letter for names of up to four letters; `_` counts as `-`.
fn nearest_input(name: &str) -> Option<&'static str> {
    let name = name.replace('_', "-");
    let suggestion = |input: &Input| {
        let most = if input.name.len() <= 4 { 1 } else { 2 };
        Some((edit_distance(&name, input.name, most)?, input.name))
    };
    INPUTS.iter().filter_map(suggestion).min_by_key(|(distance, _)| *distance).map(|(_, found)| found)
}

/// Inputs with a non-default value that this command does not use.
pub(crate) fn unused_inputs(env: &Environment, command: CommandName) -> Vec<Problem> {
    let given = |input: &&Input| env.input(input.name).is_some_and(|value| value != input.default);
    let unused = INPUTS.iter().filter(|input| !input.commands.contains(&command)).filter(given);
    unused
        .map(|input| {
            let what = format!("`{}` does not use it, ignored", command.word());
            Problem::new(format!("input {}", input.name), what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::env::Entry;

    /// Problems, one a line.
    fn lines(problems: &[Problem]) -> Vec<String> {
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn an_unknown_input_is_refused_wherever_the_command_writes() {
        let env = Environment::new(
            Entry::Main,
            &[
                ("INPUT_DESIRED-COUMT", "2"),
                ("INPUT_BLUE_SERVICE", "b"),
                ("INPUT_STAGES", "3"),
                ("INPUT_COLOUR", " "),
                ("INPUT_ARGS", "x"),
                ("INPUT_CLUSTER", "shop"),
                ("INPUT_GITHUB_TOKEN", "x"),
                ("INPUT_DRY-RUN", "true"),
            ],
        );
        let misspelt = [
            "input blue_service: unknown input; did you mean `blue-service`?",
            "input desired-coumt: unknown input; did you mean `desired-count`?",
        ];
        let (refused, ignored) = unknown_inputs(&env, CommandName::Status);
        assert_eq!(lines(&refused), misspelt);
        assert_eq!(
            lines(&ignored),
            [
                "input github_token: unknown input, ignored: write `token`",
                "input stages: unknown input, ignored"
            ]
        );
        let (refused, ignored) = unknown_inputs(&env, CommandName::Rollback);
        assert_eq!(ignored, []);
        assert_eq!(
            lines(&refused),
            [
                misspelt[0],
                misspelt[1],
                "input github_token: unknown input: write `token`",
                "input stages: unknown input; `rollback` takes `command`, `cluster`, `blue-service`, `green-service`, `develop-service`, `app`, `config`, `listener`, `color`, `scale-up`, `force`, `adopt`, `settle`, `plan-only`, `timeout`, `poll-interval`, `on-cancel`, `token`, `comment`, `labels`, `deployments`, `pull-request`, `region`, `role-to-assume`, `allowed-account-ids`"
            ]
        );
    }

    #[test]
    fn an_input_of_another_command_is_told_unless_it_is_the_default() {
        let env = Environment::new(Entry::Main, &[("INPUT_IMAGE", "web:1"), ("INPUT_SETTLE", "120s")]);
        assert_eq!(
            lines(&unused_inputs(&env, CommandName::Status)),
            ["input image: `status` does not use it, ignored"]
        );
        assert_eq!(unused_inputs(&env, CommandName::Deploy), []);
    }

    #[test]
    fn names_are_unique_and_far_enough_apart_to_be_told_from_typos() {
        for (index, input) in INPUTS.iter().enumerate() {
            assert!(INPUTS[..index].iter().all(|other| other.name != input.name), "{}", input.name);
        }
        for (word, name) in COMMANDS {
            assert_eq!(name.word(), word);
        }
        assert_eq!(default_value("config", CommandName::Status), crate::config::DEFAULT_PATH);
    }
}
