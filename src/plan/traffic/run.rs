//! The memory of a change of traffic: the run's own steps, and the effect of each answer. AWS's state always wins.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::capacity::{FullLoad, full_load};
use super::decision::{Decision, Situation};
use super::facts::{Facts, FactsError, facts_of_look, read_facts};
use super::goal::Goal;
use super::lowered::Lowered;
use super::progress::Progress;
use super::rewrite::forward_weights;
use super::stage::next_split;
use crate::plan::aws_error::{AwsError, AwsResult};
use crate::plan::color::{Color, Split};
use crate::plan::preconditions::Blocker;
use crate::plan::repeats::content_of;
use crate::plan::run_memory::{Answer, RunMemory, UnansweredWrite};
use crate::plan::scalers::field_differences;
use crate::plan::snapshot::{Rule, Service, Snapshot};
use crate::plan::step::{Purpose, RunFailure, Scaling, Step, TrafficFailure, Update, Weights};
use crate::plan::time::{CallTime, Time};
use crate::plan::verdict::Restorer;

/// The memory of the run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// The memory that every run has.
    pub(crate) memory: RunMemory,
    /// Time when AWS last accepted a change; at first, the run's begin.
    pub(crate) acted: Time,
    /// The state at the first read. Any later change by another writer ends the run.
    pub(crate) found: Option<InitialTraffic>,
    /// The last write of this run, by rule ARN.
    pub(crate) written: BTreeMap<String, Written>,
    /// Desired counts that this run asked for.
    pub(crate) counts: BTreeMap<Color, u32>,
    /// Counts and bounds that this run lowered.
    pub(crate) lowered: Lowered,
    /// Time when this run raised a count again that had fallen below the need, by color.
    pub(crate) refilled: BTreeMap<Color, Time>,
    /// Colors with scale-in that this run suspended (true) or allowed again (false).
    pub(crate) scaled: BTreeMap<Color, bool>,
    /// MinCapacity of a color right before this run allowed scale-in again.
    pub(crate) allowed: BTreeMap<Color, u32>,
    /// Colors with automatic scaling that can't be changed; only a forced run goes on in that case.
    pub(crate) unscalable: Vec<Color>,
    /// Writes that AWS did not answer, and that a forced run did not wait for.
    pub(crate) left_alone: Vec<Step>,
    /// The progress towards the goal.
    pub(crate) progress: Progress,
    /// True once a promote has started to shrink the color without users.
    pub(crate) finishing: bool,
    /// Time since when AWS does not answer.
    pub(crate) blind: Option<Time>,
}

/// A write of a rule's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    /// The new weights.
    pub(crate) split: Split,
    /// The rule's weights before.
    pub(crate) before: Split,
    /// Time of the write.
    pub(crate) at: Time,
    /// True once AWS has shown these weights.
    #[serde(default)]
    pub(crate) shown: bool,
}

/// Longest time that a rule may show another writer's weights although this run wrote last: AWS shows both writes late.
/// Also the longest time that a look may lack a rule.
pub(super) const CROSSED: Duration = Duration::from_secs(3);

impl Written {
    /// True if another writer's weights may be older than these.
    pub(super) fn may_be_last(&self, now: Time) -> bool {
        !self.shown && now.since(self.at) < CROSSED
    }
}

/// Traffic and capacity at the first read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InitialTraffic {
    /// The split.
    pub(crate) split: Split,
    /// The split of each production rule, by its ARN.
    #[serde(with = "crate::plan::by_arn")]
    pub(crate) splits: BTreeMap<String, Split>,
    /// The desired count of each color.
    pub(crate) counts: BTreeMap<Color, u32>,
    /// True for each color with suspended scale-in; only colors with a scalable target.
    pub(crate) suspended: BTreeMap<Color, bool>,
    /// The full load by `split` and `counts`. None if a color with users had no tasks, or if an older version wrote the
    /// state.
    #[serde(default)]
    pub(crate) load: Option<FullLoad>,
}

