//! The table of inputs and outputs: the source of `action.yml`, of the tables in the README, and of validation.

use super::env::{Environment, PREFIX};
use super::other_tools;
use crate::config::kinds::listed;
use crate::plan::near::distance;
use crate::plan::near::nearest;
use crate::plan::problem::Problem;

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

    /// The command that the input `command` names or nearly names, so that all that is wrong with its inputs is told
    /// at once; `deploy` where it can't be guessed.
    pub(crate) fn meant(env: &Environment) -> Self {
        let word = env.input("command").unwrap_or_default();
        let near = nearest(word, COMMANDS.map(|(word, _)| word));
        let found = COMMANDS.into_iter().find(|(word, _)| Some(*word) == near);
        found.map_or(CommandName::Deploy, |(_, name)| name)
    }
}

/// One input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    /// The name in `action.yml`.
    pub(crate) name: &'static str,
    /// The commands that use it.
    pub(crate) commands: &'static [CommandName],
    /// The value when none is given; empty where there is none. The runner passes it on as if it were given.
    pub(crate) default: &'static str,
    /// The values when none is given that differ between the commands. The runner does not know them.
    pub(crate) defaults: &'static [(&'static [CommandName], &'static str)],
    /// The commands that need it. The runner does not enforce this; we do.
    pub(crate) required: &'static [CommandName],
    /// What is said where it is missing; its documentation where this is empty.
    missing: &'static str,
    /// One line for `action.yml` and the README.
    pub(crate) what: &'static str,
}

impl Input {
    /// Sets defaults that differ between the commands.
    const fn default_by(mut self, defaults: &'static [(&'static [CommandName], &'static str)]) -> Self {
        self.defaults = defaults;
        self
    }

    /// Sets the commands that need it, and what is said where it is missing.
    const fn required_by(mut self, commands: &'static [CommandName], missing: &'static str) -> Self {
        self.required = commands;
        self.missing = missing;
        self
    }

