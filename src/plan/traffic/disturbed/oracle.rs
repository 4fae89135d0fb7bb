//! Judges every write by the state right before it, with an arithmetic of its own.

use serde_json::{Value, json};

use super::world::{index, split, weights};
use crate::plan::color::{Color, Split};
use crate::plan::snapshot::{Rule, Scalable, Service, Snapshot};
use crate::plan::step::{Purpose, Scaling, Step, Update, Weights};

/// The colors.
const BOTH: [Color; 2] = Color::BOTH;

/// A state, and what the user allowed.
pub(super) struct Oracle<'a> {
    /// What AWS showed right before the write.
    pub(super) seen: &'a Snapshot,
    /// What it showed right before the run's first write, where this is the way back.
    pub(super) found: Option<&'a Snapshot>,
    /// The ARNs of the production rules.
    pub(super) production: Vec<String>,
    /// `force`.
    pub(super) forced: bool,
    /// Whether the color with all users has carried them for `settle`, or nobody asks for it any more.
    pub(super) settled: bool,
}

impl Oracle<'_> {
    /// Which invariants a write breaks, each with the reason.
    pub(super) fn judge(&self, step: &Step) -> Vec<String> {
        match step {
            Step::Weights(weights) => self.weights(weights),
            Step::Scaling(scaling) => self.scaling(step.sized_color().unwrap(), scaling),
            Step::Update(update) => self.update(step.sized_color().unwrap(), update),
            Step::Find(_) | Step::Register(_) | Step::Probe(_) | Step::Policy(_) | Step::Alarm(_) => {
                vec!["no step of traffic".to_owned()]
            }
        }
    }

    /// The service of a color.
    fn service(&self, color: Color) -> &Service {
        &self.seen.services[index(color)]
    }

    /// The scalable target of a color.
    fn scalable(&self, color: Color) -> Option<Scalable> {
        *self.service(color).scaling.as_ref().unwrap().as_ref().unwrap()
    }

    /// The production rules.
    fn rules(&self) -> Vec<&Rule> {
        let balancers = self.seen.balancers.as_ref().unwrap().as_ref().unwrap();
        balancers[0].rules.iter().filter(|rule| self.production.contains(&rule.arn)).collect()
    }

    /// Whether users reach a color by any rule, once this rule holds this.
    fn live(&self, color: Color, change: Option<(&str, Split)>) -> bool {
        self.rules().into_iter().any(|rule| match change {
            Some((arn, after)) if arn == rule.arn => after.weight(color) > 0,
            Some(_) | None => split(rule).weight(color) > 0,
        })
    }

    /// Healthy targets, and those that are there to stay.
    fn targets(&self, color: Color) -> (u32, u32) {
        let targets = self.service(color).targets.as_ref().unwrap().as_ref().unwrap();
        let count = |test: &dyn Fn(&str) -> bool| {
            u32::try_from(targets.iter().filter(|target| test(&target.state)).count()).unwrap()
        };
        (count(&|state| state == "healthy"), count(&|state| !state.ends_with("draining")))
    }

    /// Whether so many targets are at least `share ÷ sum` of the full load, where users are split like this now.
    /// Never divides: `count ≥ w ÷ s × min(d₁ × s₁ ÷ w₁, …)` holds where it holds for one of the numbers.
    fn carries(&self, count: u32, (share, sum): (u32, u32), now: Split) -> bool {
        let wide = |number: u32| u128::from(number);
        // No tasks at all tell nothing of the load.
        let tells = |color: &Color| now.weight(*color) > 0 && self.service(*color).desired > 0;
        let live: Vec<Color> = BOTH.into_iter().filter(tells).collect();
        let enough_of = |load: u128, part: u128| wide(count) * wide(sum) * part >= wide(share) * load;
        let unscaled = |color: &Color| now.weight(*color) > 0 && self.scalable(*color).is_none();
        if live.is_empty() || BOTH.iter().any(unscaled) {
            return BOTH.iter().all(|color| enough_of(wide(self.service(*color).desired), 1));
        }
        let all = wide(now.blue + now.green);
        let by_one = live
            .iter()
            .any(|color| enough_of(wide(self.service(*color).desired) * all, wide(now.weight(*color))));
        let most = live.iter().filter_map(|color| self.scalable(*color)).map(|target| target.max).max();
        by_one || most.is_some_and(|most| enough_of(wide(most), 1))
    }

    /// The same by the load that one of the production rules tells: those that stand apart tell of several.
    fn carries_by_any(&self, count: u32, share: (u32, u32)) -> bool {
        self.rules().into_iter().any(|rule| self.carries(count, share, split(rule)))
    }

    /// The same by the load before the run's first write, for its way back.
    fn carried(&self, count: u32, share: (u32, u32)) -> bool {
        let then = |found| Oracle { seen: found, found: None, production: self.production.clone(), ..*self };
        self.found.is_some_and(|found| then(found).carries_by_any(count, share))
    }

    /// Whether every color has the targets for its share of each production rule as it is.
    pub(super) fn stands(&self) -> bool {
        let fine = |now: Split| {
            let share = |color: Color| (now.weight(color), now.blue + now.green);
            let enough = |color: Color| self.carries(self.targets(color).0, share(color), now);
            BOTH.into_iter().filter(|color| now.weight(*color) > 0).all(enough)
        };
        self.rules().into_iter().all(|rule| fine(split(rule)))
    }

    /// Invariants 3, 4, 16, 17 and 19.
    fn weights(&self, written: &Weights) -> Vec<String> {
        let mut broken = Vec::new();
        let rule = self.rules().into_iter().find(|rule| rule.arn == written.rule).unwrap();
        let (before, after) = (split(rule), written.after);
        if !carries_all(&rule.whole, &written.actions) {
            broken.push(format!("3: {} became {}", rule.whole, written.actions));
        }
        let named = weights(&written.actions);
        let wanted = [("tg-blue".to_owned(), after.blue), ("tg-green".to_owned(), after.green)];
        if named != wanted || after.blue + after.green == 0 || after.blue.max(after.green) > 999 {
            broken.push(format!("4: {named:?} for {after:?}"));
        }
        if after.blue * before.green == before.blue * after.green {
            return broken;
        }
        for color in BOTH.into_iter().filter(|color| after.weight(*color) > 0) {
            let (healthy, all) = self.targets(color);
            let group = self.service(color).group.as_ref().unwrap().as_ref().unwrap();
            let own = group.attributes.as_ref().unwrap().as_ref().unwrap();
            let minimum = healthy >= own.minimum_count && healthy * 100 >= own.minimum_percent * all;
            let share = (after.weight(color), after.blue + after.green);
            let back = written.purpose == Purpose::Restore;
            let enough = self.carries_by_any(healthy, share) || back && self.carried(healthy, share);
            let enough = self.forced || minimum && enough;
            if healthy == 0 || !enough {
                broken.push(format!(
                    "16: {color} with {healthy} healthy targets gets {share:?} from {before:?}"
                ));
            }
        }
        let both = BOTH.into_iter().all(|color| self.live(color, Some((&rule.arn, after))));
        let open = |color: &Color| self.scalable(*color).is_some_and(|target| !target.in_suspended);
        if let Some(color) = BOTH.iter().find(|color| open(color)).filter(|_| both && !self.forced) {
            broken.push(format!("19: {color} can scale in while both are live"));
        }
        broken
    }

    /// Invariants 19 and 23.
    fn scaling(&self, color: Color, scaling: &Scaling) -> Vec<String> {
        let mut broken = Vec::new();
        let Some(now) = self.scalable(color) else {
            return vec!["a scalable target is made".to_owned()];
        };
        let desired = self.service(color).desired;
        let most = scaling.max.unwrap_or(now.max);
        if desired > most {
            broken.push(format!("23: {} has {desired} tasks and gets at most {most}", color));
        }
        let live = BOTH.map(|color| self.live(color, None));
        if scaling.in_suspended == Some(false) && (live == [true, true] || !self.settled) {
            broken.push(format!("19: {} may scale in, live {live:?}, settled {}", color, self.settled));
        }
        broken
    }

    /// Invariants 18 and 22: a color with users stays large enough for them. 23: bounds hold a count that is raised.
    fn update(&self, color: Color, update: &Update) -> Vec<String> {
        let mut broken = Vec::new();
        let (old, new) = (self.service(color).desired, update.desired.unwrap());
        if update.rolls() {
            broken.push("a deployment".to_owned());
        }
        let most = self.scalable(color).map(|target| target.max);
        if new > old && most.is_some_and(|most| new > most) {
            broken.push(format!("23: {} to {new} with at most {most:?}", color));
        }
        for rule in self.rules().into_iter().filter(|_| new < old) {
            let now = split(rule);
            let weight = now.weight(color);
            if weight > 0 && !self.carries(new, (weight, now.blue + now.green), now) {
                broken.push(format!("22: {} with users of {now:?} from {old} to {new}", color));
            }
        }
        broken
    }
}

/// Whether all other actions and all other fields of the forward action are the same.
fn carries_all(old: &Value, new: &Value) -> bool {
    let bare = |actions: &Value| {
        let mut actions = actions.clone();
        let forward = actions.as_array_mut().unwrap().iter_mut().find(|action| action["Type"] == "forward");
        let fields = forward.unwrap().as_object_mut().unwrap();
        fields.remove("TargetGroupArn");
        let config = fields.entry("ForwardConfig").or_insert(json!({}));
        config.as_object_mut().unwrap().remove("TargetGroups");
        actions
    };
    let forward = new.as_array().unwrap().iter().find(|action| action["Type"] == "forward").unwrap();
    bare(old) == bare(new) && forward.get("TargetGroupArn").is_none()
}
