//! `status-json`: a stable format, described field by field below.

use serde::Serialize;

use super::live_color;
use crate::failure::Reason;
use crate::plan;
use crate::plan::aws_error::AwsError;
use crate::plan::color::{ServiceColor, Split};
use crate::plan::overview::{ColorView, Movable, Overview, WhyNot};
use crate::plan::snapshot::Rollout;
use crate::report::comparison::comparison_json;
use crate::report::secrets::mask_line;
use crate::report::words;

/// `status-json`, version 1. New keys may be added; a changed meaning gets a new version.
#[derive(Serialize)]
struct StatusJson<'a> {
    /// The version of this format.
    version: u32,
    /// The cluster's name.
    cluster: &'a str,
    /// The region.
    region: &'a str,
    /// The split of users; null if unknown.
    traffic: Option<Traffic>,
    /// Reason for an unknown split, as one sentence; null if the split is known.
    traffic_problem: Option<String>,
    /// Address of production.
    production_url: Option<&'a str>,
    /// The production rules.
    rules: Vec<RuleJson<'a>>,
    /// Blue, green and develop, each if it exists.
    colors: Vec<ColorJson<'a>>,
    /// Services that do not exist.
    missing: Vec<Missing<'a>>,
    /// Unreadable parts; every value that depends on one is null above.
    unread: Vec<Unread<'a>>,
    /// Deviations of the traffic setup, a sentence each.
    drift: Vec<String>,
    /// The colors compared, as in the output `compared`; null without a comparison.
    compared: Option<serde_json::Value>,
    /// The commands, with their availability now.
    commands: Vec<CommandJson>,
}

/// A split.
#[derive(Serialize)]
struct Traffic {
    /// A preset, or `95/5`.
    split: String,
    /// `blue`, `green` or `both`.
    live_color: &'static str,
    /// Percent of the users.
    blue: u32,
    /// Percent of the users.
    green: u32,
}

/// A production rule.
#[derive(Serialize)]
struct RuleJson<'a> {
    /// `HTTPS:443 default`, `HTTPS:443 rule 10`.
    name: &'a str,
    /// Percent of the users.
    blue: u32,
    /// Percent of the users.
    green: u32,
}

/// A color.
#[derive(Serialize)]
struct ColorJson<'a> {
    /// `blue`, `green`, `develop`.
    color: &'static str,
    /// The service's name.
    service: &'a str,
    /// `family:revision`.
    task_definition: &'a str,
    /// `family:revision` of its running tasks, if none of them runs `task_definition`; else null.
    runs: Option<&'a str>,
    /// The image of the container that receives traffic.
    image: Option<&'a str>,
    /// Image digests of the running tasks.
    digests: &'a [String],
    /// The commit in the revision's tags.
    commit: Option<&'a str>,
    /// Running tasks.
    running: u32,
    /// Desired count.
    desired: u32,
    /// Healthy targets of its own tasks.
    healthy: Option<u32>,
    /// Registered targets, without foreign ones.
    registered: Option<u32>,
    /// Targets in the group without a task of the service, each `ADDRESS:PORT`, confirmed by two looks.
    foreign_targets: &'a [String],
    /// Percent of the users; null for develop or if unknown.
    percent: Option<u32>,
    /// Test address.
    test_url: Option<&'a str>,
    /// `IN_PROGRESS`, `COMPLETED`, `FAILED`, `UNKNOWN`.
    rollout: Option<&'static str>,
    /// MinCapacity; null without a scalable target or if unreadable.
    min_capacity: Option<u32>,
    /// MaxCapacity.
    max_capacity: Option<u32>,
    /// True if scale-in is suspended.
    scale_in_suspended: Option<bool>,
}

/// A service that does not exist.
#[derive(Serialize)]
struct Missing<'a> {
    /// The color.
    color: &'static str,
    /// The name.
    service: &'a str,
}

/// A part that could not be read.
#[derive(Serialize)]
struct Unread<'a> {
    /// The IAM action.
    action: &'static str,
    /// The resource that could not be read.
    resource: &'a str,
    /// A word of the output `reason`.
    reason: &'static str,
    /// AWS's error code.
    code: Option<String>,
}

/// A command, and its availability now.
#[derive(Serialize)]
struct CommandJson {
    /// `deploy`, `redirect-traffic`, `rollback`, `promote`.
    command: &'static str,
    /// The color to deploy to or to move users to.
    color: &'static str,
    /// True if the command would start.
    valid: bool,
    /// Reason against the command, in a word of the output `reason`, or `unknown`, or `all-there`.
    reason: Option<&'static str>,
    /// Reason against the command, for people.
    message: Option<&'static str>,
}

