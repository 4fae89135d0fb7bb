//! A change of traffic for the reader: the changes, the needed capacity, and the commands to undo the change.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plan::color::{Color, Split};
use crate::plan::compare::longest_hold;
use crate::plan::step::{Capacity, Step};

/// The full report of a change of traffic, before or after the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrafficPlan {
    /// The initial split.
    pub(crate) from: Split,
    /// The final split.
    pub(crate) to: Split,
    /// Each production rule.
    pub(crate) rules: Vec<RuleChange>,
    /// The full load in targets, and its source.
    pub(crate) load: Load,
    /// Capacity of each color that ends with users: healthy targets and need.
    pub(crate) capacity: Vec<Capacity>,
    /// Healthy targets that the full load requires of each such color: more than a forced run waits for.
    pub(crate) needs: Vec<(Color, u32)>,
    /// The color that gains users, or has most users in the end.
    pub(crate) receiver: Color,
    /// ARN of the task definition of each color's service.
    pub(crate) versions: Vec<(Color, String)>,
    /// The predicted steps; empty if unknown.
    pub(crate) steps: Vec<Step>,
    /// True if rules and shares are too many to predict the steps.
    pub(crate) too_long: bool,
    /// The shares that are held, in percent of the receiver, each with its time.
    pub(crate) bakes: Vec<(u32, Duration)>,
    /// Longest wait after each bake for the load balancer's counts of that step; zero if none is waited for.
    pub(crate) counts: Duration,
    /// Longest possible duration of the run.
    pub(crate) longest: Duration,
    /// Alarms without data, which can't fire.
    pub(crate) no_data: Vec<String>,
    /// The intermediate moves of a promote by copy; none for any other change.
    pub(crate) copy: Option<Copying>,
}

/// A color copies the other color's task definition, while the other color has all users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copying {
    /// The color.
    pub(crate) color: Color,
    /// The other color, which was tested.
    pub(crate) tested: Color,
    /// True if users must first move to the tested color.
    pub(crate) away: bool,
    /// ARN of the color's previous task definition.
    pub(crate) before: String,
}

impl TrafficPlan {
    /// True if all rules held the same split before: only then the users' split is known.
    pub(crate) fn agreed(&self) -> bool {
        self.rules.iter().all(|rule| rule.before.same_ratio(self.from))
    }

    /// The plan of a run that waits after each bake for the load balancer's counts of that step.
    pub(crate) fn with_wait_for_counts(mut self) -> TrafficPlan {
        let waits = self.bakes.iter().map(|(_, bake)| longest_hold(*bake));
        self.counts = waits.clone().max().unwrap_or_default();
        self.longest += waits.sum::<Duration>();
        self
    }

    /// Healthy targets that the load requires of a color.
    pub(crate) fn need(&self, color: Color) -> Option<u32> {
        self.needs.iter().find(|(known, _)| *known == color).map(|(_, needs)| *needs)
    }
}

/// A production rule before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleChange {
    /// Readable name.
    pub(crate) name: String,
    /// Split before.
    pub(crate) before: Split,
    /// Final split.
    pub(crate) after: Split,
    /// Group stickiness, if on: each request renews the cookie for this time.
    pub(crate) stickiness: Option<Duration>,
    /// The call that restores the split before.
    pub(crate) undo: Undo,
}

/// Arguments of the call that restores a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undo {
    /// True for a listener's default action.
    pub(crate) default: bool,
    /// The listener's ARN for a default action, else the rule's.
    pub(crate) arn: String,
    /// All actions of the rule at the first read, in the format of AWS's API.
    pub(crate) actions: serde_json::Value,
}

impl Undo {
    /// The listener's ARN, which is part of a rule's ARN (`…:listener-rule/…/LISTENER/RULE`).
    pub(crate) fn listener(&self) -> String {
        match self.arn.rsplit_once('/') {
            Some((listener, _)) if !self.default => listener.replacen(":listener-rule/", ":listener/", 1),
            Some(_) | None => self.arn.clone(),
        }
    }
}

/// The full load in targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    /// Targets for all users, rounded up.
    pub(crate) targets: u32,
    /// Source of the number.
    pub(crate) how: LoadSource,
}

/// Source of the full load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LoadSource {
    /// The larger desired count of the colors.
    Largest,
    /// This color's desired count divided by its share: the smallest of all live colors, which all scale automatically.
    Scaled(Color),
    /// As `Scaled`, but limited to the largest MaxCapacity.
    Most,
}
