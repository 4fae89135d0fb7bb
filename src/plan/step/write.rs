//! The write of a step: its color and purpose, if any.

use super::{Purpose, Put, Step, Update, Weights};
use crate::plan::color::Color;

impl Step {
    /// True if a step writes to a service, a rule or its scaling. An unused revision changes nothing, and no other
    /// writer can change such a revision back.
    pub(crate) fn is_write(&self) -> bool {
        match self {
            Step::Update(_) | Step::Weights(_) | Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_) => true,
            Step::Register(_) | Step::Find(_) | Step::Probe(_) => false,
        }
    }

    /// The step's update of a service, if any.
    pub(crate) fn update(&self) -> Option<&Update> {
        if let Step::Update(update) = self { Some(update) } else { None }
    }

    /// The step's new weights of a rule, if any.
    pub(crate) fn weights(&self) -> Option<&Weights> {
        if let Step::Weights(weights) = self { Some(weights) } else { None }
    }

    /// The policy or the alarm that the step puts, if any.
    pub(crate) fn put(&self) -> Option<&Put> {
        if let Step::Policy(put) | Step::Alarm(put) = self { Some(put) } else { None }
    }

    /// The color of production whose automatic scaling a step changes.
    pub(crate) fn scaled_color(&self) -> Option<Color> {
        match self {
            Step::Scaling(scaling) => scaling.color.production(),
            Step::Policy(put) | Step::Alarm(put) => put.color.production(),
            Step::Find(_) | Step::Register(_) | Step::Probe(_) | Step::Update(_) | Step::Weights(_) => None,
        }
    }

    /// The color of production whose count or scaling a step changes.
    pub(crate) fn sized_color(&self) -> Option<Color> {
        self.update().map_or_else(|| self.scaled_color(), |update| update.color.production())
    }

    /// The step's purpose.
    pub(crate) fn purpose(&self) -> Purpose {
        match self {
            Step::Weights(weights) => weights.purpose,
            Step::Scaling(scaling) => scaling.purpose,
            Step::Policy(put) | Step::Alarm(put) => put.purpose,
            Step::Update(update) => update.purpose,
            Step::Find(_) | Step::Register(_) | Step::Probe(_) => Purpose::Deploy,
        }
    }
}
