//! What a change of traffic remembers of its own steps, and how an answer changes that. It never decides against what
//! AWS shows.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::capacity::{Force, FullLoad, capacity, full_load};
use super::facts::{Facts, Lacking, facts};
use super::goal::Goal;
use super::lowered::Lowered;
use super::rewrite::forwarded;
use super::stage::{Target, target};
use crate::plan::admit::Hindrance;
use crate::plan::color::{Color, Split};
use crate::plan::repeats::Repeats;
use crate::plan::run::{Answer, Turned, Unanswered};
use crate::plan::scalers::differences;
use crate::plan::snapshot::{Rule, Service, Snapshot};
use crate::plan::step::{Failing, Purpose, Step, Stuck, Update, Weights};
use crate::plan::time::{CallTime, Time};
use crate::plan::trouble::{Read, Trouble};
use crate::plan::verdict::Recovery;

/// What the run remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// When the run began to decide.
    pub(crate) began: Time,
    /// When AWS took a change for the last time; the beginning before that.
    pub(crate) acted: Time,
    /// What was found, from the first look on: what somebody else changes after it ends the run.
    pub(crate) found: Option<Found>,
    /// What this run wrote last, by rule ARN.
    pub(crate) written: BTreeMap<String, Written>,
    /// Desired counts that this run asked for.
    pub(crate) counts: BTreeMap<Color, u32>,
    /// What this run wrote, and how often.
    pub(crate) repeats: Repeats,
    /// Counts and bounds that this run lowered.
    pub(crate) lowered: Lowered,
    /// When this run raised a count again that had fallen below the need, by color.
    pub(crate) refilled: BTreeMap<Color, Time>,
    /// Colors whose scale-in this run suspended (true) or allowed again.
    pub(crate) scaled: BTreeMap<Color, bool>,
    /// Colors whose automatic scaling can't be changed; only a forced run goes on then.
    pub(crate) unscalable: Vec<Color>,
    /// Writes of it whose answer did not come, and which a forced run did not wait for.
    pub(crate) left_alone: Vec<Step>,
    /// The step that was reached last.
    pub(crate) stage: Option<Stage>,
    /// Steps that were held to the end, by their share in percent.
    pub(crate) baked: Vec<u32>,
    /// When all rules were seen at the target for the first time.
    pub(crate) arrived: Option<Time>,
    /// Healthy targets that each color with users needs there, by the load before this run moved them.
    pub(crate) needs: BTreeMap<Color, u32>,
    /// Since when one of them has fewer.
    pub(crate) lacking: Option<Time>,
    /// Whether a color that gets users has too few healthy targets for them.
    pub(crate) short: bool,
    /// Whether all rules held the next split at the newest look.
    pub(crate) at_target: bool,
    /// Whether all rules were seen together at the split that was written last.
    pub(crate) together: bool,
    /// Whether a promote has begun to take from the color without users what production has.
    pub(crate) finishing: bool,
    /// Since when AWS can't be asked.
    pub(crate) blind: Option<Time>,
    /// Since when AWS takes no write, for a reason that may pass.
    pub(crate) throttled: Option<(Time, Trouble)>,
    /// Whether the run changed anything.
    pub(crate) changed: bool,
    /// Writes without an answer: one, or several that were sent at the same time.
    pub(crate) unanswered: Vec<Unanswered>,
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

/// How long a rule may show another writer's weights although this run wrote last: AWS shows both writes late.
const CROSSED: Duration = Duration::from_secs(3);

impl Written {
    /// Whether another writer's weights may be older than these.
    pub(super) fn may_be_last(&self, now: Time) -> bool {
        !self.shown && now.since(self.at) < CROSSED
    }
}

/// Traffic and capacity as they were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The split that users had.
    pub(crate) split: Split,
    /// The split of each production rule, by its ARN.
    #[serde(with = "crate::plan::by_arn")]
    pub(crate) splits: BTreeMap<String, Split>,
    /// The desired count of each color.
    pub(crate) counts: BTreeMap<Color, u32>,
    /// Whether scale-in was suspended, for each color with a scalable target.
    pub(crate) suspended: BTreeMap<Color, bool>,
    /// The full load by that split and those counts. None if a color with users had no tasks, and in the state of an older
    /// version.
    #[serde(default)]
    pub(crate) load: Option<FullLoad>,
}

