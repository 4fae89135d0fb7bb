//! The inputs that a command takes: unknown, unused and missing inputs.

mod table;

use super::env::{Environment, PREFIX};
use super::other_tools;
use crate::config::kinds::list_values;
use crate::plan::problem::Problem;
use crate::plan::suggestion::{edit_distance, nearest_word};

pub(crate) use self::table::INPUTS;
#[cfg(test)]
pub(crate) use self::table::{OUTPUTS, Output};

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
    /// `doctor`.
    Doctor,
}

/// The words of the input `command`.
pub(crate) const COMMANDS: [(&str, CommandName); 6] = [
    ("deploy", CommandName::Deploy),
    ("redirect-traffic", CommandName::RedirectTraffic),
    ("promote", CommandName::Promote),
    ("rollback", CommandName::Rollback),
    ("status", CommandName::Status),
    ("doctor", CommandName::Doctor),
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
            CommandName::Doctor => "doctor",
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
        let writes = !matches!(command, CommandName::Status | CommandName::Doctor);
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
                "input stages: unknown input; `rollback` takes `command`, `cluster`, `blue-service`, `green-service`, `develop-service`, `app`, `config`, `listener`, `color`, `compare`, `compare-tolerance`, `scale-up`, `force`, `adopt`, `settle`, `plan-only`, `timeout`, `poll-interval`, `on-cancel`, `token`, `comment`, `labels`, `deployments`, `pull-request`, `region`, `role-to-assume`, `allowed-account-ids`"
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
