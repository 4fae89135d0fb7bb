//! The table of inputs and outputs: the source of `action.yml`, of the tables in docs/reference.md, and of validation.

use super::{CommandName, Input};

/// Every command.
const ALL: &[CommandName] = &[
    CommandName::Deploy,
    CommandName::RedirectTraffic,
    CommandName::Promote,
    CommandName::Rollback,
    CommandName::Status,
    CommandName::Doctor,
];
/// Deploy alone.
const DEPLOY: &[CommandName] = &[CommandName::Deploy];
/// Every command but deploy.
const NOT_DEPLOY: &[CommandName] = &[
    CommandName::RedirectTraffic,
    CommandName::Promote,
    CommandName::Rollback,
    CommandName::Status,
    CommandName::Doctor,
];
/// The commands that show something on GitHub.
const POSTING: &[CommandName] = &[
    CommandName::Deploy,
    CommandName::RedirectTraffic,
    CommandName::Promote,
    CommandName::Rollback,
    CommandName::Status,
];
/// The commands that bring a version to a color.
const DEPLOYING: &[CommandName] = &[CommandName::Deploy, CommandName::Promote];
/// Redirect-traffic alone.
const REDIRECT: &[CommandName] = &[CommandName::RedirectTraffic];
/// Promote alone.
const PROMOTE: &[CommandName] = &[CommandName::Promote];
/// The commands that move traffic as approved, in steps if wanted.
const STEPPED: &[CommandName] = &[CommandName::RedirectTraffic, CommandName::Promote];
/// The commands that bring a version to users, or make one ready for them.
const BRINGING: &[CommandName] = &[CommandName::Deploy, CommandName::RedirectTraffic, CommandName::Promote];
/// The commands that move traffic at once if users get errors.
const FORCED: &[CommandName] = &[CommandName::RedirectTraffic, CommandName::Rollback];
/// The commands that move traffic.
const TRAFFIC: &[CommandName] = &[CommandName::RedirectTraffic, CommandName::Promote, CommandName::Rollback];
/// The commands that compare the colors.
const COMPARING: &[CommandName] =
    &[CommandName::RedirectTraffic, CommandName::Promote, CommandName::Rollback, CommandName::Status];
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
    optional_input("command", ALL, "", "What to do: `deploy`, `redirect-traffic`, `promote`, `rollback`, `status` or `doctor`.")
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
        "compare",
        COMPARING,
        "",
        "What the comparison of the colors does while both have users. `back` sends users back to where the run found them if the color that gains users fails more often, `watch` only reports, `off` reads nothing. Without it, `back` with `steps` and `watch` otherwise.",
    ),
    optional_input(
        "compare-tolerance",
        COMPARING,
        "0.2",
        "The smallest difference between the colors' failure rates that counts, in percentage points.",
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
    optional_input(
        "refuse-takes-back",
        BRINGING,
        "false",
        "Whether a version that lacks commits that users have now is refused. Commits are known by the tags of the task definitions and by GitHub; where they are unknown, nothing is refused. A `rollback` is never refused for this.",
    ),
    optional_input(
        "failure-logs",
        DEPLOYING,
        "true",
        "Whether a failed deploy shows the last 20 lines of the failed container's log, from CloudWatch Logs. It needs `logs:GetLogEvents`. Values of `environment` are masked. A run for a pull request from a fork never shows any.",
    ),
    optional_input("plan-only", ALL, "false", "Whether to print the plan and write nothing."),
    optional_input("timeout", ALL, "30m", "How long to wait at most, such as `90s`, `30m` or `1h30m`: before the update of a service for AWS, and then for its deployment until it is healthy and old tasks have drained; before each change of the split for AWS and for healthy targets. Bakes, `settle`, `max-drain` and the restore after a failure come on top; the plan says which `timeout-minutes` the job needs."),
    optional_input("poll-interval", ALL, "5s", "Usual wait between two looks at AWS, from `100ms` to `60s`. From `5s` on, a run looks sooner after a change and near an expected event, and later if it would make more than two calls per second on average."),
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
        "The token for what is shown on GitHub. It needs `pull-requests: write`, `deployments: write`, `statuses: write` and `contents: read`.",
    ),
    optional_input("comment", POSTING, "true", "Whether the pull request has one comment that is kept up to date."),
    optional_input(
        "labels",
        POSTING,
        "true",
        "Whether pull requests have labels that say what runs where, such as `web-1a2b3c4d traffic: blue`, `web-1a2b3c4d deployed: green` and `web-1a2b3c4d live`.",
    ),
    optional_input(
        "deployments",
        POSTING,
        "true",
        "Whether a deploy is a deployment on GitHub too, with a commit status `ecs-blue-green/APP REGION HASH`.",
    ),
    optional_input(
        "pull-request",
        POSTING,
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
    Output { name: "headline", what: "What the run came to, in one line for a chat or a mail." },
    Output { name: "details-url", what: "The page of the run, with its summary." },
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
    Output {
        name: "findings",
        what: "What `doctor` found, as a JSON array of `{id, severity, thing, message, fix}`; `severity` is `stops` or `warns`. Empty for other commands.",
    },
    Output {
        name: "going-live",
        what: "The commits that users get and lose, as JSON: `history` (`identical`, `ahead`, `behind`, `diverged` or `unknown`), both commits, the changes that the version `brings` and `takes_back`, each `{pull_request, commit, title}`, and a `sentence`. Empty where no version of users changes.",
    },
    Output {
        name: "compared",
        what: "The colors side by side while both have users, as JSON: requests, failures, 4xx and response times of each, and the `verdict`: `worse`, `both-fail`, `no-difference`, `too-few-requests`, `not-judged` or `unread`. Empty without a comparison.",
    },
];