/// The overview as `status-json`; one line.
pub(crate) fn status_json(overview: &Overview) -> String {
    let known = overview.split.as_ref().and_then(|split| split.as_ref().ok()).copied();
    let status = StatusJson {
        version: 1,
        cluster: &overview.place.cluster,
        region: &overview.place.region,
        traffic: known.map(|split| traffic_json(split, overview)),
        traffic_problem: match (&overview.split, known) {
            (_, Some(_)) => None,
            (Some(Err(tangled)), None) => Some(words::render_routing_error(tangled).0),
            (Some(Ok(_)) | None, None) => Some("The listener rules could not be read.".to_owned()),
        },
        production_url: overview.production_url.as_deref(),
        rules: overview.rules.iter().map(|(name, split)| rule_json(name, *split)).collect(),
        colors: overview.colors.iter().map(color_json).collect(),
        missing: overview
            .missing
            .iter()
            .map(|(color, service)| Missing { color: color.word(), service })
            .collect(),
        unread: overview.unread.iter().map(unread_json).collect(),
        drift: overview.drift.iter().map(words::render_drift).collect(),
        compared: overview.compared.as_ref().map(comparison_json),
        commands: command_list(overview),
    };
    serde_json::to_string(&status).unwrap_or_default()
}

/// A split.
fn traffic_json(split: Split, overview: &Overview) -> Traffic {
    let (blue, green) = split.percent();
    let is_live = |color| overview.is_live(color, Some(split));
    let live_color = live_color(is_live(plan::color::Color::Blue), is_live(plan::color::Color::Green));
    Traffic { split: split.to_string(), live_color, blue, green }
}

/// A rule.
fn rule_json(name: &str, split: Split) -> RuleJson<'_> {
    let (blue, green) = split.percent();
    RuleJson { name, blue, green }
}

/// A color.
fn color_json(view: &ColorView) -> ColorJson<'_> {
    ColorJson {
        color: view.color.word(),
        service: &view.service,
        task_definition: &view.revision,
        runs: view.runs.as_deref(),
        image: view.image.as_deref(),
        digests: &view.digests,
        commit: view.commit.as_deref(),
        running: view.running,
        desired: view.desired,
        healthy: view.healthy.map(|(healthy, _)| healthy),
        registered: view.healthy.map(|(_, all)| all),
        foreign_targets: &view.foreign,
        percent: view.percent,
        test_url: view.test_url.as_deref(),
        rollout: view.rollout.map(|rollout| match rollout {
            Rollout::InProgress => "IN_PROGRESS",
            Rollout::Completed => "COMPLETED",
            Rollout::Failed => "FAILED",
            Rollout::Unknown => "UNKNOWN",
        }),
        min_capacity: view.scaling.map(|scaling| scaling.min),
        max_capacity: view.scaling.map(|scaling| scaling.max),
        scale_in_suspended: view.scaling.map(|scaling| scaling.in_suspended),
    }
}

/// An unreadable part.
fn unread_json(trouble: &AwsError) -> Unread<'_> {
    Unread {
        action: trouble.action,
        resource: &trouble.resource,
        reason: Reason::of_trouble(trouble.kind).word(),
        code: trouble.code.as_deref().map(mask_line),
    }
}

/// Every command with every color.
fn command_list(overview: &Overview) -> Vec<CommandJson> {
    let deploys = overview.deployable.iter().map(|(color, valid)| command_json("deploy", *color, *valid));
    let moves = overview
        .movable
        .iter()
        .map(|Movable { command, color, valid }| command_json(words::command_name(*command), *color, *valid));
    deploys.chain(moves).collect()
}

/// A command, and its availability.
fn command_json(
    command: &'static str,
    color: impl Into<ServiceColor>,
    valid: Result<(), WhyNot>,
) -> CommandJson {
    let word = |why| match why {
        WhyNot::Live => Reason::LiveColor.word(),
        WhyNot::InFlight => Reason::InFlight.word(),
        WhyNot::Disagree => Reason::RulesDisagree.word(),
        WhyNot::NotAdopted => Reason::NotAdopted.word(),
        WhyNot::NoneHealthy => Reason::NotEnoughTargets.word(),
        WhyNot::AllThere => "all-there",
        WhyNot::RolloutUnknown | WhyNot::Unknown | WhyNot::Unread => "unknown",
    };
    let why = valid.err();
    CommandJson {
        command,
        color: color.into().word(),
        valid: why.is_none(),
        reason: why.map(word),
        message: why.map(words::why_not),
    }
}
