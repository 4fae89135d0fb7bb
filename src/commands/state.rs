//! What a run leaves for its post step: enough to put the color back when the run was killed.

use serde::{Deserialize, Serialize};

use crate::plan::color::Color;
use crate::plan::deploy::Goal;
use crate::plan::run::Run;
use crate::plan::step::{Failing, Found};
use crate::plan::time::Time;
use crate::plan::verdict::{Kind, Mine, Recovery};

/// Name of the state value.
pub(crate) const NAME: &str = "run";

/// A run in flight.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// How far the run came.
    pub(crate) phase: Phase,
    /// The color.
    pub(crate) color: String,
    /// Its service.
    pub(crate) service: String,
    /// Task definition that was found.
    pub(crate) found_task_definition: Option<String>,
    /// Count that was found.
    pub(crate) found_desired: u32,
    /// Task definition that was brought.
    pub(crate) task_definition: String,
    /// Count that was asked for.
    pub(crate) desired: u32,
    /// The deployment's id, once it is known.
    pub(crate) deployment: Option<String>,
    /// When it was asked for, milliseconds since the Unix epoch.
    pub(crate) started: u64,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// The service is about to be updated, or was.
    Deploying,
    /// The way back was asked for.
    Restoring,
    /// The run ended by itself.
    Done,
}

impl State {
    /// What a run knows, once it is about to change something.
    pub(crate) fn of(goal: &Goal, service: &str, run: &Run, phase: Phase) -> Option<State> {
        if run.found.is_none() && run.mine.is_none() {
            return None;
        }
        let mine = run.mine.as_ref();
        let found = run.found.as_ref();
        let desired = mine.map(|mine| mine.desired).or(found.map(|found| found.desired));
        Some(State {
            phase,
            color: goal.color.word().to_owned(),
            service: service.to_owned(),
            found_task_definition: found.map(|found| found.task_definition.clone()),
            found_desired: found.map_or(0, |found| found.desired),
            task_definition: mine.map(|mine| mine.task_definition.clone()).unwrap_or_default(),
            desired: desired.unwrap_or_default(),
            deployment: mine.and_then(|mine| mine.id.clone()),
            started: mine.map_or(run.began, |mine| mine.started).0,
        })
    }

    /// The color.
    pub(crate) fn color(&self) -> Option<Color> {
        [Color::Blue, Color::Green, Color::Develop].into_iter().find(|color| color.word() == self.color)
    }

    /// The run as it has to go on: back.
    pub(crate) fn run(&self, now: Time) -> Run {
        let found = self
            .found_task_definition
            .as_ref()
            .map(|arn| Found { task_definition: arn.clone(), desired: self.found_desired });
        let mine = (!self.task_definition.is_empty()).then(|| Mine {
            kind: if self.deployment.is_some() { Kind::Rollout } else { Kind::CountOnly },
            id: self.deployment.clone(),
            task_definition: self.task_definition.clone(),
            desired: self.desired,
            started: Time(self.started),
            seen: true,
        });
        let mut run = Run { found, mine, changed: true, ..Run::begin(now) };
        run.turn(Failing::Cancelled, Recovery::Ours, now);
        if self.phase == Phase::Restoring {
            run.restoring = Some(now);
        }
        run
    }
}
