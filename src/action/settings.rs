//! The settings of a run: inputs, config file and environment, read once, with all problems reported together.

use std::time::Duration;

use super::compare;
use super::deploy::{self, DeploySettings};
use super::env::Environment;
use super::github::{self, GithubSettings};
use super::identity::{self, Fact, GivenArn};
use super::input_reader::{InputReader, InputWarning, ReadFile};
use super::inputs::{COMMANDS, CommandName};
use super::place::{self, File};
use super::promote;
use super::role::AssumedRole;
use super::traffic::{self, RollbackSettings};
use crate::config::kinds;
use crate::plan::compare::{CompareMode, CompareSettings};
use crate::plan::problem::Problem;
use crate::plan::scalers::Managed;
use crate::plan::traffic::TrafficRequest;
use crate::plan::wanted::{AppPlace, Probe, Promotion};

/// The settings of a run, complete and checked, except for checks that need AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The command with its own settings.
    pub(crate) command: Command,
    /// The cluster, services and listener.
    pub(crate) place: AppPlace,
    /// The name of the app, if the config file has one.
    pub(crate) app: Option<String>,
    /// Scaling of the app's services, if the config file sets it.
    pub(crate) scaling: Option<Managed>,
    /// The AWS region.
    pub(crate) region: String,
    /// The role to assume with the job's id token; none to use the credentials of the environment.
    pub(crate) role: Option<AssumedRole>,
    /// The only allowed accounts; empty for all.
    pub(crate) allowed_account_ids: Vec<String>,
    /// The ARNs among inputs and files: consistent with each other, not yet checked against the credentials.
    pub(crate) arns: Vec<GivenArn>,
    /// True if the run prints the plan and writes nothing.
    pub(crate) plan_only: bool,
    /// Longest wait for the goal.
    pub(crate) timeout: Duration,
    /// Time between two reads of AWS.
    pub(crate) poll_interval: Duration,
    /// Reaction to a cancellation.
    pub(crate) on_cancel: OnCancel,
    /// The comparison of the colors.
    pub(crate) compare: CompareSettings,
    /// The probes that both colors get while both have users. Only a run with steps has any.
    pub(crate) split_probes: Vec<Probe>,
    /// True if a failed deploy shows the last lines of the failed container's log.
    pub(crate) failure_logs: bool,
    /// True if a version is refused that lacks commits that users have.
    pub(crate) refuse_takes_back: bool,
    /// The content for GitHub.
    pub(crate) github: GithubSettings,
}

/// The command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Deploy a version to a color and prove the version healthy.
    Deploy(Box<DeploySettings>),
    /// Move users between the colors.
    Redirect(Box<TrafficRequest>),
    /// Make a color production.
    Promote(Box<Promotion>),
    /// Send all users back.
    Rollback(RollbackSettings),
    /// Show both colors and the commands that are possible now.
    Status,
    /// Find mistakes in the setup.
    Doctor(DoctorSettings),
}

impl Command {
    /// True if the command holds users at steps.
    fn has_steps(&self) -> bool {
        match self {
            Command::Redirect(wish) => !wish.steps.is_empty(),
            Command::Promote(promotion) => !promotion.traffic.steps.is_empty(),
            Command::Deploy(_) | Command::Rollback(_) | Command::Status | Command::Doctor(_) => false,
        }
    }

    /// The command's name in the input.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Command::Deploy(_) => "deploy",
            Command::Redirect(_) => "redirect-traffic",
            Command::Promote(_) => "promote",
            Command::Rollback(_) => "rollback",
            Command::Status => "status",
            Command::Doctor(_) => "doctor",
        }
    }
}

/// The parts of the config file that `doctor` compares with AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DoctorSettings {
    /// True if the app has probes.
    pub(crate) probes: bool,
    /// The rollback alarms of the app.
    pub(crate) alarms: Vec<String>,
}

/// Reaction to a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnCancel {
    /// Restores the changes.
    Restore,
    /// Keeps the changes, and reports that.
    Leave,
}

impl Settings {
    /// The probes of a deploy; none for any other command.
    pub(crate) fn probes(&self) -> &[Probe] {
        match &self.command {
            Command::Deploy(wish) => &wish.probes,
            Command::Redirect(_)
            | Command::Promote(_)
            | Command::Rollback(_)
            | Command::Status
            | Command::Doctor(_) => &[],
        }
    }

