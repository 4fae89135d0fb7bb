//! Input names of other deploy tools, with the matching input of this action.

use super::env::{Environment, PREFIX};
use crate::plan::problem::Problem;

/// Other names with the same meaning as an input, read like that input.
const SAME: [(&str, &[&str]); 2] =
    [("plan-only", &["dry-run", "dryrun", "noop", "no-op"]), ("region", &["aws-region"])];

/// Other tools' names, each row with advice.
const ADVICE: [(&[&str], &str); 22] = [
    (
        &["service", "services", "service-name", "ecs-service", "ecs-service-name", "service-arn"],
        "a release has two services here: write `blue-service` and `green-service`",
    ),
    (&["cluster-name", "ecs-cluster", "ecs-cluster-name", "cluster-arn"], "write `cluster`"),
    (
        &["container", "container-name", "container-names", "containers"],
        "write the container before its image in `image`, as `CONTAINER: IMAGE`, a line each",
    ),
    (&["image-uri", "image-name", "image-url", "docker-image", "container-image"], "write `image`"),
    (&["tag", "image-tag", "docker-tag"], "write the whole image with its tag in `image`"),
    (
        &[
            "task-definition-family",
            "task-definition-name",
            "task-definition-arn",
            "task-definition-revision",
            "task-definition-file",
            "task-definition-path",
            "task-def",
            "taskdef",
            "family",
        ],
        "write `task-definition`, which takes a file, an ARN, `FAMILY` or `FAMILY:REVISION`",
    ),
    (
        &["environment-variables", "env", "env-vars", "env-variables", "envs"],
        "write `environment`, with `NAME: text` a line",
    ),
    (&["secret", "secret-variables"], "write `secrets`, with `NAME: ARN` a line"),
    (
        &["env-files", "docker-labels", "task-role-arn", "execution-role-arn", "task-cpu", "task-memory"],
        "write this in the file of `task-definition`",
    ),
    (
        &[
            "wait",
            "wait-for-service-stability",
            "wait-for-stability",
            "wait-for-deployment",
            "wait-for-completion",
        ],
        "every command waits until its goal is reached: leave this out, and set `timeout` for how long",
    ),
    (
        &["wait-for-minutes", "wait-minutes", "max-wait-minutes", "timeout-minutes", "wait-timeout"],
        "write `timeout`, with a unit, such as `30m`",
    ),
    (
        &["force-new-deployment", "force-new-deploy", "force-deployment", "force-deploy"],
        "new tasks start only if the task definition changes: leave this out, and change `image` or `environment`",
    ),
    (&["github-token", "gh-token", "repo-token"], "write `token`"),
    (
        &["aws-access-key-id", "aws-secret-access-key", "aws-session-token", "aws-profile", "profile"],
        "credentials are no inputs here: write `role-to-assume`, or let aws-actions/configure-aws-credentials export them",
    ),
    (
        &["role", "role-arn", "aws-role", "aws-role-arn", "iam-role", "assume-role", "aws-role-to-assume"],
        "write `role-to-assume`",
    ),
    (&["account", "account-id", "aws-account", "aws-account-id"], "write `allowed-account-ids`"),
    (&["listener-arn", "production-listener", "alb-listener-arn"], "write `listener`"),
    (
        &["weight", "weights", "traffic-weight", "percent", "percentage"],
        "write `traffic`, or `steps` for a slow change",
    ),
    (&["action", "operation"], "write `command`"),
    (
        &["rollback", "auto-rollback", "rollback-on-failure", "enable-rollback"],
        "a deploy that fails puts the color back in any case: leave this out; `command: rollback` sends users back",
    ),
    (&["alarms", "alarm-names", "cloudwatch-alarms"], "write `rollback-alarms`"),
    (&["count", "replicas", "task-count", "desired-tasks"], "write `desired-count`"),
];

/// Advice for an unknown input that belongs to another tool.
pub(super) fn input_advice(name: &str) -> Option<&'static str> {
    let name = as_ours(name);
    if name.starts_with("codedeploy-") || name == "appspec" {
        return Some("this action moves the traffic without CodeDeploy: leave this out");
    }
    if name.starts_with("log-configuration-") {
        return Some("write this in the file of `task-definition`");
    }
    ADVICE.iter().find(|(names, _)| names.contains(&name.as_str())).map(|(_, advice)| *advice)
}

