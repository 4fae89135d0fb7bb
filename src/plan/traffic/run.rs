//! What a change of traffic remembers of its own steps. It never decides against what AWS shows.

use std::collections::BTreeMap;

use crate::plan::color::{Color, Split};
use crate::plan::run::{Turned, Unanswered};
use crate::plan::time::Time;
use crate::plan::trouble::Trouble;

/// What the run remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// When the run began to decide.
    pub(crate) began: Time,
    /// What was found, from the moment of the first write.
    pub(crate) found: Option<Found>,
    /// The weights that this run wrote last, by rule ARN, and when.
    pub(crate) written: BTreeMap<String, (Split, Time)>,
    /// Desired counts that this run asked for.
    pub(crate) counts: BTreeMap<Color, u32>,
    /// Colors whose scale-in this run suspended or resumed.
    pub(crate) scaled: BTreeMap<Color, bool>,
    /// The step that was reached last.
    pub(crate) stage: Option<Stage>,
    /// Steps that were held to the end, by their share in percent.
    pub(crate) baked: Vec<u32>,
    /// When all rules were seen at the target for the first time.
    pub(crate) arrived: Option<Time>,
    /// Since when AWS can't be asked.
    pub(crate) blind: Option<Time>,
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

/// Traffic and capacity as they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
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
    /// Healthy targets that this color needs there, reckoned before its weight was written.
    pub(crate) needed: u32,
}
