//! The next split: the steps from the initial split to the final split.

use super::facts::Facts;
use super::goal::Goal;
use super::run::Run;
use crate::plan::color::{Color, Split};
use crate::plan::step::Refusal;
use crate::plan::wiring::{ProductionRule, disagreement_error};

/// The next split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NextSplit {
    /// The split.
    pub(crate) split: Split,
    /// The share to hold at, in percent of the receiver; none for the final split.
    pub(crate) hold: Option<u32>,
    /// The color that gains users, or has most users in the end.
    pub(crate) receiver: Color,
    /// The split of the rules that are not yet at `split`, or of all rules.
    pub(crate) base: Split,
}

/// The color with a larger share in `to` than in `from`; none for the same ratio.
pub(crate) fn gaining_color(from: Split, to: Split) -> Option<Color> {
    let (before, after) =
        (u64::from(to.blue) * u64::from(from.green), u64::from(from.blue) * u64::from(to.green));
    match before.cmp(&after) {
        std::cmp::Ordering::Less => Some(Color::Green),
        std::cmp::Ordering::Greater => Some(Color::Blue),
        std::cmp::Ordering::Equal => None,
    }
}

/// The split that gives a color this share.
pub(crate) fn split_at(color: Color, share: u32) -> Split {
    let rest = 100_u32.saturating_sub(share);
    match color {
        Color::Green => Split { blue: rest, green: share },
        Color::Blue => Split { blue: share, green: rest },
    }
}

/// Decides the next split. Rules with different splits count as half done if all unfinished rules hold one split.
pub(crate) fn next_split(facts: &Facts<'_>, goal: &Goal, run: &Run) -> Result<NextSplit, Refusal> {
    let to = goal.wish.to;
    let most = if to.blue >= to.green { Color::Blue } else { Color::Green };
    let from = initial_split(facts, goal, run);
    let end = |receiver| reachable_target(facts, goal, (to, None), receiver);
    let Some(receiver) = gaining_color(from, to) else { return end(most) };
    let last = to.weight(receiver);
    if let Some(step) = goal.wish.steps.iter().find(|step| **step > last) {
        return Err(Refusal::StepBeyond { step: *step, color: receiver, target: last });
    }
    let rules = &facts.wiring.production;
    // A rule beyond a step: a killed run had held that step.
    let behind = |step: u32| {
        rules.iter().all(|rule| !is_below_share(rule.split, receiver, step))
            && rules.iter().any(|rule| is_beyond_share(rule.split, receiver, step))
    };
    let next =
        goal.wish.steps.iter().copied().find(|step| !run.progress.baked.contains(step) && !behind(*step));
    match next {
        Some(step) => reachable_target(facts, goal, (split_at(receiver, step), Some(step)), receiver),
        None => end(receiver),
    }
}

/// A target, if the rules are on their way to the split, or if the split settles their disagreement. In the second case
/// the largest load counts.
fn reachable_target(
    facts: &Facts<'_>,
    goal: &Goal,
    (split, hold): (Split, Option<u32>),
    receiver: Color,
) -> Result<NextSplit, Refusal> {
    let rules = &facts.wiring.production;
    let settles = hold.is_none() && settles_disagreement(rules, split, goal.wish.force);
    let base = facts.base(split).or_else(|| facts.heaviest(split).filter(|_| settles));
    let base = base.ok_or_else(|| Refusal::RoutingError(disagreement_error(rules)))?;
    Ok(NextSplit { split, hold, receiver, base })
}

/// True if this split settles rules that disagree. Either a rule already holds the split, or the split sends all users
/// to one color while three or more splits are in use or users get errors.
fn settles_disagreement(rules: &[ProductionRule], split: Split, force: bool) -> bool {
    let mut apart: Vec<Split> = Vec::new();
    for rule in rules {
        if !apart.iter().any(|known| known.same_ratio(rule.split)) {
            apart.push(rule.split);
        }
    }
    let alone = !(split.is_live(Color::Blue) && split.is_live(Color::Green));
    apart.iter().any(|known| known.same_ratio(split)) || alone && (force || apart.len() > 2)
}

/// The initial split of the run. Before the first write: the split of the first rule that is not yet at the target; the
/// target if all rules are there.
fn initial_split(facts: &Facts<'_>, goal: &Goal, run: &Run) -> Split {
    let apart = || facts.wiring.production.iter().find(|rule| !rule.split.same_ratio(goal.wish.to));
    let known = run.found.as_ref().map(|found| found.split);
    known.unwrap_or_else(|| apart().map_or(goal.wish.to, |rule| rule.split))
}

/// True if a color has less than this share, in percent.
fn is_below_share(split: Split, color: Color, share: u32) -> bool {
    let sum = u64::from(split.blue + split.green);
    u64::from(split.weight(color)) * 100 < u64::from(share) * sum
}

/// True if a color has more than this share, in percent.
fn is_beyond_share(split: Split, color: Color, share: u32) -> bool {
    let sum = u64::from(split.blue + split.green);
    u64::from(split.weight(color)) * 100 > u64::from(share) * sum
}