/// True if an input's name is read like one of this action's inputs.
pub(super) fn is_accepted(name: &str) -> bool {
    SAME.iter().any(|(_, others)| others.contains(&as_ours(name).as_str()))
}

/// The first other name of an input that has a value, with that value.
pub(super) fn aliased_value<'a>(env: &'a Environment, input: &str) -> Option<(String, &'a str)> {
    all_given(env, input).into_iter().next()
}

/// Every other name of an input that has a value, with that value.
fn all_given<'a>(env: &'a Environment, input: &str) -> Vec<(String, &'a str)> {
    let others = SAME.iter().find(|(ours, _)| *ours == input).map_or(&[][..], |(_, others)| others);
    let names = env.input_variables().map(|variable| variable.trim_start_matches(PREFIX).to_lowercase());
    let same = names.filter(|name| others.contains(&as_ours(name).as_str()));
    same.filter_map(|name| env.input(&name).map(|value| (name, value))).collect()
}

/// Inputs with different values under two names. The runner passes the default like a written value, so the default
/// contradicts no value.
pub(super) fn alias_conflicts(env: &Environment, default: impl Fn(&str) -> &'static str) -> Vec<Problem> {
    let mut found = Vec::new();
    for (input, _) in SAME {
        let own = env.input(input).filter(|value| *value != default(input));
        let mut first = own.map(|value| (input.to_owned(), value));
        for (name, value) in all_given(env, input) {
            match &first {
                None => first = Some((name, value)),
                Some((other, earlier)) if !earlier.eq_ignore_ascii_case(value) => {
                    let what =
                        format!("means the same as `{other}`, and the two differ: keep `{input}` alone");
                    found.push(Problem::new(format!("input {name}"), what));
                }
                Some(_) => {}
            }
        }
    }
    found
}

/// A name in the spelling of this action's inputs.
fn as_ours(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::env::Entry;
    use crate::action::inputs::INPUTS;

    #[test]
    fn no_name_of_another_tool_is_ours_or_twice_there() {
        let advised = ADVICE.iter().flat_map(|(names, _)| *names);
        let mut names: Vec<&str> =
            advised.chain(SAME.iter().flat_map(|(_, names)| *names)).copied().collect();
        assert!(INPUTS.iter().all(|input| !names.contains(&input.name)));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        for (input, _) in SAME {
            assert!(INPUTS.iter().any(|ours| ours.name == input));
        }
    }

    #[test]
    fn each_input_that_advice_names_exists() {
        let words = ADVICE.iter().flat_map(|(_, advice)| advice.split('`').skip(1).step_by(2));
        for word in words.filter(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')) {
            assert!(INPUTS.iter().any(|input| input.name == word), "{word}");
        }
    }

    #[test]
    fn two_names_of_one_input_may_agree_and_not_differ() {
        let told = |variables: &[(&str, &str)]| {
            let env = Environment::new(Entry::Main, variables);
            let default = |name: &str| if name == "plan-only" { "false" } else { "" };
            alias_conflicts(&env, default).iter().map(Problem::to_string).collect::<Vec<_>>()
        };
        assert_eq!(told(&[("INPUT_DRY-RUN", "true"), ("INPUT_PLAN-ONLY", "false")]), [""; 0]);
        assert_eq!(told(&[("INPUT_DRY-RUN", "True"), ("INPUT_PLAN-ONLY", "true")]), [""; 0]);
        assert_eq!(
            told(&[("INPUT_DRY_RUN", "false"), ("INPUT_PLAN-ONLY", "true")]),
            ["input dry_run: means the same as `plan-only`, and the two differ: keep `plan-only` alone"]
        );
        assert_eq!(
            told(&[("INPUT_DRY-RUN", "true"), ("INPUT_NOOP", "false")]),
            ["input noop: means the same as `dry-run`, and the two differ: keep `plan-only` alone"]
        );
        assert_eq!(
            told(&[("INPUT_REGION", "eu-west-1"), ("INPUT_AWS-REGION", "us-east-1")]),
            ["input aws-region: means the same as `region`, and the two differ: keep `region` alone"]
        );
    }
}
