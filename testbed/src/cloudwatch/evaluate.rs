//! Evaluation of alarms, by metrics and by other alarms.

use std::time::{Instant, SystemTime};

use super::CloudWatch;
use super::alarm::{MetricWatch, State, Watch};
use super::judge::{MORE, judge};
use super::reason::{self, Point};
use super::rule::name_of;

/// A change of an alarm's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The alarm's name.
    pub alarm: String,
    /// Time of the change.
    pub at: SystemTime,
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// `StateReason`.
    pub reason: String,
}

impl CloudWatch {
    /// Evaluates every alarm whose turn has come, and repeats due actions.
    pub(super) fn evaluate(&mut self, now: Instant) {
        let second = self.clock.second(now);
        for index in 0..self.alarms.len() {
            self.look(index, second, now);
        }
        self.settle(now);
        self.repeat(now);
    }

    /// Evaluates a metric alarm's datapoints at the start of a new turn. Only whole periods count.
    fn look(&mut self, index: usize, second: u64, now: Instant) {
        let alarm = &mut self.alarms[index];
        let Watch::Metric(watch) = &mut alarm.watch else { return };
        let turn = second / watch.step();
        if turn <= watch.turn {
            return;
        }
        watch.turn = turn;
        let end = turn * watch.step();
        let points: Vec<Point> = (0..watch.periods.saturating_add(MORE))
            .map_while(|back| {
                let from = end.checked_sub(watch.period * (u64::try_from(back).ok()? + 1))?;
                let query = watch.queries.get(&watch.watched)?;
                let value = watch.queries.value(&self.store, query, from..from + watch.period);
                Some((self.clock.starts(from), value))
            })
            .collect();
        watch.newest = points.iter().find_map(|(_, value)| *value);
        let judged = verdict(watch, &points);
        let Some(state) = judged.filter(|state| *state != alarm.state) else { return };
        let at = self.clock.wall(now);
        let told = (reason::of(watch, state, &points), Some(reason::data(watch, &points, at)));
        self.enter(index, state, told, now);
    }

    /// Puts an alarm into a state, with a reason and its data; fires the actions of a new state.
    pub(super) fn enter(&mut self, index: usize, state: State, told: (String, Option<String>), now: Instant) {
        let at = self.clock.wall(now);
        let alarm = &mut self.alarms[index];
        (alarm.reason, alarm.reason_data) = told;
        alarm.updated = at;
        if alarm.state == state {
            return;
        }
        let from = std::mem::replace(&mut alarm.state, state);
        alarm.transitioned = at;
        alarm.next_repeat = None;
        let (name, reason) = (alarm.name.clone(), alarm.reason.clone());
        self.changed.push_back(name.clone());
        self.history.push(Change { alarm: name, at, from, to: state, reason });
        self.fire(index, false, now);
    }

    /// Updates composite alarms after their children changed, and the parents of these. A circle of alarms is cut off.
    pub(super) fn settle(&mut self, now: Instant) {
        let mut left = 100 + self.alarms.len() * 10;
        while let Some(child) = self.changed.pop_front() {
            left -= 1;
            if left == 0 {
                self.changed.clear();
                return;
            }
            let parents: Vec<usize> = (self.alarms.iter().enumerate())
                .filter(|(_, alarm)| match &alarm.watch {
                    Watch::Composite(rule, _) => rule.alarms().into_iter().any(|one| name_of(one) == child),
                    Watch::Metric(_) => false,
                })
                .map(|(index, _)| index)
                .collect();
            for index in parents {
                let told = self.child_told(&child);
                self.follow_rule(index, told, now);
            }
        }
    }

    /// Evaluates the rule of a composite alarm that was created or updated.
    pub(super) fn follow(&mut self, name: &str, word: &str, now: Instant) {
        let Some(index) = self.alarms.iter().position(|alarm| alarm.name == name) else { return };
        let made = format!("{} was {word} and its alarm rule evaluates to ", self.alarms[index].arn);
        let told = move |state: State| made.clone() + state.name();
        let children = match &self.alarms[index].watch {
            Watch::Composite(rule, _) => {
                rule.alarms().into_iter().map(|one| name_of(one).to_owned()).collect()
            }
            Watch::Metric(_) => Vec::new(),
        };
        self.follow_rule(index, (Box::new(told), children), now);
    }

    /// A parent's reason when this child changed.
    fn child_told(&self, child: &str) -> Told {
        let reason = match self.alarm(child) {
            Some(alarm) => {
                format!(
                    "{} transitioned to {} at {}",
                    alarm.arn,
                    alarm.state.name(),
                    reason::long_date(alarm.transitioned)
                )
            }
            None => format!("{}{child} was deleted", self.arn_prefix),
        };
        (Box::new(move |_| reason.clone()), vec![child.to_owned()])
    }

    /// Puts a composite alarm into the state of its rule. A deleted alarm has no state.
    fn follow_rule(&mut self, index: usize, (told, children): Told, now: Instant) {
        let Watch::Composite(rule, _) = &self.alarms[index].watch else { return };
        let is = |alarm: &str, state| self.alarm(name_of(alarm)).is_some_and(|alarm| alarm.state == state);
        let state = if rule.holds(&is) { State::Alarm } else { State::Ok };
        if state != self.alarms[index].state {
            let children = children.iter().filter_map(|child| self.alarm(child));
            let data = reason::composite_data(children);
            self.enter(index, state, (told(state), Some(data)), now);
        }
    }
}

/// A composite alarm's reason for a state, and the children named in its data.
type Told = (Box<dyn Fn(State) -> String>, Vec<String>);

/// The state by a metric alarm's datapoints, newest first; none: the state stays.
fn verdict(watch: &MetricWatch, points: &[Point]) -> Option<State> {
    let breaches = |value: f64| watch.comparison.breaches(value, watch.threshold);
    let judged: Vec<Option<bool>> = points.iter().map(|(_, value)| value.map(breaches)).collect();
    judge(&judged, watch.to_alarm, watch.periods, watch.missing)
}
