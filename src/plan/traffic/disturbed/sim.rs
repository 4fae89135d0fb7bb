//! Runs over the small AWS: what the decision writes, it does, loses, refuses or throttles; looks fail; others write; a
//! killed run begins anew and remembers nothing.

use std::time::Duration;

use super::oracle::Oracle;
use super::world::{World, index, production, split};
use crate::plan::aws_error::{AwsError, AwsErrorKind, AwsResult};
use crate::plan::color::{Color, Split};
use crate::plan::run_memory::Answer;
use crate::plan::sample::trouble;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{End, Next, Purpose, Refusal, Step};
use crate::plan::time::{CallTime, Time};
use crate::plan::traffic::{Goal, Prediction, Run, next_traffic_action, predict_traffic};

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// It is answered.
    Fine,
    /// It has no effect and no answer.
    LostBefore,
    /// It has its effect and no answer.
    LostAfter,
    /// It is throttled.
    Throttled,
    /// It is denied.
    Denied,
    /// The run is killed before it.
    KilledBefore,
    /// The run is killed after it.
    KilledAfter,
}

/// What happens beside the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// All but one of a color's tasks sicken.
    Sicken(Color),
    /// A color scales out by one, where it scales.
    Grow(Color),
    /// A color scales in by one, where it may.
    Shrink(Color),
    /// Somebody else writes the first rule.
    Other(Split),
    /// The alarm fires.
    Fire,
    /// A look brings trouble that passes.
    Unread,
    /// A part of a look does.
    Partial,
    /// A signal comes.
    Signal,
}

/// What happens, and when.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// The world at the beginning.
    pub(super) world: World,
    /// What becomes of each write, in order.
    pub(super) wire: Vec<Wire>,
    /// What becomes of all further ones.
    pub(super) last: Wire,
    /// What happens right before the look with this number.
    pub(super) events: Vec<(u8, Event)>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It came to an end.
    End(End),
    /// It was refused.
    Refuse(Refusal),
    /// It was killed.
    Killed,
    /// It did not end.
    Never,
}

/// The small AWS with a run on it.
#[derive(Debug)]
pub(super) struct Sim {
    /// What happens.
    script: Script,
    /// Everything as it is.
    pub(super) world: World,
    /// Looks so far.
    looks: u8,
    /// Decisions so far.
    pub(super) decisions: usize,
    /// Writes so far, of all runs.
    writes: usize,
    /// What this run sent.
    pub(super) sent: Vec<Step>,
    /// What of it had its effect.
    pub(super) done: Vec<Step>,
    /// The world right before this run's first write.
    pub(super) first: Option<World>,
    /// Whether somebody else wrote a rule, or scaled, since then.
    pub(super) foreign: bool,
    /// Since when one color has all users; none while both have some.
    alone: Option<(Color, Time)>,
    /// What was broken.
    pub(super) broken: Vec<String>,
}

/// Between two looks.
const POLL: u64 = 5;

/// More decisions than any run may take.
const MOST: usize = 1_500;

impl Sim {
    /// The beginning.
    pub(super) fn new(script: Script) -> Sim {
        let world = script.world.clone();
        let alone = world.alone().map(|color| (color, Time(0)));
        let (sent, done, broken) = (Vec::new(), Vec::new(), Vec::new());
        let (looks, decisions, writes, first, foreign) = (0, 0, 0, None, false);
        Sim { script, world, looks, decisions, writes, sent, done, first, foreign, alone, broken }
    }

    /// Runs until a run ends that was not killed.
    pub(super) fn drive(&mut self, goal: &Goal) -> (Ending, Run) {
        let mut killed = false;
        loop {
            (self.sent, self.done, self.first) = (Vec::new(), Vec::new(), None);
            // What a killed run wrote and what shows late is as somebody else's.
            self.foreign = killed && self.world.lag > Duration::ZERO;
            let (ending, run) = self.live(goal);
            if ending != Ending::Killed {
                return (ending, run);
            }
            killed = true;
            self.world.tick(POLL);
        }
    }

