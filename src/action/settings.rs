//! The settings of a run: inputs, config file and environment, read once, with everything that is wrong at once.

use std::time::Duration;

use super::deploy::{self, DeploySettings};
use super::edge::{Edge, ReadFile, Warning};
use super::env::Environment;
use super::github::{self, GithubSettings};
use super::identity::{self, Fact, GivenArn};
use super::inputs::{COMMANDS, CommandName};
use super::place::{self, File};
use super::promote;
use super::role::Role;
use super::traffic::{self, RollbackSettings};
use crate::config::kinds;
use crate::plan::problem::Problem;
use crate::plan::scalers::Managed;
use crate::plan::traffic::Wish;
use crate::plan::wanted::{Place, Probe, Promotion};

/// What a run is asked to do, complete and checked as far as that goes without AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The command with its own settings.
    pub(crate) command: Command,
    /// Where the colors live.
    pub(crate) place: Place,
    /// The name of the app, where the config file has one.
    pub(crate) app: Option<String>,
    /// How the app's services scale, where the config file says so.
    pub(crate) scaling: Option<Managed>,
    /// The AWS region.
    pub(crate) region: String,
    /// The role to assume by the job's id token; none to take the credentials of the environment.
    pub(crate) role: Option<Role>,
    /// The only accounts to work in; empty for any.
    pub(crate) allowed_account_ids: Vec<String>,
    /// The ARNs among the inputs and files: they agree with each other, not yet with the credentials.
    pub(crate) arns: Vec<GivenArn>,
    /// Whether to print the plan and write nothing.
    pub(crate) plan_only: bool,
    /// How long to wait for the goal.
    pub(crate) timeout: Duration,
    /// How long to wait between two looks at AWS.
    pub(crate) poll_interval: Duration,
    /// What a cancelled run does.
    pub(crate) on_cancel: OnCancel,
    /// What is shown on GitHub.
    pub(crate) github: GithubSettings,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Put a version on a color and prove it healthy.
    Deploy(Box<DeploySettings>),
    /// Move users between the colors.
    Redirect(Box<Wish>),
    /// Make a color production.
    Promote(Box<Promotion>),
    /// Send all users back.
    Rollback(RollbackSettings),
    /// Show both colors and what is valid now.
    Status,
}

impl Command {
    /// Its name, as the input has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Command::Deploy(_) => "deploy",
            Command::Redirect(_) => "redirect-traffic",
            Command::Promote(_) => "promote",
            Command::Rollback(_) => "rollback",
            Command::Status => "status",
        }
    }
}

/// What a cancelled run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnCancel {
    /// Puts back what it changed.
    Restore,
    /// Leaves it, and says so.
    Leave,
}

impl Settings {
    /// The probes of a deploy; none for any other command.
    pub(crate) fn probes(&self) -> &[Probe] {
        match &self.command {
            Command::Deploy(wish) => &wish.probes,
            Command::Redirect(_) | Command::Promote(_) | Command::Rollback(_) | Command::Status => &[],
        }
    }

    /// The CloudWatch alarms that a change of traffic watches; none for any other command.
    pub(crate) fn alarms(&self) -> &[String] {
        match &self.command {
            Command::Redirect(wish) => &wish.alarms,
            Command::Promote(promotion) => &promotion.traffic.alarms,
            Command::Deploy(_) | Command::Rollback(_) | Command::Status => &[],
        }
    }

    /// Whether a cancelled run puts back what it changed.
    pub(crate) fn restore_on_cancel(&self) -> bool {
        self.on_cancel == OnCancel::Restore
    }
}

/// The words of the input `on-cancel`.
const ON_CANCEL: [(&str, OnCancel); 2] = [("restore", OnCancel::Restore), ("leave", OnCancel::Leave)];

/// Reads everything. `read_file` gets paths relative to the working directory, which is the workspace on a runner.
pub(crate) fn settings(
    env: &Environment,
    read_file: ReadFile<'_>,
) -> Result<(Settings, Vec<Warning>), Vec<Problem>> {
    let mut edge = Edge::new(env, read_file);
    let found = read(&mut edge);
    match found {
        Some(settings) if edge.problems.is_empty() => Ok((settings, edge.warnings)),
        Some(_) | None => Err(edge.problems),
    }
}