    /// The value when none is given to this command; empty where there is none.
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
/// The commands that move traffic as it was approved, in steps where they are wanted.
const STEPPED: &[CommandName] = &[CommandName::RedirectTraffic, CommandName::Promote];
/// The commands that move traffic at once where users are failing.
const FORCED: &[CommandName] = &[CommandName::RedirectTraffic, CommandName::Rollback];
/// The commands that move traffic.
const TRAFFIC: &[CommandName] = &[CommandName::RedirectTraffic, CommandName::Promote, CommandName::Rollback];
/// The commands that have a color.
const COLORED: &[CommandName] = &[CommandName::Deploy, CommandName::Promote, CommandName::Rollback];

/// An optional input.
const fn input(
    name: &'static str,
    commands: &'static [CommandName],
    default: &'static str,
    what: &'static str,
) -> Input {
    Input { name, commands, default, defaults: &[], required: &[], missing: "", what }
}

/// What is said where promote lacks its color: guessed, it could promote what nobody has looked at.
const PROMOTED: &str = "Write the color that was proven, `blue` or `green`: `${{ steps.deploy.outputs.color }}` after a deploy with the id `deploy`.";

/// Every input, in the order of the documentation.
pub(crate) const INPUTS: &[Input] = &[
    input("command", ALL, "", "What to do: `deploy`, `redirect-traffic`, `promote`, `rollback` or `status`.")
        .required_by(ALL, ""),
    input("cluster", ALL, "", "Name or ARN of the ECS cluster. Overrides `cluster` in the config file."),
    input(
        "blue-service",
        ALL,
        "",
        "Name or ARN of the blue ECS service. Overrides `blue` of the app in the config file.",
    ),
    input(
        "green-service",
        ALL,
        "",
        "Name or ARN of the green ECS service. Overrides `green` of the app in the config file.",
    ),
    input(
        "develop-service",
        ALL,
        "",
        "Name or ARN of an optional third ECS service that never takes production traffic. Overrides `develop` of the app in the config file.",
    ),
    input("app", ALL, "", "Which app of the config file is meant, where it has several."),
    input(
        "config",
        ALL,
        ".github/blue-green.yml",
        "Path of the config file. The default file may be missing when the inputs say enough.",
    ),
    input(
        "listener",
        ALL,
        "",
        "The production listener, where it can't be discovered: an ARN, a port, or `PROTOCOL:PORT`.",
    ),
    input(
        "color",
        COLORED,
        "",
        "For deploy, where to: `idle`, `blue`, `green`, `develop`, or `branch` to look the branch up in the config file. For promote, the color that was proven, `blue` or `green`, such as the output `color` of the deploy. For rollback, where to send users, `blue` or `green`; without it, to the color that has none.",
    )
    .default_by(&[(DEPLOY, "idle")])
    .required_by(PROMOTE, PROMOTED),
    input(
        "image",
        DEPLOY,
        "",
        "The image to deploy, or a YAML mapping `CONTAINER: IMAGE` for several containers. Without it the task definition's images stay.",
    ),
    input(
        "task-definition",
        DEPLOY,
        "",
        "What to start from: a `.json`, `.yml` or `.yaml` file, an ARN, `FAMILY` or `FAMILY:REVISION`. Without it, the one that the service runs.",
    ),
    input(
        "environment",
        DEPLOY,
        "",
        "Environment variables to set, as a YAML mapping `NAME: text`, or `CONTAINER: {NAME: text}`. `null` removes a variable. Values are never shown.",
    ),
    input(
        "secrets",
        DEPLOY,
        "",
        "Secrets to set, as `environment`, with the ARN of a Secrets Manager secret or SSM parameter, or a parameter's name, as the value.",
    ),
    input(
        "pin-digest",
        DEPLOY,
        "true",
        "Whether an ECR image's tag is replaced by its digest in the task definition.",
    ),
    input(
        "desired-count",
        DEPLOY,
        "",
        "How many tasks the color gets: a number, or `match` for as many as the live color. Without it, the service's count stays, at least 1. A color that serves users keeps at least the tasks that it has.",
    ),
    input(
        "allow-live",
        DEPLOY,
        "false",
        "Whether a color that serves users may be deployed to, as a rolling update.",
    ),
    input(
        "probes",
        DEPLOY,
        "",
        "Requests through the test listener that must pass, as a YAML list of `{path: /healthz, status: 200, contains: ok}`. Overrides `probes` of the app in the config file.",
    ),
    input(
        "traffic",
        REDIRECT,
        "",
        "Where to send users: `blue`, `blue-80`, `split`, `green-80`, `green`, or `BLUE/GREEN` such as `95/5`.",
    )
    .required_by(REDIRECT, ""),
    input(
        "steps",
        STEPPED,
        "",
        "Shares in percent to hold on the way, of the color that gains users, such as `20, 50, 80`. Without it, the traffic moves at once.",
    ),
    input("bake-time", STEPPED, "5m", "How long each of `steps` is held."),
    input(
        "rollback-alarms",
        STEPPED,
        "",
        "CloudWatch alarms that send users back while `steps` are held: names or ARNs, with commas, a line each, or as a YAML list. Overrides `rollback-alarms` of the app in the config file, which is for runs with `steps`.",
    ),
    input(
        "scale-up",
        TRAFFIC,
        "true",
        "Whether a color with too few healthy tasks for its share is scaled up first. If not, such a change is refused.",
    ),
    input(
        "force",
        FORCED,
        "false",
        "For when users are already failing: whether one healthy target is enough to move the traffic now, while the color scales up.",
    ),
    input(
        "adopt",
        TRAFFIC,
        "false",
        "Whether a color's target group is brought into a production rule that holds only the other one.",
    ),
    input(
        "mode",
        PROMOTE,
        "swap",
        "How to promote: `swap` makes the color production, `copy` brings the other color's version to it.",
    ),
    input(
        "idle-count",
        PROMOTE,
        "",
        "How many tasks the color without users keeps: 0 to 5000. Without it 1, or `idle-min` where the config has `scaling`.",
    ),
    input(
        "settle",
        TRAFFIC,
        "120s",
        "How long a color carries all users before anything may be scaled in, up to `1h`.",
    ),
    input(
        "max-drain",
        PROMOTE,
        "10m",
        "How long to wait at most for users whom stickiness keeps on the other color, up to `24h`.",
    ),
    input(
        "per-color",
        PROMOTE,
        "",
        "For `mode: copy`, names of environment variables that each color keeps as its own, with commas, a line each, or as a YAML list.",
    ),
    input(
        "expect-task-definition",
        STEPPED,
        "",
        "The task definition that was approved, as an ARN or `FAMILY:REVISION`. Where another one runs, nothing is changed.",
    ),
    input("plan-only", ALL, "false", "Whether to print the plan and write nothing."),
    input("timeout", ALL, "30m", "How long to wait at most, such as `90s`, `30m` or `1h30m`: for a deployment until it is healthy and old tasks have drained; before each change of the split for AWS and for healthy targets. Bakes, `settle`, `max-drain` and the restore after a failure come on top; the plan says which `timeout-minutes` the job needs."),
    input("poll-interval", ALL, "5s", "How long to wait between two looks at AWS, from `100ms` to `60s`."),
    input(
        "on-cancel",
        ALL,
        "",
        "What a cancelled run does: `restore` what it changed, or `leave` it.",
    )
    .default_by(&[(DEPLOY, "restore"), (NOT_DEPLOY, "leave")]),
    input(
        "token",
        ALL,
        "${{ github.token }}",
        "The token for what is shown on GitHub. It needs `pull-requests: write`, `deployments: write` and `statuses: write`.",
    ),
    input("comment", ALL, "true", "Whether the pull request has one comment that is kept up to date."),
    input(
        "labels",
        ALL,
        "true",
        "Whether pull requests have labels that say what runs where, such as `web-1a2b3c4d traffic: blue` and `web-1a2b3c4d deployed: green`.",
    ),
    input(
        "deployments",
        ALL,
        "true",
        "Whether a deploy is a deployment on GitHub too, with a commit status `ecs-blue-green/APP REGION HASH`.",
    ),
    input(
        "pull-request",
        ALL,
        "",
        "The number of the pull request. Without it, the one that the event or the commit belongs to.",
    ),
    input(
        "region",
        ALL,
        "",
        "The AWS region. Without it, `AWS_REGION` or `AWS_DEFAULT_REGION` of the environment.",
    ),
    input(
        "role-to-assume",
        ALL,
        "",
        "ARN of the IAM role to assume by the job's id token, which needs the permission `id-token: write`. Its credentials are renewed as long as the run lasts. Without it, the credentials of the environment.",
    ),
    input(
        "allowed-account-ids",
        ALL,
        "",
        "The only AWS accounts to work in, 12 digits each, with commas. Without it, any.",
    ),
];

/// One output.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// The name in `action.yml`.
    pub(crate) name: &'static str,
    /// One line for `action.yml` and the README.
    pub(crate) what: &'static str,
}