    /// One run, as the command begins it and as the one loop of every command drives it: what its plan says is refused is
    /// not begun; after a write, the next decision is made on the snapshot with the rule as it was read back; an end is
    /// told only after another look.
    fn live(&mut self, goal: &Goal) -> (Ending, Run) {
        let mut run = Run::begin(self.world.now);
        let first = self.look(&mut run).ok();
        if let Some(snapshot) = &first
            && let Prediction::Refuse(refusal) = predict_traffic(snapshot, goal, self.world.now)
        {
            return (Ending::Refuse(refusal), run);
        }
        let mut known: Option<(Snapshot, bool)> = first.map(|snapshot| (snapshot, false));
        while self.decisions < MOST {
            self.decisions += 1;
            let (seen, patched) = match known.take() {
                Some((snapshot, patched)) => (Ok(snapshot), patched),
                None => (self.look(&mut run), false),
            };
            match next_traffic_action(&seen, goal, &mut run, self.world.now) {
                // A look shows everything here: the next one is as good.
                Next::Read(_) => {}
                Next::Follow(_) => return (Ending::Never, run),
                Next::Wait(_) => self.world.tick(POLL),
                Next::Restore(failing, _) => run.start_restore(failing, self.world.now),
                Next::Done(_) | Next::Refuse(_) if patched => {}
                Next::Refuse(refusal) => return (Ending::Refuse(refusal), run),
                Next::Done(end) => return (Ending::End(end), run),
                Next::Step(step) => {
                    let snapshot = seen.unwrap();
                    run.before(&step, &snapshot, goal);
                    if self.first.is_none() {
                        self.first = Some(self.world.as_shown());
                    }
                    self.judge(&snapshot, &step, (goal, &run));
                    let sent = self.world.now;
                    let Some(answer) = self.write(&step) else { return (Ending::Killed, run) };
                    run.answered(&step, &answer, goal, CallTime { sent, ended: self.world.now });
                    match (&answer, &step) {
                        (Ok(_), Step::Weights(_)) => known = Some((self.read_back(snapshot), true)),
                        (Ok(_), _) => {}
                        (Err(_), _) => self.world.tick(POLL),
                    }
                }
            }
        }
        (Ending::Never, run)
    }

    /// Whether a step gives back what this run took, with no user moved.
    fn gives_back(&self, step: &Step) -> bool {
        let moved = self.done.iter().any(|step| matches!(step, Step::Weights(_)));
        matches!(step, Step::Scaling(scaling) if scaling.purpose == Purpose::Restore) && !moved
    }

    /// Asks the oracle.
    fn judge(&mut self, seen: &Snapshot, step: &Step, at: (&Goal, &Run)) {
        let (goal, run) = at;
        let carried = self.alone.is_some_and(|(_, since)| self.world.now.since(since) >= goal.wish.settle);
        let found = self.first.as_ref().map(World::show);
        let oracle = Oracle {
            seen,
            found: found.as_ref(),
            production: self.world.rules.iter().map(|held| held.rule.arn.clone()).collect(),
            forced: goal.wish.force,
            settled: carried || run.memory.cancelled.is_some() || self.gives_back(step),
        };
        self.broken.extend(oracle.judge(step));
        if matches!(step, Step::Update(_)) && !goal.wish.scale_up {
            self.broken.push(format!("scale-up: false, and {step:?}"));
        }
    }

    /// One look, and what happens right before it.
    fn look(&mut self, run: &mut Run) -> AwsResult<Snapshot> {
        self.looks = self.looks.saturating_add(1);
        let now: Vec<Event> = self
            .script
            .events
            .iter()
            .filter(|(look, _)| *look == self.looks)
            .map(|(_, event)| *event)
            .collect();
        let mut partial = false;
        let mut whole = false;
        for event in now {
            match event {
                Event::Unread => whole = true,
                Event::Partial => partial = true,
                Event::Signal => {
                    run.memory.cancelled.get_or_insert(self.world.now);
                }
                Event::Sicken(_) | Event::Grow(_) | Event::Shrink(_) | Event::Other(_) | Event::Fire => {
                    self.happen(event)
                }
            }
        }
        if whole {
            return Err(trouble(AwsErrorKind::Throttled));
        }
        let mut seen = self.world.show();
        if partial {
            seen.services[1].targets = Some(Err(trouble(AwsErrorKind::Unreachable)));
        }
        Ok(seen)
    }

