//! Watches invariants 10, 16, 19, 22, 23, 24, 31, 36, 37 and 44 with independent arithmetic, only from the state of
//! ECS, Elastic Load Balancing, Application Auto Scaling and CloudWatch.
//!
//! Compares the state after a call with the state before, so each breach is reported once. A production rule names the
//! target groups of both colors.

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
    /// The observation.
    pub text: String,
    /// The last call before the observation.
    pub call: u64,
}

/// A service's size, for the invariants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capacity {
    /// The desired count.
    pub desired: u32,
    /// The scalable target; none if the service does not scale automatically.
    pub scaling: Option<Scaling>,
    /// The targets of the service's own tasks, by id and port; none if every target of the group counts as own
    /// (invariant 37).
    pub own: Option<Vec<(String, u16)>>,
}

/// A service's scalable target, and its effects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scaling {
    /// `MaxCapacity`.
    pub max: u32,
    /// True if dynamic scale-in is suspended.
    pub scale_in_suspended: bool,
    /// Number of times that a bound made the service smaller.
    pub clamped: usize,
    /// Number of times that a policy made the service smaller.
    pub scaled_in: usize,
    /// The alarms that trigger the scale-out step policies, by name; true if an alarm's actions are enabled.
    pub out_alarms: Vec<(String, bool)>,
}

/// Keeps the last state and all violations.
#[derive(Debug, Default)]
pub struct Checker {
    /// All violations, in order.
    violations: Vec<Violation>,
    /// Blue and green; none if nothing is watched.
    colors: Option<[Color; 2]>,
    /// The last state.
    seen: Option<Seen>,
    /// True while a deploy is running.
    frozen: bool,
    /// True if users are failing already and a run uses `force`.
    forced: bool,
    /// True if a color may be emptied.
    may_empty: bool,
    /// The users' need.
    need: Need,
    /// Longest time that a live color may have a count below its need without a report.
    patience: Option<Duration>,
    /// True if two runs act at once.
    two_runs: bool,
    /// True if the action manages the alarms of the step policies.
    managed: bool,
}

/// Broken invariants: number and text.
type Found = Vec<(u8, String)>;

/// The colors' names in texts.
const NAMES: [&str; 2] = ["blue", "green"];

/// Default time that a live color may have a count below its need: the run that lowered the count reads the rules again
/// and restores the count (invariant 36).
const PATIENCE: Duration = Duration::from_secs(3);

impl Checker {
    /// Starts to watch two colors, from the state at the next check.
    pub fn watch(&mut self, blue: Color, green: Color) {
        self.colors = Some([blue, green]);
        self.seen = None;
        self.need.forget();
    }

    /// While on, any change of a production weight breaks invariant 10: a deploy is running.
    pub fn expect_no_weight_change(&mut self, on: bool) {
        self.frozen = on;
    }

    /// While on, one healthy target is enough for any weight: a run uses `force` (invariant 16).
    pub fn expect_force(&mut self, on: bool) {
        self.forced = on;
    }

    /// While on, a color may be emptied, as requested (invariant 24).
    pub fn expect_empty(&mut self, on: bool) {
        self.may_empty = on;
    }

    /// A live color's count below its need is reported after this time, by default 3 s; zero: at once (invariant 36).
    pub fn expect_restore_within(&mut self, time: Duration) {
        self.patience = Some(time);
    }

    /// While on, two runs act at once. A run can't know that the other run moves users to the color whose count it
    /// lowers at this moment. So a smaller count of a live color does not break invariant 22, but breaks invariant 36
    /// if the count is never raised again.
    pub fn expect_two_runs(&mut self, on: bool) {
        self.two_runs = on;
    }

    /// While on, a color that gets weight must have enabled actions on the alarms of its scale-out step policies
    /// (invariant 31). Off by default: alarms may belong to others, and be disabled for a reason.
    pub fn expect_managed_alarms(&mut self, on: bool) {
        self.managed = on;
    }

    /// All violations, in order.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Compares with the last state. `capacity` is a service's size by ARN, none if the service does not exist.
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

    /// Checks once more, after the end of every run: users have enough tasks (invariant 44).
    pub fn check_ended(&mut self, elb: &Elb, capacity: &dyn Fn(&str) -> Option<Capacity>, call: u64) {
        self.check(elb, capacity, call);
        let mut found = Found::new();
        if let Some(now) = &self.seen {
            self.need.ended(now, &mut found);
        }
        self.report(found, call);
    }

    /// Checks every invariant that a change of state may break.
    fn compare(&mut self, before: &Seen, now: &Seen, found: &mut Found) {
        weights::kept(self.frozen, before, now, found);
        weights::carried(self.forced, before, now, found);
        scaling::held(before, now, found);
        scaling::alarmed(self.managed, before, now, found);
        let mut shrunk = Found::new();
        capacity::shrinks_last(before, now, &mut shrunk);
        shrunk.retain(|(invariant, _)| *invariant != 22 || !self.two_runs);
        // A reported or requested load is the new load: nothing is reported twice.
        if self.forced || !shrunk.is_empty() {
            self.need.accept(now);
        } else {
            self.need.learn(now, capacity::policy_shrank(before, now));
        }
        found.append(&mut shrunk);
        capacity::nothing_lost(self.may_empty, before, now, found);
    }

    /// Keeps the findings.
    fn report(&mut self, found: Found, call: u64) {
        let broken = found.into_iter().map(|(invariant, text)| Violation { invariant, text, call });
        self.violations.extend(broken);
    }
}
