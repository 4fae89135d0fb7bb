//! The inputs of `redirect-traffic` and `rollback`, as types, and the inputs that `promote` shares with both.

use std::time::Duration;

use super::deploy;
use super::input_reader::InputReader;
use super::inputs::CommandName;
use super::place::File;
use super::share;
use crate::config::kinds::{self, quote_value, show_duration};
use crate::plan::arn::Arn;
use crate::plan::color::{Color, Split};
use crate::plan::traffic::TrafficRequest;

/// The settings of a rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RollbackSettings {
    /// The color that gets all users, never develop; without a color, the color without users.
    pub(crate) color: Option<Color>,
    /// True if a color with too few tasks is scaled up first.
    pub(crate) scale_up: bool,
    /// True if one healthy target is enough.
    pub(crate) force: bool,
    /// True if a color's target group may be added to a production rule that forwards only to the other color.
    pub(crate) adopt: bool,
    /// Time that a color must carry all users before scale-in is allowed again.
    pub(crate) settle: Duration,
}

/// Reads the inputs of `redirect-traffic`.
pub(super) fn read_redirect_inputs(edge: &mut InputReader<'_>, file: &File) -> Option<TrafficRequest> {
    let to = edge.parsed("traffic", share::parse_split);
    let wish = read_traffic_inputs(edge, file, to);
    let expect = read_expected_definition(edge);
    let mut wish = TrafficRequest { expect, ..wish? };
    if wish.force && wish.steps.is_empty() {
        // Without steps, no alarm is watched, and an unreadable alarm must not block a forced move away from errors.
        wish.alarms.clear();
    }
    if wish.force && !wish.steps.is_empty() {
        edge.problem("force", "`true` moves the traffic at once, and `steps` hold it on the way: keep one");
    }
    Some(wish)
}

/// Reads the inputs of `rollback`.
pub(super) fn read_rollback_inputs(edge: &mut InputReader<'_>) -> Option<RollbackSettings> {
    let color = edge.parsed("color", parse_color);
    let (scale_up, force) =
        (edge.parsed("scale-up", kinds::parse_boolean), edge.parsed("force", kinds::parse_boolean));
    let (adopt, settle) = (edge.parsed("adopt", kinds::parse_boolean), read_settle(edge));
    Some(RollbackSettings { color, scale_up: scale_up?, force: force?, adopt: adopt?, settle: settle? })
}

/// The inputs of a change of traffic to this split. Sets no expected task definition. Forced only for commands with the
/// input `force`.
pub(super) fn read_traffic_inputs(
    edge: &mut InputReader<'_>,
    file: &File,
    to: Option<Split>,
) -> Option<TrafficRequest> {
    let steps = share::read_steps(edge, to);
    let bake = edge.parsed("bake-time", |value| kinds::duration_within(value, MILLISECOND, DAY));
    let alarms = read_rollback_alarms(edge, Some(file).filter(|_| !steps.is_empty()));
    let (scale_up, force) = (edge.parsed("scale-up", kinds::parse_boolean), read_force(edge));
    let (adopt, settle) = (edge.parsed("adopt", kinds::parse_boolean), read_settle(edge));
    let wish = TrafficRequest {
        to: to?,
        steps,
        bake: bake?,
        alarms,
        scale_up: scale_up?,
        force: force?,
        adopt: adopt?,
        expect: None,
        settle: settle?,
    };
    warn_long(edge, &wish);
    Some(wish)
}

/// True if one healthy target is enough; never for a promote, which is not urgent.
fn read_force(edge: &mut InputReader<'_>) -> Option<bool> {
    if edge.command == CommandName::Promote {
        Some(false)
    } else {
        edge.parsed("force", kinds::parse_boolean)
    }
}

/// The words of the input `color` of commands that move users.
const COLORS: [(&str, Color); 2] = [("blue", Color::Blue), ("green", Color::Green)];

/// A color that can have users.
pub(super) fn parse_color(value: &str) -> Result<Color, String> {
    match value {
        "develop" => Err("`develop` never takes production traffic: write `blue` or `green`".to_owned()),
        value => kinds::one_of(value, &COLORS),
    }
}