impl Found {
    /// Counts and scaling as they are now.
    fn size(&mut self, facts: &Facts<'_>) {
        let colors = facts.colors.iter();
        self.counts = colors.clone().map(|color| (color.color, color.desired)).collect();
        self.suspended =
            colors.filter_map(|color| Some((color.color, color.scaling?.in_suspended))).collect();
        // A color with users and no tasks tells nothing of the load.
        let mut live = facts.colors.iter().filter(|color| self.split.is_live(color.color));
        let told = live.all(|color| color.desired > 0);
        self.load = told.then(|| full_load(self.split, &facts.colors));
    }

    /// The full load before this run's first write. Later counts don't make it smaller: another run may have cut them.
    pub(crate) fn load(&self, facts: &Facts<'_>) -> FullLoad {
        self.load.unwrap_or_else(|| full_load(self.split, &facts.colors))
    }
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
        let facts = match seen.as_ref().map(|snapshot| facts(snapshot, goal)) {
            Ok(Ok(facts)) if !scaling_unread(&facts, goal) => facts,
            Err(_) | Ok(Ok(_) | Err(Lacking::Hindrance(Hindrance::Hold(_)))) => {
                self.blind.get_or_insert(now);
                return;
            }
            Ok(Err(Lacking::Look(_) | Lacking::Hindrance(Hindrance::Refuse(_)))) => return,
        };
        self.sees(now);
        self.find(&facts, goal);
        self.answer_shows(&facts, goal);
        let late: Vec<Step> = self.left_alone.extract_if(.., |step| shows(step, &facts)).collect();
        late.iter().for_each(|step| self.took(step, goal, now));
        self.weights_show(&facts);
        self.lowered.saw(&facts.colors);
        self.repeats.saw(|step| shows(step, &facts));
        if self.failing.is_some() {
            return;
        }
        let Ok(aim) = target(&facts, goal, self) else { return };
        let there = facts.hold(aim.split);
        (self.at_target, self.together) = (there, self.together || there);
        self.short = !there && facts.colors.iter().any(|color| self.lacks(color, &facts, &aim, goal));
        match aim.hold {
            Some(share) if there => self.hold(share, &facts, &aim, (goal, now)),
            None if there => self.arrive(&facts, &aim, (goal, now)),
            Some(_) | None => self.arrived = None,
        }
    }

    /// Whether a color that ends with users has too few healthy targets.
    fn lacks(&self, color: &Force, facts: &Facts<'_>, aim: &Target, goal: &Goal) -> bool {
        aim.split.is_live(color.color) && color.healthy < self.needed(color, facts, aim, goal)
    }

    /// Healthy targets that a color needs at this split, by the load before the rules were written: new weights don't
    /// make more of it.
    fn needed(&self, color: &Force, facts: &Facts<'_>, aim: &Target, goal: &Goal) -> u32 {
        let before = self.written.values().find(|written| written.split.same_ratio(aim.split));
        let load = self.load(before.map_or(aim.base, |written| written.before), facts);
        capacity(color, aim.split, load, goal.wish.force).needed
    }

    /// Healthy targets without which a color with users can't count as served: by the load before this run moved them;
    /// where it moved none, no more than the color had tasks for.
    pub(crate) fn need(&self, color: &Force, facts: &Facts<'_>, aim: &Target) -> u32 {
        let needed = || capacity(color, aim.split, self.load(aim.base, facts), false).needed;
        let needs = self.needs.get(&color.color).copied();
        needs.unwrap_or_else(|| needed().min(self.known_count(color.color)))
    }

    /// The desired count that this run asked for, or else found.
    pub(crate) fn known_count(&self, color: Color) -> u32 {
        let found = self.found.as_ref().and_then(|found| found.counts.get(&color));
        self.counts.get(&color).or(found).copied().unwrap_or_default()
    }

    /// The full load, by the counts now and this split; never less than before the first write.
    pub(crate) fn load(&self, base: Split, facts: &Facts<'_>) -> FullLoad {
        let now = full_load(base, &facts.colors);
        let before = self.found.as_ref().and_then(|found| found.load);
        before.map_or(now, |before| now.or_larger(before))
    }

    /// All rules hold the target.
    fn arrive(&mut self, facts: &Facts<'_>, aim: &Target, (goal, now): (&Goal, Time)) {
        self.arrived.get_or_insert(now);
        if !self.written.values().any(|written| !written.split.same_ratio(written.before)) {
            return;
        }
        if self.needs.is_empty() {
            let live = facts.colors.iter().filter(|color| aim.split.is_live(color.color));
            self.needs = live.map(|color| (color.color, self.needed(color, facts, aim, goal))).collect();
        }
        let short = |(color, needed): (&Color, &u32)| facts.force(*color).healthy < *needed;
        self.lacking = self.needs.iter().any(short).then(|| self.lacking.unwrap_or(now));
    }

    /// AWS can be asked again. What was not watched was not held.
    fn sees(&mut self, now: Time) {
        let Some(since) = self.blind.take() else { return };
        if let Some(stage) = &mut self.stage {
            stage.since = stage.since.after(now.since(since));
        }
    }

    /// Notes what is found at the first look.
    fn find(&mut self, facts: &Facts<'_>, goal: &Goal) {
        if self.found.is_some() {
            return;
        }
        let Ok(aim) = target(facts, goal, self) else { return };
        let rules = facts.wiring.production.iter();
        let mut found = Found {
            split: aim.base,
            splits: rules.map(|rule| (rule.rule.arn.clone(), rule.split)).collect(),
            counts: BTreeMap::new(),
            suspended: BTreeMap::new(),
            load: None,
        };
        found.size(facts);
        self.found = Some(found);
    }

    /// A step is reached, or was held to its end.
    fn hold(&mut self, share: u32, facts: &Facts<'_>, aim: &Target, at: (&Goal, Time)) {
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
                let needed = self.needed(facts.force(aim.receiver), facts, aim, goal);
                self.stage = Some(Stage { share, since: now, needed });
            }
        }
    }

    /// Unanswered writes whose effect shows had it.
    fn answer_shows(&mut self, facts: &Facts<'_>, goal: &Goal) {
        let late: Vec<Unanswered> =
            self.unanswered.extract_if(.., |write| shows(&write.step, facts)).collect();
        late.iter().for_each(|write| self.took(&write.step, goal, write.ended));
    }

    /// What a rule has shown once and does not hold any more, somebody else has changed.
    fn weights_show(&mut self, facts: &Facts<'_>) {
        for rule in &facts.wiring.production {
            if let Some(written) = self.written.get_mut(&rule.rule.arn) {
                written.shown |= rule.split.same_ratio(written.split);
            }
        }
    }

    /// Notes what is found right before a write: counts and scaling before the first one, and a rule that is new.
    pub(crate) fn before(&mut self, step: &Step, snapshot: &Snapshot, goal: &Goal) {
        let Ok(facts) = facts(snapshot, goal) else { return };
        self.find(&facts, goal);
        let Some(found) = &mut self.found else { return };
        if !self.changed && self.unanswered.is_empty() {
            found.size(&facts);
        }
        if let Step::Weights(weights) = step {
            found.splits.entry(weights.rule.clone()).or_insert(weights.before);
        }
        self.lowered.before(step, &facts.colors);
    }

    /// Notes the answer of a step. An older write without an answer is over then: it was waited for.
    pub(crate) fn answered(
        &mut self,
        step: &Step,
        answer: &Read<Answer>,
        goal: &Goal,
        call: impl Into<CallTime>,
    ) {
        let call = call.into();
        match answer {
            Ok(answer) => {
                self.unanswered.retain(|write| write.sent >= call.sent);
                self.repeats.sent(step, call.sent);
                self.took(step, goal, call.ended);
                if let (Step::Weights(weights), Answer::Weighed(rule)) = (step, answer) {
                    self.read_back(weights, rule);
                }
            }
            Err(trouble) => self.refused(step, trouble, goal, call),
        }
    }

    /// A rule that shows the new weights right after the write: what it holds later, another writer wrote.
    fn read_back(&mut self, weights: &Weights, rule: &Rule) {
        let wanted = forwarded(&weights.actions);
        let same = wanted.len() == rule.forward.len() && wanted.iter().all(|one| rule.forward.contains(one));
        if let Some(written) = self.written.get_mut(&weights.rule) {
            written.shown |= same;
        }
    }

    /// AWS took a write.
    fn took(&mut self, step: &Step, goal: &Goal, at: Time) {
        (self.changed, self.acted, self.throttled) = (true, at, None);
        self.finishing |= self.finishes(step, goal);
        self.lowered.took(step);
        match step {
            Step::Weights(weights) => {
                let Weights { rule, before, after, .. } = weights.as_ref();
                self.together = false;
                let written = Written { split: *after, before: *before, at, shown: false };
                self.written.insert(rule.clone(), written);
            }
            Step::Scaling(scaling) => {
                self.scaled.extend(scaling.in_suspended.map(|suspended| (scaling.color, suspended)));
            }
            Step::Update(update) => {
                self.refills(update, at);
                self.counts.extend(update.desired.map(|count| (update.color, count)));
            }
            Step::Find { .. } | Step::Register { .. } | Step::Probe | Step::Policy(_) | Step::Alarm(_) => {}
        }
    }

    /// Notes a count that is raised although all rules hold the next split already: it fell.
    fn refills(&mut self, update: &Update, at: Time) {
        if self.at_target && !self.lowered.is_below(update.color) {
            self.refilled.insert(update.color, at);
        }
    }

    /// Whether a step takes from the color without users what production has.
    pub(crate) fn finishes(&self, step: &Step, goal: &Goal) -> bool {
        let of_loser = step.sized_color().is_some_and(|color| !goal.wish.to.is_live(color));
        goal.finish.is_some() && self.arrived.is_some() && of_loser
    }

    /// AWS refused a write, or did not answer it.
    fn refused(&mut self, step: &Step, trouble: &Trouble, goal: &Goal, call: CallTime) {
        let CallTime { sent, ended } = call;
        if let (Some(color), true) = (step.scaled_color(), goal.wish.force) {
            // Users are failing: automatic scaling that can't be changed at once is left alone.
            self.unscalable.push(color);
            self.left_alone.extend(trouble.effect_unknown.then(|| step.clone()));
            return;
        }
        if trouble.effect_unknown {
            self.throttled.get_or_insert((sent, trouble.clone()));
            self.unanswered.retain(|write| write.sent >= sent);
            self.unanswered.push(Unanswered { step: step.clone(), trouble: trouble.clone(), sent, ended });
            self.repeats.sent(step, sent);
            return;
        }
        if trouble.kind.passes() {
            self.throttled.get_or_insert((sent, trouble.clone()));
            return;
        }
        if step.purpose() == Purpose::Restore {
            self.restore_trouble = Some(trouble.clone());
        } else {
            self.turn(Failing::Traffic(Stuck::Trouble(trouble.clone())), ended);
        }
    }

    /// Forward became back.
    pub(crate) fn turn(&mut self, failing: Failing, at: Time) {
        self.failing = Some(Turned { failing, recovery: Recovery::Ours, at });
    }
}

/// Whether managed scaling of a color can't be read for now; a forced run goes on without.
fn scaling_unread(facts: &Facts<'_>, goal: &Goal) -> bool {
    let passes = |service: &&Service| {
        let scalers = service.scalers.as_ref();
        scalers.is_some_and(|read| read.as_ref().is_err_and(|trouble| trouble.kind.passes()))
    };
    goal.managed.is_some() && !goal.wish.force && facts.services.iter().any(passes)
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
