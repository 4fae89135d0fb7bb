//! What a change of traffic remembers of its own steps, and how an answer changes that. It never decides against what
//! AWS shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::capacity::{capacity, full_load};
use super::facts::{Facts, facts};
use super::goal::Goal;
use super::stage::target;
use crate::plan::color::{Color, Split};
use crate::plan::run::{Answer, Turned, Unanswered};
use crate::plan::scalers::differences;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Failing, Purpose, Step, Stuck, Update, Weights};
use crate::plan::time::Time;
use crate::plan::trouble::{Read, Trouble};
use crate::plan::verdict::Recovery;

/// What the run remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// When the run began to decide.
    pub(crate) began: Time,
    /// When AWS took a change for the last time; the beginning before that.
    pub(crate) acted: Time,
    /// What was found, from the moment of the first write.
    pub(crate) found: Option<Found>,
    /// What this run wrote last, by rule ARN.
    pub(crate) written: BTreeMap<String, Written>,
    /// Desired counts that this run asked for.
    pub(crate) counts: BTreeMap<Color, u32>,
    /// Colors whose scale-in this run suspended (true) or allowed again.
    pub(crate) scaled: BTreeMap<Color, bool>,
    /// Colors whose automatic scaling can't be changed; only a forced run goes on then.
    pub(crate) unscalable: Vec<Color>,
    /// The step that was reached last.
    pub(crate) stage: Option<Stage>,
    /// Steps that were held to the end, by their share in percent.
    pub(crate) baked: Vec<u32>,
    /// When all rules were seen at the target for the first time.
    pub(crate) arrived: Option<Time>,
    /// Since when AWS can't be asked.
    pub(crate) blind: Option<Time>,
    /// Since when AWS takes no write, for a reason that may pass.
    pub(crate) throttled: Option<(Time, Trouble)>,
    /// Whether the run changed anything.
    pub(crate) changed: bool,
    /// A write without an answer.
    pub(crate) unanswered: Option<Unanswered>,
    /// What failed, and when.
    pub(crate) failing: Option<Turned>,
    /// AWS's refusal of the way back.
    pub(crate) restore_trouble: Option<Trouble>,
    /// When a signal came.
    pub(crate) cancelled: Option<Time>,
}

/// One write of a rule's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    /// What was written.
    pub(crate) split: Split,
    /// What the rule held before.
    pub(crate) before: Split,
    /// When.
    pub(crate) at: Time,
    /// Whether AWS showed it since.
    #[serde(default)]
    pub(crate) shown: bool,
}

/// Traffic and capacity as they were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The split that users had.
    pub(crate) split: Split,
    /// The split of each production rule, by its ARN.
    pub(crate) splits: BTreeMap<String, Split>,
    /// The desired count of each color.
    pub(crate) counts: BTreeMap<Color, u32>,
    /// Whether scale-in was suspended, for each color with a scalable target.
    pub(crate) suspended: BTreeMap<Color, bool>,
}

/// A step that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// The share of the color that gains users, in percent.
    pub(crate) share: u32,
    /// When every rule was seen there.
    pub(crate) since: Time,
    /// Healthy targets that this color needs there. What scales out meanwhile does not raise it.
    pub(crate) needed: u32,
}

impl Run {
    /// A run that begins now.
    pub(crate) fn begin(now: Time) -> Self {
        Run { began: now, acted: now, ..Run::default() }
    }

    /// Notes what was seen: unanswered writes that show, the step that was reached, the end of a bake.
    pub(crate) fn saw(&mut self, seen: &Read<Snapshot>, goal: &Goal, now: Time) {
        let Ok(snapshot) = seen else {
            self.blind.get_or_insert(now);
            return;
        };
        let Ok(facts) = facts(snapshot, goal) else { return };
        self.blind = None;
        self.answer_shows(&facts);
        self.weights_show(&facts);
        if self.failing.is_some() {
            return;
        }
        let Ok(aim) = target(&facts, goal, self) else { return };
        let there = facts.wiring.production.iter().all(|rule| rule.split.same_ratio(aim.split));
        match aim.hold {
            Some(share) if there => self.hold(share, &facts, &aim, (goal, now)),
            None if there => {
                self.arrived.get_or_insert(now);
            }
            Some(_) | None => self.arrived = None,
        }
    }

    /// A step is reached, or was held to its end.
    fn hold(&mut self, share: u32, facts: &Facts<'_>, aim: &super::stage::Target, at: (&Goal, Time)) {
        let (goal, now) = at;
        match self.stage.filter(|stage| stage.share == share) {
            Some(stage) if now.since(stage.since) >= goal.wish.bake => {
                if facts.firing().is_empty() && facts.force(aim.receiver).healthy >= stage.needed {
                    // Patience for what comes next begins now.
                    self.acted = now;
                    self.baked.push(share);
                }
            }
            Some(_) => {}
            None => {
                // By the load before the rules were written: new weights don't make more of it.
                let before = self.written.values().find(|written| written.split.same_ratio(aim.split));
                let load = full_load(before.map_or(aim.base, |written| written.before), &facts.colors);
                let needs = capacity(facts.force(aim.receiver), aim.split, load, goal.wish.force);
                self.stage = Some(Stage { share, since: now, needed: needs.needed });
            }
        }
    }

    /// An unanswered write whose effect shows had it.
    fn answer_shows(&mut self, facts: &Facts<'_>) {
        let Some(unanswered) = self.unanswered.take_if(|write| shows(&write.step, facts)) else { return };
        self.took(&unanswered.step, unanswered.sent);
    }