    /// The CloudWatch alarms to read: those that a change of traffic watches, or would watch by the config file.
    pub(crate) fn alarms(&self) -> &[String] {
        match &self.command {
            Command::Redirect(wish) => &wish.alarms,
            Command::Promote(promotion) => &promotion.traffic.alarms,
            Command::Doctor(facts) => &facts.alarms,
            Command::Deploy(_) | Command::Rollback(_) | Command::Status => &[],
        }
    }

    /// True if a cancelled run restores its changes.
    pub(crate) fn restore_on_cancel(&self) -> bool {
        self.on_cancel == OnCancel::Restore
    }
}

/// The selected app's parts for `doctor`.
fn doctor_settings(file: &File) -> DoctorSettings {
    let app = file.app.as_ref().map(|(_, app)| app);
    DoctorSettings {
        probes: app.is_some_and(|app| !app.probes.is_empty()),
        alarms: app.map(|app| app.rollback_alarms.clone()).unwrap_or_default(),
    }
}

/// The app's probes, for a run that holds users at steps and compares the colors.
fn split_probes(file: &File, command: Option<&Command>, compare: Option<&CompareSettings>) -> Vec<Probe> {
    let compares = compare.is_some_and(|compare| compare.mode != CompareMode::Off);
    let app = file.app.as_ref().filter(|_| compares && command.is_some_and(Command::has_steps));
    app.map(|(_, app)| app.probes.clone()).unwrap_or_default()
}

/// The words of the input `on-cancel`.
const ON_CANCEL: [(&str, OnCancel); 2] = [("restore", OnCancel::Restore), ("leave", OnCancel::Leave)];

/// Reads everything. `read_file` gets paths relative to the working directory, which is the workspace on a runner.
pub(crate) fn read_inputs(
    env: &Environment,
    read_file: ReadFile<'_>,
) -> Result<(Settings, Vec<InputWarning>), Vec<Problem>> {
    let mut edge = InputReader::new(env, read_file);
    let found = read_settings(&mut edge);
    match found {
        Some(settings) if edge.problems.is_empty() => Ok((settings, edge.warnings)),
        Some(_) | None => Err(edge.problems),
    }
}

/// Reads every setting; each notes its own problems, so none hides another's.
fn read_settings(edge: &mut InputReader<'_>) -> Option<Settings> {
    let name = edge.parsed("command", |value| kinds::one_of(value, &COMMANDS));
    if let Some(name) = name {
        edge.warn_unused(name);
    }
    // Also without a valid command: all problems with the inputs of the likely command are reported at once.
    let meant = edge.command;
    let file = place::read_config_file(edge);
    let place = place::read_place(edge, &file);
    let command = match meant {
        CommandName::Deploy => deploy::read_deploy_inputs(edge, &file, place.as_ref())
            .map(|deploy| Command::Deploy(Box::new(deploy))),
        CommandName::RedirectTraffic => {
            traffic::read_redirect_inputs(edge, &file).map(|wish| Command::Redirect(Box::new(wish)))
        }
        CommandName::Promote => {
            promote::read_promote_inputs(edge, &file).map(|promotion| Command::Promote(Box::new(promotion)))
        }
        CommandName::Rollback => traffic::read_rollback_inputs(edge).map(Command::Rollback),
        CommandName::Status => Some(Command::Status),
        CommandName::Doctor => Some(Command::Doctor(doctor_settings(&file))),
    };
    let compare = compare::read_compare_inputs(edge, command.as_ref().is_some_and(Command::has_steps));
    let split_probes = split_probes(&file, command.as_ref(), compare.as_ref());
    let region = read_region(edge);
    let allowed_account_ids = edge.parsed("allowed-account-ids", kinds::account_ids).unwrap_or_default();
    let role = read_role(edge, region.as_deref(), &allowed_account_ids);
    let plan_only = edge.parsed("plan-only", kinds::parse_boolean);
    let timeout = edge.parsed("timeout", |value| kinds::duration_within(value, MILLISECOND, DAY));
    let poll_interval = edge.parsed("poll-interval", |value| kinds::duration_within(value, TENTH, MINUTE));
    let on_cancel = edge.parsed("on-cancel", |value| kinds::one_of(value, &ON_CANCEL));
    let (refuse_takes_back, failure_logs) = (read_refuse_takes_back(edge), read_failure_logs(edge));
    let github = github::read_github_inputs(edge, &file, place.as_ref());
    check_credentials(edge, timeout);
    let facts = identity_facts(
        edge,
        (&file, place.as_ref()),
        role.as_ref(),
        (region.as_deref(), &allowed_account_ids),
    );
    edge.problems.extend(identity::find_contradictions(facts, &edge.arns));
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
        compare: compare?,
        split_probes,
        failure_logs: failure_logs?,
        refuse_takes_back: refuse_takes_back?,
        github: github?,
    })
}