impl InitialTraffic {
    /// Notes the current counts and scaling.
    fn size(&mut self, facts: &Facts<'_>) {
        let colors = facts.colors.iter();
        self.counts = colors.clone().map(|color| (color.color, color.desired)).collect();
        self.suspended =
            colors.filter_map(|color| Some((color.color, color.scaling?.in_suspended))).collect();
        // The count of a color with users and no tasks says nothing about the load.
        let mut live = facts.colors.iter().filter(|color| self.split.is_live(color.color));
        let told = live.all(|color| color.desired > 0);
        self.load = told.then(|| full_load(self.split, &facts.colors));
    }

    /// The full load before this run's first write. A lower count afterwards does not reduce the load: another run may
    /// have set that count.
    pub(crate) fn load(&self, facts: &Facts<'_>) -> FullLoad {
        self.load.unwrap_or_else(|| full_load(self.split, &facts.colors))
    }
}

impl Run {
    /// A run that begins now.
    pub(crate) fn begin(now: Time) -> Self {
        Run { memory: RunMemory::begin(now), acted: now, ..Run::default() }
    }

    /// Notes a look, and returns its situation: visible effects of unanswered writes, the step that was reached, the end
    /// of a bake.
    pub(super) fn saw<'a>(
        &mut self,
        seen: &'a AwsResult<Snapshot>,
        goal: &Goal,
        now: Time,
    ) -> Result<Situation<'a>, FactsError> {
        let facts = facts_of_look(seen, goal);
        let is_blind = match &facts {
            Ok(facts) => scaling_unread(facts, goal),
            Err(FactsError::Blocker(Blocker::Retry(_))) => true,
            Err(FactsError::NeedsRead(_) | FactsError::Blocker(Blocker::Refuse(_))) => false,
        };
        if is_blind {
            self.blind.get_or_insert(now);
        }
        let facts = facts?;
        if !is_blind {
            self.note_effects(&facts, goal, now);
        }
        let situation = Situation::of(facts, goal, self);
        let Situation { facts, next_split: Ok(next_split) } = &situation else { return Ok(situation) };
        if is_blind || self.memory.failing.is_some() {
            return Ok(situation);
        }
        let progress = Decision { facts, next_split: *next_split, goal, run: self, now }.progress();
        let is_held = progress.baked.len() > self.progress.baked.len();
        self.progress = progress;
        if !is_held {
            return Ok(situation);
        }
        // The timeout for the next step begins now.
        self.acted = now;
        Ok(Situation::of(situation.facts, goal, self))
    }

    /// Notes the initial state, and the visible effects of this run's writes.
    fn note_effects(&mut self, facts: &Facts<'_>, goal: &Goal, now: Time) {
        self.sees(now);
        self.find(facts, goal);
        self.answer_shows(facts, goal);
        let late: Vec<Step> = self.left_alone.extract_if(.., |step| has_taken_effect(step, facts)).collect();
        late.iter().for_each(|step| self.took(step, goal, now));
        self.weights_show(facts);
        self.lowered.saw(&facts.colors);
        self.memory.repeats.saw(|step| has_taken_effect(step, facts));
    }

    /// A run that continues another one, which may have changed something.
    pub(crate) fn begin_changed(now: Time) -> Self {
        let mut run = Run::begin(now);
        run.memory.changed = true;
        run
    }

    /// The desired count that this run asked for, or else the count at the first read.
    pub(crate) fn known_count(&self, color: Color) -> u32 {
        let found = self.found.as_ref().and_then(|found| found.counts.get(&color));
        self.counts.get(&color).or(found).copied().unwrap_or_default()
    }

    /// The full load by the current counts and this split; at least the load before the first write.
    pub(crate) fn load(&self, base: Split, facts: &Facts<'_>) -> FullLoad {
        let now = full_load(base, &facts.colors);
        let before = self.found.as_ref().and_then(|found| found.load);
        before.map_or(now, |before| now.or_larger(before))
    }

    /// AWS answers again. A bake excludes the time without answers.
    fn sees(&mut self, now: Time) {
        let Some(since) = self.blind.take() else { return };
        if let Some(stage) = &mut self.progress.stage {
            stage.since = stage.since.after(now.since(since));
        }
    }

    /// Notes the state at the first read.
    fn find(&mut self, facts: &Facts<'_>, goal: &Goal) {
        if self.found.is_some() {
            return;
        }
        let Ok(next_split) = next_split(facts, goal, self) else { return };
        let rules = facts.wiring.production.iter();
        let mut found = InitialTraffic {
            split: next_split.base,
            splits: rules.map(|rule| (rule.rule.arn.clone(), rule.split)).collect(),
            counts: BTreeMap::new(),
            suspended: BTreeMap::new(),
            load: None,
        };
        found.size(facts);
        self.found = Some(found);
    }

    /// Unanswered writes whose effect shows had it.
    fn answer_shows(&mut self, facts: &Facts<'_>, goal: &Goal) {
        let late: Vec<UnansweredWrite> =
            self.memory.unanswered.extract_if(.., |write| has_taken_effect(&write.step, facts)).collect();
        late.iter().for_each(|write| self.took(&write.step, goal, write.ended));
    }

    /// A rule that has shown this run's weights, and later holds others, was changed by another writer.
    fn weights_show(&mut self, facts: &Facts<'_>) {
        for rule in &facts.wiring.production {
            if let Some(written) = self.written.get_mut(&rule.rule.arn) {
                written.shown |= rule.split.same_ratio(written.split);
            }
        }
    }

    /// Notes the state right before a write: counts and scaling before the first one, and a new rule.
    pub(crate) fn before(&mut self, step: &Step, snapshot: &Snapshot, goal: &Goal) {
        let Ok(facts) = read_facts(snapshot, goal) else { return };
        self.find(&facts, goal);
        let Some(found) = &mut self.found else { return };
        if !self.memory.may_have_changed() {
            found.size(&facts);
        }
        if let Step::Weights(weights) = step {
            found.splits.entry(weights.rule.clone()).or_insert(weights.before);
        }
        if let Step::Scaling(Scaling { color, min, in_suspended: Some(false), .. }) = step
            && let Some(color) = color.production()
            && let Some(now) = facts.capacity_of(color).scaling
        {
            self.allowed.insert(color, min.unwrap_or(now.min));
        }
        self.lowered.before(step, &facts.colors);
    }

    /// Notes the answer of a step. An older write without an answer is over then: it was waited for.
    pub(crate) fn answered(
        &mut self,
        step: &Step,
        answer: &AwsResult<Answer>,
        goal: &Goal,
        call: impl Into<CallTime>,
    ) {
        let call = call.into();
        match answer {
            Ok(answer) => {
                self.memory.end_unanswered(call.sent);
                self.memory.repeats.sent(step, call.sent);
                self.took(step, goal, call.ended);
                if let (Step::Weights(weights), Answer::Weighed(rule)) = (step, answer) {
                    self.read_back(weights, rule);
                }
            }
            Err(trouble) => self.refused(step, trouble, goal, call),
        }
    }

    /// Notes that the rule shows the new weights right after the write: any other weights later come from another
    /// writer.
    fn read_back(&mut self, weights: &Weights, rule: &Rule) {
        let wanted = forward_weights(&weights.actions);
        let same = wanted.len() == rule.forward.len() && wanted.iter().all(|one| rule.forward.contains(one));
        if let Some(written) = self.written.get_mut(&weights.rule) {
            written.shown |= same;
        }
    }

    /// Notes that AWS accepted a write.
    fn took(&mut self, step: &Step, goal: &Goal, at: Time) {
        (self.memory.changed, self.acted, self.memory.throttled) = (true, at, None);
        self.finishing |= self.finishes(step, goal);
        self.lowered.took(step);
        match step {
            Step::Weights(weights) => {
                let Weights { rule, before, after, .. } = weights.as_ref();
                self.progress.together = false;
                let written = Written { split: *after, before: *before, at, shown: false };
                self.written.insert(rule.clone(), written);
            }
            Step::Scaling(scaling) => {
                self.scaled.extend(scaling.color.production().zip(scaling.in_suspended));
            }
            Step::Update(update) => {
                self.refills(update, at);
                self.counts.extend(update.color.production().zip(update.desired));
            }
            Step::Find(_) | Step::Register(_) | Step::Probe(_) | Step::Policy(_) | Step::Alarm(_) => {}
        }
    }

    /// Notes a raised count while all rules already hold the next split: the count had fallen.
    fn refills(&mut self, update: &Update, at: Time) {
        let color = update.color.production().filter(|color| !self.lowered.is_below(*color));
        if self.progress.is_at_target() {
            self.refilled.extend(color.map(|color| (color, at)));
        }
    }

    /// True if a step shrinks the color without users.
    pub(crate) fn finishes(&self, step: &Step, goal: &Goal) -> bool {
        let of_loser = step.sized_color().is_some_and(|color| !goal.wish.to.is_live(color));
        goal.finish.is_some() && self.progress.arrived().is_some() && of_loser
    }

    /// Notes that AWS refused a write, or did not answer.
    fn refused(&mut self, step: &Step, trouble: &AwsError, goal: &Goal, call: CallTime) {
        let CallTime { sent, ended } = call;
        if let (Some(color), true) = (step.scaled_color(), goal.wish.force) {
            // Users already get errors, so the run skips automatic scaling that AWS does not change at once.
            self.unscalable.push(color);
            self.left_alone.extend(trouble.effect_unknown.then(|| step.clone()));
            return;
        }
        if trouble.effect_unknown {
            self.memory.throttled.get_or_insert((sent, trouble.clone()));
            self.memory.note_unanswered(step, trouble.clone(), call);
            self.memory.repeats.sent(step, sent);
            return;
        }
        if trouble.kind.is_transient() {
            self.memory.throttled.get_or_insert((sent, trouble.clone()));
            return;
        }
        if step.purpose() == Purpose::Restore {
            self.memory.restore_trouble = Some(trouble.clone());
        } else {
            self.start_restore(RunFailure::Traffic(TrafficFailure::AwsError(trouble.clone())), ended);
        }
    }

    /// Starts the restore.
    pub(crate) fn start_restore(&mut self, failing: RunFailure, at: Time) {
        self.memory.start_restore(failing, Restorer::ThisRun, at);
    }
}

