//! A change of traffic as people read it: what changes, what it needs, and how to undo it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plan::color::{Color, Split};
use crate::plan::step::{Capacity, Step};

/// All that there is to tell of a change of traffic, before and after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Brief {
    /// The split that was found.
    pub(crate) from: Split,
    /// The split in the end.
    pub(crate) to: Split,
    /// Each production rule.
    pub(crate) rules: Vec<RuleChange>,
    /// The full load in targets, and how it was reckoned.
    pub(crate) load: Load,
    /// What each color that ends with users has and needs there.
    pub(crate) capacity: Vec<Capacity>,
    /// Healthy targets that the load needs of each of them: more than a forced run waits for.
    pub(crate) needs: Vec<(Color, u32)>,
    /// The color that gains users, or has most of them in the end.
    pub(crate) receiver: Color,
    /// ARN of the task definition that each color's service wants.
    pub(crate) versions: Vec<(Color, String)>,
    /// The steps, as the run would take them; empty where it can't be said.
    pub(crate) steps: Vec<Step>,
    /// The shares that are held, in percent of the receiver, and how long each.
    pub(crate) bakes: Vec<(u32, Duration)>,
    /// How long the run may last at most.
    pub(crate) longest: Duration,
    /// Alarms without data: they can't warn.
    pub(crate) no_data: Vec<String>,
    /// What a promote by copy does on the way; none for any other change.
    pub(crate) copy: Option<Copying>,
}

/// A color takes over what the other one runs, with all users there meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copying {
    /// The color.
    pub(crate) color: Color,
    /// The other one, which was tested.
    pub(crate) tested: Color,
    /// Whether users have to be sent there first.
    pub(crate) away: bool,
    /// ARN of the task definition that the color runs before.
    pub(crate) before: String,
}

impl Brief {
    /// Whether all rules held the same before: only then it can be said what users had.
    pub(crate) fn agreed(&self) -> bool {
        self.rules.iter().all(|rule| rule.before.same_ratio(self.from))
    }

    /// Healthy targets that the load needs of a color.
    pub(crate) fn need(&self, color: Color) -> Option<u32> {
        self.needs.iter().find(|(known, _)| *known == color).map(|(_, needs)| *needs)
    }
}

/// One production rule before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleChange {
    /// Its name for people.
    pub(crate) name: String,
    /// What it held.
    pub(crate) before: Split,
    /// What it holds in the end.
    pub(crate) after: Split,
    /// Group stickiness, where it is on: each request renews the cookie for so long.
    pub(crate) stickiness: Option<Duration>,
    /// How to put back what it held.
    pub(crate) undo: Undo,
}

/// What the call that puts a rule back is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undo {
    /// Whether it is a listener's default action.
    pub(crate) default: bool,
    /// The listener's ARN for a default action, else the rule's.
    pub(crate) arn: String,
    /// All its actions as they were found, as AWS's API writes them.
    pub(crate) actions: serde_json::Value,
}

impl Undo {
    /// The listener's ARN: a rule's ARN is made of it (`…:listener-rule/…/LISTENER/RULE`).
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
    /// How it was reckoned.
    pub(crate) how: Reckoned,
}

/// How the full load was reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reckoned {
    /// The larger desired count of the colors.
    Largest,
    /// This color's desired count divided by its share: the smallest of the live colors, which all scale automatically.
    Scaled(Color),
    /// The same, cut at the largest MaxCapacity.
    Most,
}