/// Reads `refuse-takes-back`; false for a command without this input.
fn read_refuse_takes_back(edge: &mut InputReader<'_>) -> Option<bool> {
    match edge.command {
        CommandName::Deploy | CommandName::RedirectTraffic | CommandName::Promote => {
            edge.parsed("refuse-takes-back", kinds::parse_boolean)
        }
        CommandName::Rollback | CommandName::Status | CommandName::Doctor => Some(false),
    }
}

/// Reads `failure-logs`; false for a command without this input.
fn read_failure_logs(edge: &mut InputReader<'_>) -> Option<bool> {
    match edge.command {
        CommandName::Deploy | CommandName::Promote => edge.parsed("failure-logs", kinds::parse_boolean),
        CommandName::RedirectTraffic | CommandName::Rollback | CommandName::Status | CommandName::Doctor => {
            Some(false)
        }
    }
}

/// The shortest time-out.
const MILLISECOND: Duration = Duration::from_millis(1);
/// The shortest time between two reads of AWS.
const TENTH: Duration = Duration::from_millis(100);
/// The longest time between two reads of AWS.
const MINUTE: Duration = Duration::from_secs(60);
/// Default duration of a session.
const HOUR: Duration = Duration::from_secs(3600);
/// The longest time-out.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The region, by input or environment. Otherwise AWS's own search would wait for a machine's metadata.
fn read_region(edge: &mut InputReader<'_>) -> Option<String> {
    if edge.value("region").is_some() {
        return edge.parsed("region", kinds::parse_region);
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
    kinds::parse_region(value).map_err(what).ok()
}

/// The role, which must belong to the region's partition and to an allowed account.
fn read_role(edge: &mut InputReader<'_>, region: Option<&str>, allowed: &[String]) -> Option<AssumedRole> {
    let role = edge.parsed("role-to-assume", AssumedRole::parse)?;
    for fits in [region.map_or(Ok(()), |region| role.fits_region(region)), role.fits_accounts(allowed)] {
        if let Err(what) = fits {
            edge.problem("role-to-assume", what);
        }
    }
    Some(role)
}

/// Variables that provide credentials without a profile: keys, web identity, the container's own.
const CREDENTIALS: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// Checks the credentials of the environment.
fn check_credentials(edge: &mut InputReader<'_>, timeout: Option<Duration>) {
    check_profile(edge);
    check_characters(edge);
    check_lasting(edge, timeout);
}

/// Checks for a profile: a section in files of the runner, which the action's container lacks.
fn check_profile(edge: &mut InputReader<'_>) {
    let given = |names: &[&'static str]| names.iter().copied().find(|name| edge.env.var(name).is_some());
    let profile = given(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
    let role = edge.value("role-to-assume").is_some();
    if let (Some(name), None, false) = (profile, given(&CREDENTIALS), role) {
        let what = "profiles of the runner don't exist in the action's container, and AWS_ACCESS_KEY_ID is not set: \
                    let aws-actions/configure-aws-credentials export the credentials";
        edge.problems.push(Problem::new(name, what));
    }
}

/// Variables that the AWS SDK reads by itself, or that are sent as a header: a header can't contain a line break.
const SENT: [&str; 7] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
];

/// Checks for credentials that were stored with a line break at their end, or with other invisible characters.
fn check_characters(edge: &mut InputReader<'_>) {
    for name in SENT {
        if edge.env.has_control_characters(name) {
            let what = "holds a line break or another control character: store the value again without it";
            edge.problems.push(Problem::new(name, what));
        }
    }
}

/// Warns about exported session credentials: their end is unknown, and the run can't renew them, unlike those of a
/// role.
fn check_lasting(edge: &mut InputReader<'_>, timeout: Option<Duration>) {
    let renewed = edge.value("role-to-assume").is_some();
    let of_session = edge.env.var("AWS_SESSION_TOKEN").is_some();
    if let Some(timeout) = timeout.filter(|timeout| *timeout > HOUR && of_session && !renewed) {
        let what = format!(
            "{} is longer than exported credentials last by default (1h), and nobody can renew them: give \
             `role-to-assume` here, or `role-duration-seconds` to the step that exports them",
            kinds::show_duration(timeout)
        );
        edge.warnings.push(InputWarning(Problem::new("input timeout", what)));
    }
}

/// The known facts about the run's place, without a call to AWS.
fn identity_facts(
    edge: &InputReader<'_>,
    (file, place): (&File, Option<&AppPlace>),
    role: Option<&AssumedRole>,
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
