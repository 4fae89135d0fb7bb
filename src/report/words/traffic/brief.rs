//! What a change of traffic changes, what it needs, and whom it leaves behind.

use std::time::Duration;

use crate::plan::color::{Color, Split};
use crate::plan::patience::job_minutes;
use crate::plan::step::{Capacity, Purpose, Step};
use crate::plan::traffic::{Brief, Load, Reckoned, RuleChange};
use crate::report::names::{and, change, count, duration, quoted, shares, short_arn};

/// When new weights hold: AWS names no bound.
pub(crate) const PROPAGATION: &str = "Each node of the load balancer takes new weights over by itself, as a rule within seconds: until then some requests still go by the old ones.";

/// Who serves users, with versions: `` green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 % ``.
pub(crate) fn serves(split: Split, first: Color, versions: &[(Color, String)]) -> String {
    let (blue, green) = split.percent();
    let name = |color: Color| {
        let version = versions.iter().find(|(known, _)| *known == color);
        version.map_or_else(|| color.to_string(), |(_, arn)| format!("{color} ({})", quoted(short_arn(arn))))
    };
    match (first, blue, green) {
        (_, _, 0) => format!("{} serves all users", name(Color::Blue)),
        (_, 0, _) => format!("{} serves all users", name(Color::Green)),
        (Color::Green, ..) => {
            format!("{} serves {green} % of the users, {} {blue} %", name(Color::Green), name(Color::Blue))
        }
        (Color::Blue | Color::Develop, ..) => {
            format!("{} serves {blue} % of the users, {} {green} %", name(Color::Blue), name(Color::Green))
        }
    }
}

/// One rule: `` `HTTPS:443 default`: blue -> blue-80 (80 % blue, 20 % green) ``.
pub(crate) fn rule(rule: &RuleChange, brief: &Brief) -> String {
    if let Some(copy) = brief.copy.as_ref().filter(|copy| copy.away) {
        return format!("{}: {} -> {} -> {}", quoted(&rule.name), rule.before, copy.tested, rule.after);
    }
    format!("{}: {} ({})", quoted(&rule.name), change(rule.before, rule.after), shares(rule.after))
}

/// The `timeout-minutes` of a job that lets a run of this length come to its end.
pub(crate) fn job_time(longest: Duration) -> String {
    let minutes = job_minutes(longest);
    format!(
        "The run takes at most {}: set `timeout-minutes: {minutes}` or more for the job",
        duration(longest)
    )
}

/// What each color runs: `` blue runs `web:7`, green runs `web:8` ``.
pub(crate) fn versions(brief: &Brief) -> String {
    let one = |(color, arn): &(Color, String)| format!("{color} runs {}", quoted(short_arn(arn)));
    brief.versions.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How many targets all users need, and how that was reckoned.
pub(crate) fn load(load: Load) -> String {
    let need = format!("All users need {}", count(load.targets, "target"));
    match load.how {
        Reckoned::Largest => format!("{need}: the larger desired count of the two colors"),
        Reckoned::Scaled(color) => {
            format!("{need}: {color}'s desired count divided by its share of the users now, rounded up")
        }
        Reckoned::Most => format!("{need}: the largest MaxCapacity"),
    }
}

/// What a color has and needs; `load` is what its share of the load needs, where a forced run waits for less.
pub(crate) fn capacity(capacity: &Capacity, load: u32) -> String {
    let most = capacity.most.map(|most| format!(", MaxCapacity {most}")).unwrap_or_default();
    format!(
        "{} gets {} % of the users: {} healthy, {} needed, desired count {}{most}",
        capacity.color,
        capacity.share,
        capacity.healthy,
        needed(capacity, load),
        capacity.desired
    )
}

/// Healthy targets that are needed: `2`, or `1 of 6` where a forced run waits for less than the load needs.
pub(crate) fn needed(capacity: &Capacity, load: u32) -> String {
    match capacity.needed {
        needed if needed < load => format!("{needed} of {load}"),
        needed => needed.to_string(),
    }
}

/// What is scaled before any weight moves.
pub(crate) fn scaled_first(brief: &Brief) -> Option<String> {
    let moves =
        |step: &&Step| matches!(step, Step::Weights(weights) if !weights.before.same_ratio(weights.after));
    let before = brief.steps.iter().take_while(|step| !moves(step));
    let counts = before.filter_map(Step::update).filter(|update| update.purpose == Purpose::Traffic);
    let scaled: Vec<String> = counts
        .filter_map(|update| {
            let tasks = count(update.desired?, "task");
            Some(format!("{} ({}) to {tasks}", quoted(&update.service), update.color))
        })
        .collect();
    let moves_at_all = brief.steps.iter().any(|step| moves(&step));
    (!scaled.is_empty() && moves_at_all).then(|| format!("Scaled before users move: {}", and(&scaled)))
}

/// Where users are held on the way.
pub(crate) fn held(brief: &Brief) -> Option<String> {
    let (_, first) = brief.bakes.first()?;
    let shares: Vec<String> = brief.bakes.iter().map(|(share, _)| format!("{share} %")).collect();
    let each = if shares.len() > 1 { " each" } else { "" };
    Some(format!(
        "Users are held on the way at {} {}, {}{each}",
        and(&shares),
        brief.receiver,
        duration(*first)
    ))
}

/// Alarms that can't warn.
pub(crate) fn silent(no_data: &[String]) -> Option<String> {
    let names: Vec<String> = no_data.iter().map(|name| quoted(name)).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("the alarm {one} has no data and can't warn")),
        more => Some(format!("the alarms {} have no data and can't warn", and(more))),
    }
}

