//! The inputs of `redirect-traffic` and `rollback`, as types, and those that `promote` shares with them.

use std::time::Duration;

use super::deploy;
use super::edge::Edge;
use super::inputs::CommandName;
use super::place::File;
use super::share;
use crate::config::kinds::{self, show_duration, shown};
use crate::plan::arn::Arn;
use crate::plan::color::{Color, Split};
use crate::plan::traffic::Wish;

/// What a rollback is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RollbackSettings {
    /// Where all users go: never develop; without it, the color that has none.
    pub(crate) color: Option<Color>,
    /// Whether a color with too few tasks is scaled up first.
    pub(crate) scale_up: bool,
    /// Whether one healthy target is enough.
    pub(crate) force: bool,
    /// Whether a color's target group may be brought into a production rule that holds the other one alone.
    pub(crate) adopt: bool,
    /// How long a color has to carry all users before scale-in is allowed again.
    pub(crate) settle: Duration,
}

/// Reads the inputs of `redirect-traffic`.
pub(super) fn redirect(edge: &mut Edge<'_>, file: &File) -> Option<Wish> {
    let to = edge.parsed("traffic", share::split);
    let wish = wish(edge, file, to);
    let expect = expected(edge);
    let mut wish = Wish { expect, ..wish? };
    if wish.force && wish.steps.is_empty() {
        // Nothing watches them, and one that can't be read must not keep users where they fail.
        wish.alarms.clear();
    }
    if wish.force && !wish.steps.is_empty() {
        edge.problem("force", "`true` moves the traffic at once, and `steps` hold it on the way: keep one");
    }
    Some(wish)
}

/// Reads the inputs of `rollback`.
pub(super) fn rollback(edge: &mut Edge<'_>) -> Option<RollbackSettings> {
    let color = edge.parsed("color", color);
    let (scale_up, force) = (edge.parsed("scale-up", kinds::boolean), edge.parsed("force", kinds::boolean));
    let (adopt, settle) = (edge.parsed("adopt", kinds::boolean), settle(edge));
    Some(RollbackSettings { color, scale_up: scale_up?, force: force?, adopt: adopt?, settle: settle? })
}

/// The inputs of a change of traffic to this split. It expects no task definition, and is forced only where its command has that.
pub(super) fn wish(edge: &mut Edge<'_>, file: &File, to: Option<Split>) -> Option<Wish> {
    let steps = share::steps(edge, to);
    let bake = edge.parsed("bake-time", |value| kinds::duration_within(value, MILLISECOND, DAY));
    let alarms = alarms(edge, Some(file).filter(|_| !steps.is_empty()));
    let (scale_up, force) = (edge.parsed("scale-up", kinds::boolean), force(edge));
    let (adopt, settle) = (edge.parsed("adopt", kinds::boolean), settle(edge));
    let wish = Wish {
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

/// Whether one healthy target is enough; never for a promote, which has time.
fn force(edge: &mut Edge<'_>) -> Option<bool> {
    if edge.command == CommandName::Promote { Some(false) } else { edge.parsed("force", kinds::boolean) }
}

/// The words of the input `color` where users are meant.
const COLORS: [(&str, Color); 2] = [("blue", Color::Blue), ("green", Color::Green)];

/// A color that can have users.
pub(super) fn color(value: &str) -> Result<Color, String> {
    match value {
        "develop" => Err("`develop` never takes production traffic: write `blue` or `green`".to_owned()),
        value => kinds::one_of(value, &COLORS),
    }
}

/// The shortest bake.
const MILLISECOND: Duration = Duration::from_millis(1);
/// The longest time to settle, and how long exported credentials last where nobody asked for more (the default of
/// `role-duration-seconds` of aws-actions/configure-aws-credentials).
const HOUR: Duration = Duration::from_secs(3600);
/// How long a job on GitHub's own runners can last (GitHub's usage limits).
const JOB: Duration = Duration::from_secs(6 * 3600);
/// The longest bake.
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long a color has to carry all users.
fn settle(edge: &mut Edge<'_>) -> Option<Duration> {
    edge.parsed("settle", |value| kinds::duration_within(value, Duration::ZERO, HOUR))
}

/// The alarms by name, each once: the input's, or those of the config file, which are for runs with steps: nothing else
/// watches them, and one that was deleted must not keep users where they fail.
fn alarms(edge: &mut Edge<'_>, file: Option<&File>) -> Vec<String> {
    let input = edge.list("rollback-alarms", |reader, node| reader.parsed(node, kinds::alarm), kinds::alarm);
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

/// The task definition that was approved. A family alone would be any of its revisions.
pub(super) fn expected(edge: &mut Edge<'_>) -> Option<String> {
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
            shown(value)
        )),
        (false, _) => Err(format!("{} is neither an ARN nor `FAMILY:REVISION`", shown(value))),
    }
}

/// Warns of bakes that outlive the job or the credentials.
fn warn_long(edge: &mut Edge<'_>, wish: &Wish) {
    let count = u32::try_from(wish.steps.len()).unwrap_or(u32::MAX);
    let sum = wish.bake.saturating_mul(count);
    let held = format!("{count} steps of {} each take {}", show_duration(wish.bake), show_duration(sum));
    outlives(edge, "bake-time", sum, &held);
}

/// Warns of a time that is longer than the job or the credentials last. `told` says how long it is, in a sentence that
/// goes on with `but`.
pub(super) fn outlives(edge: &mut Edge<'_>, input: &str, time: Duration, told: &str) {
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
