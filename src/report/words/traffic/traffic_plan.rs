//! The parts of a change of traffic: changes, needs, and clients that stay behind.

use std::time::Duration;

use crate::plan::color::{Color, Split};
use crate::plan::patience::job_minutes;
use crate::plan::step::{Capacity, Purpose, Step};
use crate::plan::traffic::{Load, LoadSource, RuleChange, TrafficPlan};
use crate::report::names::{
    count_noun, format_change, format_duration, format_shares, in_backticks, join_with_and, short_arn,
};

/// Time until new weights apply: AWS names no bound.
pub(crate) const PROPAGATION: &str = "Each node of the load balancer takes new weights over by itself, as a rule within seconds: until then some requests still go by the old ones.";

/// The colors that serve users, with versions: `` green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 % ``.
pub(crate) fn render_serving(split: Split, first: Color, versions: &[(Color, String)]) -> String {
    let (blue, green) = split.percent();
    let name = |color: Color| {
        let version = versions.iter().find(|(known, _)| *known == color);
        version.map_or_else(
            || color.to_string(),
            |(_, arn)| format!("{color} ({})", in_backticks(short_arn(arn))),
        )
    };
    match (first, blue, green) {
        (_, _, 0) => format!("{} serves all users", name(Color::Blue)),
        (_, 0, _) => format!("{} serves all users", name(Color::Green)),
        (Color::Green, ..) => {
            format!("{} serves {green} % of the users, {} {blue} %", name(Color::Green), name(Color::Blue))
        }
        (Color::Blue, ..) => {
            format!("{} serves {blue} % of the users, {} {green} %", name(Color::Blue), name(Color::Green))
        }
    }
}

/// One rule: `` `HTTPS:443 default`: blue -> blue-80 (80 % blue, 20 % green) ``.
pub(crate) fn render_rule(rule: &RuleChange, traffic_plan: &TrafficPlan) -> String {
    if let Some(copy) = traffic_plan.copy.as_ref().filter(|copy| copy.away) {
        return format!("{}: {} -> {} -> {}", in_backticks(&rule.name), rule.before, copy.tested, rule.after);
    }
    format!(
        "{}: {} ({})",
        in_backticks(&rule.name),
        format_change(rule.before, rule.after),
        format_shares(rule.after)
    )
}

/// The `timeout-minutes` that lets a job finish a run of this length.
pub(crate) fn job_time(longest: Duration) -> String {
    let minutes = job_minutes(longest);
    format!(
        "The run takes at most {}: set `timeout-minutes: {minutes}` or more for the job",
        format_duration(longest)
    )
}

/// Each color's version: `` blue runs `web:7`, green runs `web:8` ``.
pub(crate) fn render_versions(traffic_plan: &TrafficPlan) -> String {
    let one = |(color, arn): &(Color, String)| format!("{color} runs {}", in_backticks(short_arn(arn)));
    traffic_plan.versions.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Number of targets that all users need, and the source of this number.
pub(crate) fn render_load(load: Load) -> String {
    let need = format!("All users need {}", count_noun(load.targets, "target"));
    match load.how {
        LoadSource::Largest => format!("{need}: the larger desired count of the two colors"),
        LoadSource::Scaled(color) => {
            format!("{need}: {color}'s desired count divided by its share of the users now, rounded up")
        }
        LoadSource::Most => format!("{need}: the largest MaxCapacity"),
    }
}

/// A color's capacity and need; `load` is the need of its share of the load, which a forced run does not wait for.
pub(crate) fn render_capacity(capacity: &Capacity, load: u32) -> String {
    let most = capacity.most.map(|most| format!(", MaxCapacity {most}")).unwrap_or_default();
    format!(
        "{} gets {} % of the users: {} healthy, {} needed, desired count {}{most}",
        capacity.color,
        capacity.share,
        capacity.healthy,
        render_needed(capacity, load),
        capacity.desired
    )
}

/// Number of healthy targets needed: `2`, or `1 of 6` if a forced run waits for less than the load needs.
pub(crate) fn render_needed(capacity: &Capacity, load: u32) -> String {
    match capacity.needed {
        needed if needed < load => format!("{needed} of {load}"),
        needed => needed.to_string(),
    }
}

/// The counts that change before any weight moves.
pub(crate) fn scaled_first(traffic_plan: &TrafficPlan) -> Option<String> {
    let moves =
        |step: &&Step| matches!(step, Step::Weights(weights) if !weights.before.same_ratio(weights.after));
    let before = traffic_plan.steps.iter().take_while(|step| !moves(step));
    let counts = before.filter_map(Step::update).filter(|update| update.purpose == Purpose::Traffic);
    let scaled: Vec<String> = counts
        .filter_map(|update| {
            let tasks = count_noun(update.desired?, "task");
            Some(format!("{} ({}) to {tasks}", in_backticks(&update.service), update.color))
        })
        .collect();
    let moves_at_all = traffic_plan.steps.iter().any(|step| moves(&step));
    (!scaled.is_empty() && moves_at_all)
        .then(|| format!("Scaled before users move: {}", join_with_and(&scaled)))
}

/// The shares that hold users on the way.
pub(crate) fn render_bake_steps(traffic_plan: &TrafficPlan) -> Option<String> {
    let (_, first) = traffic_plan.bakes.first()?;
    let shares: Vec<String> = traffic_plan.bakes.iter().map(|(share, _)| format!("{share} %")).collect();
    let each = if shares.len() > 1 { " each" } else { "" };
    let counts = match traffic_plan.counts {
        Duration::ZERO => String::new(),
        counts => format!(
            ", and up to {} more until the load balancer's counts are complete",
            format_duration(counts)
        ),
    };
    Some(format!(
        "Users are held on the way at {} {}, {}{each}{counts}",
        join_with_and(&shares),
        traffic_plan.receiver,
        format_duration(*first)
    ))
}

/// Alarms without data, which can't warn.
pub(crate) fn render_silent_alarms(no_data: &[String]) -> Option<String> {
    let names: Vec<String> = no_data.iter().map(|name| in_backticks(name)).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("the alarm {one} has no data and can't warn")),
        more => Some(format!("the alarms {} have no data and can't warn", join_with_and(more))),
    }
}