/// Every output, in the order of the documentation. All are written even when the run fails, as far as known.
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

/// Inputs that this command needs and that have no value, each with what to write. The runner does not check this.
pub(crate) fn missing(env: &Environment, command: CommandName) -> Vec<Problem> {
    let missing = |input: &&Input| input.required.contains(&command) && env.input(input.name).is_none();
    let said = |input: &Input| if input.missing.is_empty() { input.what } else { input.missing };
    INPUTS
        .iter()
        .filter(missing)
        .map(|input| Problem::new(format!("input {}", input.name), format!("missing. {}", said(input))))
        .collect()
}

/// The default of an input of this command; empty where there is none.
pub(crate) fn default(name: &str, command: CommandName) -> &'static str {
    INPUTS.iter().find(|input| input.name == name).map_or("", |input| input.default_of(command))
}

/// What the runner itself reads from `with` of a container action and passes on.
const OF_THE_RUNNER: [&str; 2] = ["INPUT_ARGS", "INPUT_ENTRYPOINT"];

/// Inputs that we do not know. The runner passes them on with a mere warning of its own, and their values would be
/// lost: a `dry-run` would deploy. All are refused; of a command that writes nothing, only those that look misspelt are,
/// and the rest is the second list.
pub(crate) fn unknown(env: &Environment, command: CommandName) -> (Vec<Problem>, Vec<Problem>) {
    let (mut refused, mut ignored) = (Vec::new(), Vec::new());
    for variable in env.input_variables() {
        let name = variable.trim_start_matches(PREFIX).to_lowercase();
        let known = INPUTS.iter().any(|input| input.name == name) || other_tools::is_accepted(&name);
        if OF_THE_RUNNER.contains(&variable) || known {
            continue;
        }
        let place = format!("input {}", crate::action::commands::clean(&name));
        let writes = command != CommandName::Status;
        match (other_tools::advice(&name), meant(&name)) {
            (None, Some(near)) => {
                refused.push(Problem::new(place, format!("unknown input; did you mean `{near}`?")));
            }
            (Some(advice), _) if writes => {
                refused.push(Problem::new(place, format!("unknown input: {advice}")));
            }
            (Some(advice), _) => {
                ignored.push(Problem::new(place, format!("unknown input, ignored: {advice}")));
            }
            (None, None) if writes => refused.push(Problem::new(place, stranger(&name, command))),
            (None, None) => ignored.push(Problem::new(place, "unknown input, ignored")),
        }
    }
    refused.extend(other_tools::contradictions(env, |name| default(name, command)));
    (refused, ignored)
}