    /// What a rule has shown once and does not hold any more, somebody else has changed.
    fn weights_show(&mut self, facts: &Facts<'_>) {
        for rule in &facts.wiring.production {
            if let Some(written) = self.written.get_mut(&rule.rule.arn) {
                written.shown |= rule.split.same_ratio(written.split);
            }
        }
    }

    /// Notes what is found, right before the first write.
    pub(crate) fn before(&mut self, snapshot: &Snapshot, goal: &Goal) {
        if self.found.is_some() {
            return;
        }
        let Ok(facts) = facts(snapshot, goal) else { return };
        let Ok(aim) = target(&facts, goal, self) else { return };
        let rules = facts.wiring.production.iter();
        self.found = Some(Found {
            split: aim.base,
            splits: rules.map(|rule| (rule.rule.arn.clone(), rule.split)).collect(),
            counts: facts.colors.iter().map(|color| (color.color, color.desired)).collect(),
            suspended: facts
                .colors
                .iter()
                .filter_map(|color| Some((color.color, color.scaling?.in_suspended)))
                .collect(),
        });
    }

    /// Notes the answer of a step that was sent at `sent`.
    pub(crate) fn answered(&mut self, step: &Step, answer: &Read<Answer>, goal: &Goal, sent: Time) {
        match answer {
            Ok(_) => {
                self.unanswered = None;
                self.took(step, sent);
            }
            Err(trouble) => self.refused(step, trouble, goal, sent),
        }
    }

    /// AWS took a write.
    fn took(&mut self, step: &Step, sent: Time) {
        (self.changed, self.acted, self.throttled) = (true, sent, None);
        match step {
            Step::Weights(weights) => {
                let Weights { rule, before, after, .. } = weights.as_ref();
                let written = Written { split: *after, before: *before, at: sent, shown: false };
                self.written.insert(rule.clone(), written);
            }
            Step::Scaling(scaling) => {
                self.scaled.extend(scaling.in_suspended.map(|suspended| (scaling.color, suspended)));
            }
            Step::Update(update) => self.counts.extend(update.desired.map(|count| (update.color, count))),
            Step::Find { .. } | Step::Register { .. } | Step::Probe | Step::Policy(_) | Step::Alarm(_) => {}
        }
    }

    /// AWS refused a write, or did not answer it.
    fn refused(&mut self, step: &Step, trouble: &Trouble, goal: &Goal, sent: Time) {
        if trouble.effect_unknown {
            self.unanswered = Some(Unanswered { step: step.clone(), trouble: trouble.clone(), sent });
            return;
        }
        if trouble.kind.passes() {
            self.throttled.get_or_insert((sent, trouble.clone()));
            return;
        }
        if let (Some(color), true) = (scaled(step), goal.wish.force) {
            self.unscalable.push(color);
            return;
        }
        if purpose(step) == Purpose::Restore {
            self.restore_trouble = Some(trouble.clone());
        } else {
            self.turn(Failing::Traffic(Stuck::Trouble(trouble.clone())), sent);
        }
    }

    /// Forward became back.
    pub(crate) fn turn(&mut self, failing: Failing, at: Time) {
        self.failing = Some(Turned { failing, recovery: Recovery::Ours, at });
    }
}

/// The color whose automatic scaling a step changes.
fn scaled(step: &Step) -> Option<Color> {
    match step {
        Step::Scaling(scaling) => Some(scaling.color),
        Step::Policy(put) | Step::Alarm(put) => Some(put.color),
        Step::Find { .. } | Step::Register { .. } | Step::Probe | Step::Update(_) | Step::Weights(_) => None,
    }
}

/// What a step is for.
fn purpose(step: &Step) -> Purpose {
    match step {
        Step::Weights(weights) => weights.purpose,
        Step::Scaling(scaling) => scaling.purpose,
        Step::Policy(put) | Step::Alarm(put) => put.purpose,
        Step::Update(Update { purpose, .. }) => *purpose,
        Step::Find { .. } | Step::Register { .. } | Step::Probe => Purpose::Deploy,
    }
}

/// Whether AWS shows the effect of a write.
pub(crate) fn shows(step: &Step, facts: &Facts<'_>) -> bool {
    match step {
        Step::Weights(weights) => {
            facts.wiring.production.iter().any(|rule| {
                rule.rule.arn == weights.rule && rule.split == weights.after && rule.lacks.is_none()
            })
        }
        Step::Scaling(scaling) => facts.force(scaling.color).scaling.is_some_and(|now| {
            scaling.in_suspended.is_none_or(|wanted| now.in_suspended == wanted)
                && scaling.min.is_none_or(|wanted| now.min == wanted)
                && scaling.max.is_none_or(|wanted| now.max == wanted)
        }),
        Step::Update(update) => {
            update.desired.is_none_or(|wanted| facts.force(update.color).desired == wanted)
        }
        Step::Policy(put) => {
            let scalers = facts.service(put.color).scalers.as_ref().and_then(|read| read.as_ref().ok());
            let policy = scalers.and_then(|scalers| scalers.policy(&put.name));
            policy.is_some_and(|policy| differences(&policy.content, &put.content).is_empty())
        }
        Step::Alarm(put) => {
            let scalers = facts.service(put.color).scalers.as_ref().and_then(|read| read.as_ref().ok());
            let alarm = scalers.and_then(|scalers| scalers.alarm(&put.name));
            alarm.is_some_and(|alarm| differences(&alarm.content, &put.content).is_empty())
        }
        Step::Find { .. } | Step::Register { .. } | Step::Probe => true,
    }
}