/// Longest time that clients may stay at a color that loses users (invariant 20).
pub(crate) fn render_stickiness(traffic_plan: &TrafficPlan) -> Option<String> {
    let loser = super::undo::losing_color(traffic_plan.from, traffic_plan.to)?;
    let sticky: Vec<String> = traffic_plan
        .rules
        .iter()
        .filter_map(|rule| {
            Some(format!("{} ({})", in_backticks(&rule.name), format_duration(rule.stickiness?)))
        })
        .collect();
    (!sticky.is_empty()).then(|| {
        format!(
            "Stickiness is on at {}: each request renews the client's cookie, which lives that long after it. Clients of {loser} may stay at {loser} as long as they keep coming, and that long after their last request.",
            join_with_and(&sticky)
        )
    })
}

/// Reason why the color without users keeps its tasks, and the way to shrink the color.
pub(crate) fn render_kept_size(traffic_plan: &TrafficPlan) -> String {
    let loser = traffic_plan.receiver.other();
    let longest = traffic_plan.rules.iter().filter_map(|rule| rule.stickiness).max().unwrap_or_default();
    // `max-drain` is at most one day.
    let way = match longest <= Duration::from_secs(24 * 3600) {
        true => {
            let longest = format_duration(longest).replace(' ', "");
            format!(
                "run again with `max-drain: {longest}`, which waits for so long, or once stickiness is off"
            )
        }
        false => "run again once stickiness is off or shorter".to_owned(),
    };
    let longest = format_duration(longest);
    format!(
        "{loser} stays at its size: stickiness may keep clients there for {longest} after their last request, and `max-drain` is shorter. To shrink it, {way}."
    )
}

/// Reason why a color with all users does not scale in yet, and the remedy.
pub(crate) fn render_suspended((color, window): (Color, Duration)) -> String {
    let window = format_duration(window);
    format!(
        "{color} does not scale in yet: its low alarm looks back for {window}, so it has to carry all users for so long first, and `timeout` is shorter. To let it, run again with `timeout: {}` or more.",
        window.replace(' ', "")
    )
}

/// The shortage that a forced change left.
pub(crate) fn render_shortfall(capacity: &Capacity) -> String {
    format!(
        "Forced: {} serves {} % of the users with {} of the {} healthy targets that they need.",
        capacity.color, capacity.share, capacity.healthy, capacity.needed
    )
}

/// Most steps of a plan that are listed.
const MOST_STEPS: usize = 60;
/// Listed steps at the end of a longer plan.
const LAST_STEPS: usize = 20;

/// The steps of a plan that lists none.
pub(crate) fn no_steps(traffic_plan: &TrafficPlan) -> String {
    if !traffic_plan.too_long {
        return "nothing to change; capacity and health are confirmed".to_owned();
    }
    let rules = u32::try_from(traffic_plan.rules.len()).unwrap_or(u32::MAX);
    let shares = u32::try_from(traffic_plan.bakes.len() + 1).unwrap_or(u32::MAX);
    format!(
        "the steps are too many to list: {} are written for each of {}",
        count_noun(rules, "rule"),
        count_noun(shares, "share")
    )
}

/// The unlisted steps in the middle of a long plan, by their position from 0; empty for a short plan.
pub(crate) fn hidden_steps(count: usize) -> std::ops::Range<usize> {
    if count <= MOST_STEPS { count..count } else { MOST_STEPS - LAST_STEPS..count - LAST_STEPS }
}

/// Replaces the unlisted steps.
pub(crate) fn more_steps(hidden: &std::ops::Range<usize>) -> String {
    format!("… steps {} to {}, of the same kind", hidden.start + 1, hidden.end)
}

#[cfg(test)]
mod hidden {
    use super::{hidden_steps, more_steps};

    #[test]
    fn a_long_plan_is_shortened_in_the_middle() {
        assert!(hidden_steps(60).is_empty());
        assert_eq!(hidden_steps(0), 0..0);
        assert_eq!(hidden_steps(372), 40..352);
        assert_eq!(more_steps(&(40..352)), "… steps 41 to 352, of the same kind");
    }
}