/// True if managed scaling of a color is unreadable for now; a forced run ignores that.
fn scaling_unread(facts: &Facts<'_>, goal: &Goal) -> bool {
    let passes = |service: &&Service| {
        let scalers = service.scalers.as_ref();
        scalers.is_some_and(|read| read.as_ref().is_err_and(|trouble| trouble.kind.is_transient()))
    };
    goal.managed.is_some() && !goal.wish.force && facts.services.iter().any(passes)
}

/// True if the snapshot shows the effect of a write.
pub(crate) fn has_taken_effect(step: &Step, facts: &Facts<'_>) -> bool {
    let now = step.sized_color().map(|color| (facts.capacity_of(color), facts.service(color)));
    match step {
        Step::Weights(weights) => {
            facts.wiring.production.iter().any(|rule| {
                rule.rule.arn == weights.rule && rule.split == weights.after && rule.lacks.is_none()
            })
        }
        Step::Scaling(scaling) => now.and_then(|(now, _)| now.scaling).is_some_and(|now| {
            scaling.in_suspended.is_none_or(|wanted| now.in_suspended == wanted)
                && scaling.min.is_none_or(|wanted| now.min == wanted)
                && scaling.max.is_none_or(|wanted| now.max == wanted)
        }),
        Step::Update(update) => {
            update.desired.is_none_or(|wanted| now.is_some_and(|(now, _)| now.desired == wanted))
        }
        Step::Policy(put) | Step::Alarm(put) => {
            let scalers = now.and_then(|(_, service)| service.scalers.as_ref()?.as_ref().ok());
            let shown = scalers.and_then(|scalers| content_of(scalers, put));
            shown.is_some_and(|content| field_differences(content, &put.content).is_empty())
        }
        Step::Find(_) | Step::Register(_) | Step::Probe(_) => true,
    }
}