/// Reads one thing after the other; each notes its own problems, so none hides those of the next.
fn read(edge: &mut Edge<'_>) -> Option<Settings> {
    let name = edge.parsed("command", |value| kinds::one_of(value, &COMMANDS));
    if let Some(name) = name {
        edge.warn_unused(name);
    }
    // Without a valid command, too: all that is wrong with the inputs of the one that was meant is told at once.
    let meant = edge.command;
    let file = place::file(edge);
    let place = place::place(edge, &file);
    let command = match meant {
        CommandName::Deploy => {
            deploy::settings(edge, &file, place.as_ref()).map(|deploy| Command::Deploy(Box::new(deploy)))
        }
        CommandName::RedirectTraffic => {
            traffic::redirect(edge, &file).map(|wish| Command::Redirect(Box::new(wish)))
        }
        CommandName::Promote => {
            promote::settings(edge, &file).map(|promotion| Command::Promote(Box::new(promotion)))
        }
        CommandName::Rollback => traffic::rollback(edge).map(Command::Rollback),
        CommandName::Status => Some(Command::Status),
    };
    let region = region(edge);
    let allowed_account_ids = edge.parsed("allowed-account-ids", kinds::account_ids).unwrap_or_default();
    let role = role(edge, region.as_deref(), &allowed_account_ids);
    let plan_only = edge.parsed("plan-only", kinds::boolean);
    let timeout = edge.parsed("timeout", |value| kinds::duration_within(value, MILLISECOND, DAY));
    let poll_interval = edge.parsed("poll-interval", |value| kinds::duration_within(value, TENTH, MINUTE));
    let on_cancel = edge.parsed("on-cancel", |value| kinds::one_of(value, &ON_CANCEL));
    let github = github::settings(edge, &file, place.as_ref());
    check_profile(edge);
    check_characters(edge);
    check_lasting(edge, timeout);
    let facts =
        facts(edge, (&file, place.as_ref()), role.as_ref(), (region.as_deref(), &allowed_account_ids));
    edge.problems.extend(identity::contradictions(facts, &edge.arns));
    name?;
    Some(Settings {
        command: command?,
        place: place?,
        scaling: file.app.as_ref().and_then(|(_, app)| app.scaling),
        app: file.app.map(|(name, _)| name),
        region: region?,
        role,
        allowed_account_ids,
        arns: std::mem::take(&mut edge.arns),
        plan_only: plan_only?,
        timeout: timeout?,
        poll_interval: poll_interval?,
        on_cancel: on_cancel?,
        github: github?,
    })
}

/// The shortest time-out.
const MILLISECOND: Duration = Duration::from_millis(1);
/// The shortest time between two looks at AWS.
const TENTH: Duration = Duration::from_millis(100);
/// The longest time between two looks at AWS.
const MINUTE: Duration = Duration::from_secs(60);
/// How long a session lasts unless it was asked for longer.
const HOUR: Duration = Duration::from_secs(3600);
/// The longest time-out.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The region, by input or environment. Without one, AWS's own search would wait for a machine's metadata.
fn region(edge: &mut Edge<'_>) -> Option<String> {
    if edge.value("region").is_some() {
        return edge.parsed("region", kinds::region);
    }
    let found =
        ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| Some((name, edge.env.var(name)?)));
    let Some((name, value)) = found else {
        edge.problem(
            "region",
            "missing: give the input, or set AWS_REGION (aws-actions/configure-aws-credentials does)",
        );
        return None;
    };
    let what = |what| edge.problems.push(Problem::new(name, what));
    kinds::region(value).map_err(what).ok()
}

/// The role, which must be of the region's partition and of an allowed account.
fn role(edge: &mut Edge<'_>, region: Option<&str>, allowed: &[String]) -> Option<Role> {
    let role = edge.parsed("role-to-assume", Role::parse)?;
    for fits in [region.map_or(Ok(()), |region| role.fits_region(region)), role.fits_accounts(allowed)] {
        if let Err(what) = fits {
            edge.problem("role-to-assume", what);
        }
    }
    Some(role)
}

/// What gives credentials without a profile: keys, web identity, the container's own.
const CREDENTIALS: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// A profile is a section in files of the runner, which the action's container does not have.
fn check_profile(edge: &mut Edge<'_>) {
    let given = |names: &[&'static str]| names.iter().copied().find(|name| edge.env.var(name).is_some());
    let profile = given(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
    let role = edge.value("role-to-assume").is_some();
    if let (Some(name), None, false) = (profile, given(&CREDENTIALS), role) {
        let what = "profiles of the runner don't exist in the action's container, and AWS_ACCESS_KEY_ID is not set: \
                    let aws-actions/configure-aws-credentials export the credentials";
        edge.problems.push(Problem::new(name, what));
    }
}

/// Variables that the AWS SDK reads by itself, or that are sent as a header: no header holds a line break.
const SENT: [&str; 7] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
];

/// Credentials that were stored with a line break at their end, or with other characters that nobody sees.
fn check_characters(edge: &mut Edge<'_>) {
    for name in SENT {
        if edge.env.has_control_characters(name) {
            let what = "holds a line break or another control character: store the value again without it";
            edge.problems.push(Problem::new(name, what));
        }
    }
}

/// Exported credentials of a session can't be renewed, and when they end is not known; the role's own can and are.
fn check_lasting(edge: &mut Edge<'_>, timeout: Option<Duration>) {
    let renewed = edge.value("role-to-assume").is_some();
    let of_session = edge.env.var("AWS_SESSION_TOKEN").is_some();
    if let Some(timeout) = timeout.filter(|timeout| *timeout > HOUR && of_session && !renewed) {
        let what = format!(
            "{} is longer than exported credentials last by default (1h), and nobody can renew them: give \
             `role-to-assume` here, or `role-duration-seconds` to the step that exports them",
            kinds::show_duration(timeout)
        );
        edge.warnings.push(Warning(Problem::new("input timeout", what)));
    }
}

/// The place that the run works in, as far as it is known without AWS.
fn facts(
    edge: &Edge<'_>,
    (file, place): (&File, Option<&Place>),
    role: Option<&Role>,
    (region, allowed): (Option<&str>, &[String]),
) -> Vec<Fact> {
    let mut facts: Vec<Fact> = region.map(Fact::of_region).into_iter().flatten().collect();
    facts.extend(role.map(Fact::of_role).or_else(|| Fact::of_allowed(allowed)));
    facts.extend(place.map(|place| place::cluster_fact(edge, file, place)));
    facts
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
