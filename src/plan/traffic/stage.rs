//! Where the users go next: the steps on the way to the split that is wanted.

use super::facts::Facts;
use super::goal::Goal;
use super::run::Run;
use crate::plan::color::{Color, Split};
use crate::plan::step::Refusal;
use crate::plan::wiring::{ProductionRule, disagreement};

/// The next split on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The split.
    pub(crate) split: Split,
    /// The share to hold at, in percent of the receiver; none for the end of the way.
    pub(crate) hold: Option<u32>,
    /// The color that gains users, or has most of them in the end.
    pub(crate) receiver: Color,
    /// The split of the rules that are not there yet, or of all.
    pub(crate) base: Split,
}

/// The color that has more of the users in `to` than in `from`; none for the same ratio.
pub(crate) fn gaining(from: Split, to: Split) -> Option<Color> {
    let (before, after) =
        (u64::from(to.blue) * u64::from(from.green), u64::from(from.blue) * u64::from(to.green));
    match before.cmp(&after) {
        std::cmp::Ordering::Less => Some(Color::Green),
        std::cmp::Ordering::Greater => Some(Color::Blue),
        std::cmp::Ordering::Equal => None,
    }
}

/// The split in which this color has this share.
pub(crate) fn split_at(color: Color, share: u32) -> Split {
    let rest = 100_u32.saturating_sub(share);
    match color {
        Color::Green => Split { blue: rest, green: share },
        Color::Blue | Color::Develop => Split { blue: share, green: rest },
    }
}

/// Decides the next split. Rules that disagree are taken as half-way where all that are not there yet hold one split.
pub(crate) fn target(facts: &Facts<'_>, goal: &Goal, run: &Run) -> Result<Target, Refusal> {
    let to = goal.wish.to;
    let most = if to.blue >= to.green { Color::Blue } else { Color::Green };
    let from = origin(facts, goal, run)?;
    let end = |receiver| at(facts, goal, (to, None), receiver);
    let Some(receiver) = gaining(from, to) else { return end(most) };
    let last = to.weight(receiver);
    if let Some(step) = goal.wish.steps.iter().find(|step| **step > last) {
        return Err(Refusal::StepBeyond { step: *step, color: receiver, target: last });
    }
    let rules = &facts.wiring.production;
    // A rule beyond a step: a run that was killed had held it.
    let behind = |step: u32| {
        rules.iter().all(|rule| !below(rule.split, receiver, step))
            && rules.iter().any(|rule| beyond(rule.split, receiver, step))
    };
    let next = goal.wish.steps.iter().copied().find(|step| !run.baked.contains(step) && !behind(*step));
    match next {
        Some(step) => at(facts, goal, (split_at(receiver, step), Some(step)), receiver),
        None => end(receiver),
    }
}

/// A target, where the rules can be understood as on their way to it, or where it settles what they disagree about: the
/// largest load counts then.
fn at(
    facts: &Facts<'_>,
    goal: &Goal,
    (split, hold): (Split, Option<u32>),
    receiver: Color,
) -> Result<Target, Refusal> {
    let rules = &facts.wiring.production;
    let settles = hold.is_none() && settles(rules, split, goal.wish.force);
    let base = facts.base(split).or_else(|| facts.heaviest(split).filter(|_| settles));
    let base = base.ok_or_else(|| Refusal::Tangle(disagreement(rules)))?;
    Ok(Target { split, hold, receiver, base })
}

/// Whether rules that disagree are settled by this split: it is that of one of them; or it sends all users to one color,
/// where no split of theirs would do or users are failing.
fn settles(rules: &[ProductionRule], split: Split, force: bool) -> bool {
    let mut apart: Vec<Split> = Vec::new();
    for rule in rules {
        if !apart.iter().any(|known| known.same_ratio(rule.split)) {
            apart.push(rule.split);
        }
    }
    let alone = !(split.is_live(Color::Blue) && split.is_live(Color::Green));
    apart.iter().any(|known| known.same_ratio(split)) || alone && (force || apart.len() > 2)
}

/// The split that the run began from.
fn origin(facts: &Facts<'_>, goal: &Goal, run: &Run) -> Result<Split, Refusal> {
    let known = run.found.as_ref().map(|found| found.split);
    match known {
        Some(split) => Ok(split),
        None => first_of(facts, goal),
    }
}

/// Before the first write: what the rules hold, or, where a killed run left them apart, what the least of them holds.
fn first_of(facts: &Facts<'_>, goal: &Goal) -> Result<Split, Refusal> {
    let apart = facts.wiring.production.iter().find(|rule| !rule.split.same_ratio(goal.wish.to));
    Ok(apart.map_or(goal.wish.to, |rule| rule.split))
}

/// Whether a color has less than this share, in percent.
fn below(split: Split, color: Color, share: u32) -> bool {
    let sum = u64::from(split.blue + split.green);
    u64::from(split.weight(color)) * 100 < u64::from(share) * sum
}

/// Whether a color has more than this share, in percent.
fn beyond(split: Split, color: Color, share: u32) -> bool {
    let sum = u64::from(split.blue + split.green);
    u64::from(split.weight(color)) * 100 > u64::from(share) * sum
}