    /// Something happens in AWS.
    fn happen(&mut self, event: Event) {
        let world = &mut self.world;
        match event {
            Event::Sicken(color) => {
                let tier = &mut world.tiers[index(color)];
                let sickens = tier.healthy.saturating_sub(1);
                (tier.healthy, tier.sick) = (tier.healthy - sickens, tier.sick + sickens);
            }
            Event::Grow(color) => {
                let tier = &mut world.tiers[index(color)];
                if tier.scaling.is_some_and(|scaling| tier.desired < scaling.max) {
                    tier.desired += 1;
                    self.foreign = true;
                }
            }
            Event::Shrink(color) => {
                let tier = &mut world.tiers[index(color)];
                let may = |scaling| {
                    let crate::plan::snapshot::Scalable { min, in_suspended, .. } = scaling;
                    !in_suspended && tier.desired > min.max(1)
                };
                if tier.scaling.is_some_and(may) {
                    tier.desired -= 1;
                    self.foreign = true;
                }
            }
            Event::Other(split) => {
                let arn = world.rules[0].rule.arn.clone();
                world.rules[0].rule = production(0, split, None);
                assert_eq!(arn, world.rules[0].rule.arn);
                self.foreign = true;
                self.note_alone();
            }
            Event::Fire => world.firing = true,
            Event::Unread | Event::Partial | Event::Signal => {}
        }
        self.world.tick(0);
    }

    /// Sends a write; none when the run is killed at it.
    fn write(&mut self, step: &Step) -> Option<AwsResult<Answer>> {
        let wire = self.script.wire.get(self.writes).copied().unwrap_or(self.script.last);
        self.writes += 1;
        self.sent.push(step.clone());
        if matches!(wire, Wire::Fine | Wire::LostAfter | Wire::KilledAfter) {
            self.world.effect(step);
            self.done.push(step.clone());
            self.note_alone();
        }
        let lost = AwsError { effect_unknown: true, ..trouble(AwsErrorKind::Unreachable) };
        match wire {
            Wire::Fine => Some(Ok(Answer::Changed)),
            Wire::LostBefore | Wire::LostAfter => Some(Err(lost)),
            Wire::Throttled => Some(Err(trouble(AwsErrorKind::Throttled))),
            Wire::Denied => Some(Err(trouble(AwsErrorKind::Denied))),
            Wire::KilledBefore | Wire::KilledAfter => None,
        }
    }

    /// Since when one color is alone.
    fn note_alone(&mut self) {
        let now = self.world.alone();
        if now != self.alone.map(|(color, _)| color) {
            self.alone = now.map(|color| (color, self.world.now));
        }
    }

    /// The snapshot with the rules as they are read back.
    fn read_back(&self, mut seen: Snapshot) -> Snapshot {
        let rules = &mut seen.balancers.as_mut().unwrap().as_mut().unwrap()[0].rules;
        for held in &self.world.rules {
            let shown = self.world.shown(held);
            rules.iter_mut().filter(|rule| rule.arn == shown.arn).for_each(|rule| rule.clone_from(&shown));
        }
        seen
    }

    /// Another run on the same world, by nothing disturbed.
    pub(super) fn again(&self) -> Sim {
        let mut world = self.world.clone();
        world.tick(60);
        Sim::new(Script { world, wire: Vec::new(), last: Wire::Fine, events: Vec::new() })
    }

    /// The splits of all rules, as percent.
    pub(super) fn splits(&self) -> Vec<(u32, u32)> {
        self.world.rules.iter().map(|held| split(&held.rule).percent()).collect()
    }

    /// What another run would find: splits, scalable targets, and the counts where they are asked for.
    pub(super) fn state(&self, counts: bool) -> String {
        let [blue, green] = &self.world.tiers;
        let of = |tier: &super::world::Tier| (counts.then_some(tier.desired), tier.scaling);
        format!("{:?} {:?} {:?}", self.splits(), of(blue), of(green))
    }

    /// Lets time pass until everything shows.
    pub(super) fn rest(&mut self) {
        self.world.tick(Duration::from_secs(60).as_secs());
    }
}