/// The shortest bake.
const MILLISECOND: Duration = Duration::from_millis(1);
/// The longest time to settle, and the default lifetime of exported credentials (`role-duration-seconds` of
/// aws-actions/configure-aws-credentials).
const HOUR: Duration = Duration::from_secs(3600);
/// Longest duration of a job on GitHub's own runners (GitHub's usage limits).
const JOB: Duration = Duration::from_secs(6 * 3600);
/// The longest bake.
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Time that a color must carry all users.
fn read_settle(edge: &mut InputReader<'_>) -> Option<Duration> {
    edge.parsed("settle", |value| kinds::duration_within(value, Duration::ZERO, HOUR))
}

/// The names of the alarms, without duplicates: from the input, or for runs with steps from the config file. Without
/// steps, no alarm is watched, and a deleted alarm must not block a move away from errors.
fn read_rollback_alarms(edge: &mut InputReader<'_>, file: Option<&File>) -> Vec<String> {
    let input = edge.list(
        "rollback-alarms",
        |reader, node| reader.parsed(node, kinds::parse_alarm),
        kinds::parse_alarm,
    );
    let app = file.and_then(|file| file.app.as_ref());
    let place = match (&input, file, app) {
        (None, Some(file), Some((name, _))) => format!("{} apps.{name}.rollback-alarms", file.path),
        _ => "input rollback-alarms".to_owned(),
    };
    let from_file = || app.map(|(_, app)| app.rollback_alarms.clone()).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for alarm in input.unwrap_or_else(from_file) {
        let name = kinds::alarm_name(&alarm).unwrap_or(&alarm).to_owned();
        edge.note_arn(&place, &alarm);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The approved task definition. A family alone would allow all its revisions.
pub(super) fn read_expected_definition(edge: &mut InputReader<'_>) -> Option<String> {
    let found = edge.parsed("expect-task-definition", expected_one);
    if let Some(found) = &found {
        edge.note_arn("input expect-task-definition", found);
    }
    found
}

/// An ARN with a revision, or `FAMILY:REVISION`.
fn expected_one(value: &str) -> Result<String, String> {
    let family = if Arn::looks_like(value) {
        deploy::definition_arn(value)?;
        value.rsplit('/').next().unwrap_or(value)
    } else {
        value
    };
    match (deploy::is_family(family), family.contains(':')) {
        (true, true) => Ok(value.to_owned()),
        (true, false) => Err(format!(
            "{} has no revision: write the one that was approved, such as `{family}:7`",
            quote_value(value)
        )),
        (false, _) => Err(format!("{} is neither an ARN nor `FAMILY:REVISION`", quote_value(value))),
    }
}

/// Warns if the bakes outlive the job or the credentials.
fn warn_long(edge: &mut InputReader<'_>, wish: &TrafficRequest) {
    let count = u32::try_from(wish.steps.len()).unwrap_or(u32::MAX);
    let sum = wish.bake.saturating_mul(count);
    let held = format!("{count} steps of {} each take {}", show_duration(wish.bake), show_duration(sum));
    warn_if_outlives(edge, "bake-time", sum, &held);
}

/// Warns if a time outlives the job or the credentials. `told` states the time, in a sentence that continues with
/// `but`.
pub(super) fn warn_if_outlives(edge: &mut InputReader<'_>, input: &str, time: Duration, told: &str) {
    if time > JOB {
        let what = format!(
            "{told}, but a job on GitHub's own runners ends after {}: the run would be killed on the way",
            show_duration(JOB)
        );
        edge.warning(input, what);
    }
    let temporary = edge.env.var("AWS_SESSION_TOKEN").is_some() && edge.value("role-to-assume").is_none();
    if temporary && time > HOUR {
        let what = format!(
            "{told}, but exported credentials last {} where `role-duration-seconds` does not say more: let `role-to-assume` renew them",
            show_duration(HOUR)
        );
        edge.warning(input, what);
    }
}

#[cfg(test)]
#[path = "traffic_tests.rs"]
pub(super) mod tests;