/// For how long clients may stay at a color that loses them (invariant 20).
pub(crate) fn stickiness(brief: &Brief) -> Option<String> {
    let loser = super::undo::loser(brief.from, brief.to)?;
    let sticky: Vec<String> = brief
        .rules
        .iter()
        .filter_map(|rule| Some(format!("{} ({})", quoted(&rule.name), duration(rule.stickiness?))))
        .collect();
    (!sticky.is_empty()).then(|| {
        format!(
            "Stickiness is on at {}: each request renews the client's cookie, which lives that long after it. Clients of {loser} may stay at {loser} as long as they keep coming, and that long after their last request.",
            and(&sticky)
        )
    })
}

/// Why the color without users keeps its tasks, and what shrinks it.
pub(crate) fn kept(brief: &Brief) -> String {
    let loser = if brief.receiver == Color::Blue { Color::Green } else { Color::Blue };
    let longest = brief.rules.iter().filter_map(|rule| rule.stickiness).max().unwrap_or_default();
    // `max-drain` is a day at most.
    let way = match longest <= Duration::from_secs(24 * 3600) {
        true => {
            let longest = duration(longest).replace(' ', "");
            format!(
                "run again with `max-drain: {longest}`, which waits for so long, or once stickiness is off"
            )
        }
        false => "run again once stickiness is off or shorter".to_owned(),
    };
    let longest = duration(longest);
    format!(
        "{loser} stays at its size: stickiness may keep clients there for {longest} after their last request, and `max-drain` is shorter. To shrink it, {way}."
    )
}

/// Why a color with all users does not scale in yet, and what lets it.
pub(crate) fn suspended((color, window): (Color, Duration)) -> String {
    let window = duration(window);
    format!(
        "{color} does not scale in yet: its low alarm looks back for {window}, so it has to carry all users for so long first, and `timeout` is shorter. To let it, run again with `timeout: {}` or more.",
        window.replace(' ', "")
    )
}

/// What a forced change left short.
pub(crate) fn shortfall(capacity: &Capacity) -> String {
    format!(
        "Forced: {} serves {} % of the users with {} of the {} healthy targets that they need.",
        capacity.color, capacity.share, capacity.healthy, capacity.needed
    )
}

/// Most steps of a plan that are shown one by one.
const MOST_STEPS: usize = 60;
/// Steps that are shown at the end of a longer plan.
const LAST_STEPS: usize = 20;

/// The steps in the middle of a long plan that are not shown, by their place from 0; none of a short one.
pub(crate) fn hidden_steps(count: usize) -> std::ops::Range<usize> {
    if count <= MOST_STEPS { count..count } else { MOST_STEPS - LAST_STEPS..count - LAST_STEPS }
}

/// What stands for the steps that are not shown.
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