/// What is said of an input that looks like none of ours: the nearest one, or all that the command takes.
fn stranger(name: &str, command: CommandName) -> String {
    let own = INPUTS.iter().filter(|input| input.commands.contains(&command)).map(|input| input.name);
    if let Some(near) = nearest(&name.replace('_', "-"), own.clone()) {
        return format!("unknown input; did you mean `{near}`?");
    }
    format!("unknown input; `{}` takes {}", command.word(), listed(own))
}

/// The input within two letters of `name`, and within one for names of up to four letters; `_` counts as `-`.
fn meant(name: &str) -> Option<&'static str> {
    let name = name.replace('_', "-");
    let near = |input: &Input| {
        let most = if input.name.len() <= 4 { 1 } else { 2 };
        Some((distance(&name, input.name, most)?, input.name))
    };
    INPUTS.iter().filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, found)| found)
}

/// Inputs that have a value of their own which this command does not use.
pub(crate) fn unused(env: &Environment, command: CommandName) -> Vec<Problem> {
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
        let (refused, ignored) = unknown(&env, CommandName::Status);
        assert_eq!(lines(&refused), misspelt);
        assert_eq!(
            lines(&ignored),
            [
                "input github_token: unknown input, ignored: write `token`",
                "input stages: unknown input, ignored"
            ]
        );
        let (refused, ignored) = unknown(&env, CommandName::Rollback);
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
            lines(&unused(&env, CommandName::Status)),
            ["input image: `status` does not use it, ignored"]
        );
        assert_eq!(unused(&env, CommandName::Deploy), []);
    }

    #[test]
    fn names_are_unique_and_far_enough_apart_to_be_told_from_typos() {
        for (index, input) in INPUTS.iter().enumerate() {
            assert!(INPUTS[..index].iter().all(|other| other.name != input.name), "{}", input.name);
        }
        for (word, name) in COMMANDS {
            assert_eq!(name.word(), word);
        }
        assert_eq!(default("config", CommandName::Status), crate::config::DEFAULT_PATH);
    }
}
