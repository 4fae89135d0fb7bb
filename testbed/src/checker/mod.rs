//! Watches invariants 10, 16, 19, 22, 23, 24, 31, 36, 37 and 44 with its own arithmetic, from the state of ECS, Elastic Load
//! Balancing, Application Auto Scaling and CloudWatch alone.
//!
//! It compares what it sees after a call with what it saw before, so each breach is told once. A production
//! rule is one that names the target groups of both colors.

mod capacity;
mod need;
mod scaling;
mod seen;
mod weights;

use crate::elb::Elb;
use need::Need;
use seen::Seen;
use std::time::Duration;

/// A color: its ECS service and its target group, by ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Color {
    /// The service's ARN.
    pub service: String,
    /// The target group's ARN.
    pub group: String,
}

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's number.
    pub invariant: u8,
    /// What was seen.
    pub text: String,
    /// The last call before it was seen.
    pub call: u64,
}

/// A service's size, as far as the invariants ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capacity {
    /// Its desired count.
    pub desired: u32,
    /// Its scalable target; none: it does not scale automatically.
    pub scaling: Option<Scaling>,
    /// The targets of its own tasks, by id and port; none: every target of its group counts as its own
    /// (invariant 37).
    pub own: Option<Vec<(String, u16)>>,
}

/// A service's scalable target, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scaling {
    /// `MaxCapacity`.
    pub max: u32,
    /// Whether dynamic scale-in is suspended.
    pub scale_in_suspended: bool,
    /// How often a bound made the service smaller.
    pub clamped: usize,
    /// How often a policy made the service smaller.
    pub scaled_in: usize,
    /// The alarms that fire its step policies out, by name, and whether their actions are on.
    pub out_alarms: Vec<(String, bool)>,
}

/// Remembers what it saw last and what was wrong.
#[derive(Debug, Default)]
pub struct Checker {
    /// What was wrong so far, in order.
    violations: Vec<Violation>,
    /// Blue and green; none: nothing is watched.
    colors: Option<[Color; 2]>,
    /// What was seen last.
    seen: Option<Seen>,
    /// Whether a deploy is running.
    frozen: bool,
    /// Whether users are failing already and somebody said `force`.
    forced: bool,
    /// Whether somebody said that a color may be emptied.
    may_empty: bool,
    /// What the users need.
    need: Need,
    /// How long a live color may have a count below its need before that is reported.
    patience: Option<Duration>,
    /// Whether two runs act at once.
    two_runs: bool,
    /// Whether the alarms of the step policies are ours to turn on.
    managed: bool,
}

/// Broken invariants: number and text.
type Found = Vec<(u8, String)>;

/// What the colors are called in texts.
const NAMES: [&str; 2] = ["blue", "green"];

/// How long a live color may have a count below its need, unless a test says otherwise: the run that lowered it reads the
/// rules again, and restores it (invariant 36).
const PATIENCE: Duration = Duration::from_secs(3);

impl Checker {
    /// Starts to watch two colors, from the state that the next check finds.
    pub fn watch(&mut self, blue: Color, green: Color) {
        self.colors = Some([blue, green]);
        self.seen = None;
        self.need.forget();
    }

    /// While on, any change of a production weight breaks invariant 10: a deploy is running.
    pub fn expect_no_weight_change(&mut self, on: bool) {
        self.frozen = on;
    }

    /// While on, one healthy target is enough for any weight: somebody said `force` (invariant 16).
    pub fn expect_force(&mut self, on: bool) {
        self.forced = on;
    }

    /// While on, a color may be emptied: somebody said so (invariant 24).
    pub fn expect_empty(&mut self, on: bool) {
        self.may_empty = on;
    }

    /// A live color's count below its need is reported after this time, 3 s from the start; zero: at once
    /// (invariant 36).
    pub fn expect_restore_within(&mut self, time: Duration) {
        self.patience = Some(time);
    }

    /// While on, two runs act at once: no run can know that the other moves users to the color whose count it lowers at
    /// this moment, so a live color that is given a smaller count is no breach of invariant 22, but one of 36 if
    /// nobody raises it again.
    pub fn expect_two_runs(&mut self, on: bool) {
        self.two_runs = on;
    }

    /// While on, a color that gets weight must have the alarms of its scale-out step policies with their actions on
    /// (invariant 31). Off from the start: alarms may be somebody else's, and off for a reason.
    pub fn expect_managed_alarms(&mut self, on: bool) {
        self.managed = on;
    }

    /// What was wrong so far, in order.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Compares with what was seen last. `capacity` is a service's size by ARN, none when it does not exist.
    pub fn check(&mut self, elb: &Elb, capacity: &dyn Fn(&str) -> Option<Capacity>, call: u64) {
        let Some(colors) = &self.colors else { return };
        let now = Seen::look(colors, elb, capacity);
        let mut found = Found::new();
        match self.seen.take() {
            Some(before) if before != now => self.compare(&before, &now, &mut found),
            Some(_) => {}
            None => self.need.learn(&now, false),
        }
        self.report(found, call);
        for (call, text) in self.need.overdue(&now, call, self.patience.unwrap_or(PATIENCE)) {
            self.violations.push(Violation { invariant: 36, text, call });
            self.need.accept(&now);
        }
        self.seen = Some(now);
    }

    /// Looks once more, when every run has ended: users have what they need now (invariant 44).
    pub fn check_ended(&mut self, elb: &Elb, capacity: &dyn Fn(&str) -> Option<Capacity>, call: u64) {
        self.check(elb, capacity, call);
        let mut found = Found::new();
        if let Some(now) = &self.seen {
            self.need.ended(now, &mut found);
        }
        self.report(found, call);
    }

    /// Everything that a change from one state to the next may break.
    fn compare(&mut self, before: &Seen, now: &Seen, found: &mut Found) {
        weights::kept(self.frozen, before, now, found);
        weights::carried(self.forced, before, now, found);
        scaling::held(before, now, found);
        scaling::alarmed(self.managed, before, now, found);
        let mut shrunk = Found::new();
        capacity::shrinks_last(before, now, &mut shrunk);
        shrunk.retain(|(invariant, _)| *invariant != 22 || !self.two_runs);
        // What is reported, or was said to be wanted, is the load from now on: nothing is reported twice.
        if self.forced || !shrunk.is_empty() {
            self.need.accept(now);
        } else {
            self.need.learn(now, capacity::policy_shrank(before, now));
        }
        found.append(&mut shrunk);
        capacity::nothing_lost(self.may_empty, before, now, found);
    }

    /// Keeps what was found.
    fn report(&mut self, found: Found, call: u64) {
        let broken = found.into_iter().map(|(invariant, text)| Violation { invariant, text, call });
        self.violations.extend(broken);
    }
}
