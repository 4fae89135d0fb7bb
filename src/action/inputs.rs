//! The table of inputs and outputs: the source of `action.yml`, of the tables in the README, and of validation.

use super::env::{Environment, PREFIX};
use crate::plan::problem::Problem;

/// The commands, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandName {
    /// `deploy`.
    Deploy,
    /// `status`.
    Status,
}

/// The words of the input `command`.
pub(crate) const COMMANDS: [(&str, CommandName); 2] =
    [("deploy", CommandName::Deploy), ("status", CommandName::Status)];

impl CommandName {
    /// The word in the input `command`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            CommandName::Deploy => "deploy",
            CommandName::Status => "status",
        }
    }
}

/// One input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    /// The name in `action.yml`.
    pub(crate) name: &'static str,
    /// The commands that use it.
    pub(crate) commands: &'static [CommandName],
    /// The value when none is given; empty where there is none.
    pub(crate) default: &'static str,
    /// Whether every run needs it. The runner does not enforce this; we do.
    pub(crate) required: bool,
    /// One line for `action.yml` and the README.
    pub(crate) what: &'static str,
}

/// Every command.
const ALL: &[CommandName] = &[CommandName::Deploy, CommandName::Status];
/// Deploy alone.
const DEPLOY: &[CommandName] = &[CommandName::Deploy];

/// An optional input.
const fn input(
    name: &'static str,
    commands: &'static [CommandName],
    default: &'static str,
    what: &'static str,
) -> Input {
    Input { name, commands, default, required: false, what }
}

/// Every input, in the order of the documentation.
pub(crate) const INPUTS: &[Input] = &[
    Input {
        name: "command",
        commands: ALL,
        default: "",
        required: true,
        what: "What to do: `deploy` or `status`.",
    },
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
        DEPLOY,
        "idle",
        "Where to deploy: `idle`, `blue`, `green`, `develop`, or `branch` to look the branch up in the config file.",
    ),
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
        "How many tasks the color gets: a number, or `match` for as many as the live color. Without it, the service's count stays, at least 1.",
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
    input("plan-only", ALL, "false", "Whether to print the plan and write nothing."),
    input("timeout", ALL, "30m", "How long to wait for the goal, such as `90s`, `30m` or `1h30m`."),
    input("poll-interval", ALL, "5s", "How long to wait between two looks at AWS, from `100ms` to `60s`."),
    input(
        "on-cancel",
        ALL,
        "restore",
        "What a cancelled run does: `restore` what it changed, or `leave` it.",
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
    Output { name: "live-color", what: "The color that serves users: `blue`, `green` or `both`." },
    Output {
        name: "traffic",
        what: "The split of the production traffic: `blue`, `blue-80`, `split`, `green-80`, `green`, or `BLUE/GREEN` such as `95/5`.",
    },
    Output { name: "task-definition-arn", what: "The task definition that the color runs now." },
    Output { name: "previous-task-definition-arn", what: "The task definition that the color ran before." },
    Output { name: "image", what: "The image that the color runs now." },
    Output { name: "ecs-deployment-id", what: "The id of the ECS deployment." },
    Output { name: "production-url", what: "Where users reach the live color." },
    Output { name: "test-url", what: "Where the color is reached without production traffic." },
    Output { name: "duration-seconds", what: "How long the run took, in whole seconds." },
    Output { name: "status-json", what: "The state of the colors and their traffic, as JSON." },
];

/// Required inputs that have no value, each with the line of its documentation. The runner does not check this.
pub(crate) fn missing(env: &Environment) -> Vec<Problem> {
    let missing = INPUTS.iter().filter(|input| input.required && env.input(input.name).is_none());
    missing
        .map(|input| Problem::new(format!("input {}", input.name), format!("missing. {}", input.what)))
        .collect()
}

/// The default of an input; empty where there is none.
pub(crate) fn default(name: &str) -> &'static str {
    INPUTS.iter().find(|input| input.name == name).map_or("", |input| input.default)
}

/// What the runner itself reads from `with` of a container action and passes on.
const OF_THE_RUNNER: [&str; 2] = ["INPUT_ARGS", "INPUT_ENTRYPOINT"];

/// Inputs that we do not know. The runner passes them on with a mere warning of its own, so one that looks misspelt
/// is refused, for its value would be lost; the rest is told, as the second list.
pub(crate) fn unknown(env: &Environment) -> (Vec<Problem>, Vec<Problem>) {
    let (mut misspelt, mut foreign) = (Vec::new(), Vec::new());
    for variable in env.input_variables() {
        let name = variable.trim_start_matches(PREFIX).to_lowercase();
        if OF_THE_RUNNER.contains(&variable) || INPUTS.iter().any(|input| input.name == name) {
            continue;
        }
        let place = format!("input {}", crate::action::commands::clean(&name));
        match meant(&name) {
            Some(near) => {
                misspelt.push(Problem::new(place, format!("unknown input; did you mean `{near}`?")))
            }
            None => foreign.push(Problem::new(place, "unknown input, ignored")),
        }
    }
    (misspelt, foreign)
}

/// The input within two letters of `name`, and within one for names of up to four letters; `_` counts as `-`.
fn meant(name: &str) -> Option<&'static str> {
    let name = name.replace('_', "-");
    let distance = |input: &Input| strsim::damerau_levenshtein(&name, input.name);
    let near = INPUTS.iter().map(|input| (distance(input), input.name)).min_by_key(|(distance, _)| *distance);
    near.filter(|(distance, found)| *distance <= if found.len() <= 4 { 1 } else { 2 }).map(|(_, found)| found)
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
    fn a_misspelt_input_is_refused_and_a_strange_one_told() {
        let env = Environment::new(
            Entry::Main,
            &[
                ("INPUT_DESIRED-COUMT", "2"),
                ("INPUT_BLUE_SERVICE", "b"),
                ("INPUT_TRAFFIC", "split"),
                ("INPUT_MAP", "x"),
                ("INPUT_COLOUR", " "),
                ("INPUT_ARGS", "x"),
                ("INPUT_CLUSTER", "shop"),
            ],
        );
        let (misspelt, foreign) = unknown(&env);
        assert_eq!(
            lines(&misspelt),
            [
                "input blue_service: unknown input; did you mean `blue-service`?",
                "input desired-coumt: unknown input; did you mean `desired-count`?"
            ]
        );
        assert_eq!(
            lines(&foreign),
            ["input map: unknown input, ignored", "input traffic: unknown input, ignored"]
        );
    }

    #[test]
    fn an_input_of_another_command_is_told_unless_it_is_the_default() {
        let env = Environment::new(Entry::Main, &[("INPUT_IMAGE", "web:1"), ("INPUT_COLOR", "idle")]);
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
        assert_eq!(default("config"), crate::config::DEFAULT_PATH);
    }
}
