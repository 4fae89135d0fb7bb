//! What a step writes: whether it does, to which color, and for what.

use super::{Purpose, Step, Update};
use crate::plan::color::Color;

impl Step {
    /// Whether a step writes to a service, a rule or its scaling. A revision that nothing uses changes nothing, and no
    /// other writer changes it back.
    pub(crate) fn is_write(&self) -> bool {
        match self {
            Step::Update(_) | Step::Weights(_) | Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_) => true,
            Step::Register { .. } | Step::Find { .. } | Step::Probe => false,
        }
    }

    /// The update of a service that a step is.
    pub(crate) fn update(&self) -> Option<&Update> {
        match self {
            Step::Update(update) => Some(update),
            Step::Find { .. }
            | Step::Register { .. }
            | Step::Probe
            | Step::Weights(_)
            | Step::Scaling(_)
            | Step::Policy(_)
            | Step::Alarm(_) => None,
        }
    }

    /// The color whose automatic scaling a step changes.
    pub(crate) fn scaled_color(&self) -> Option<Color> {
        match self {
            Step::Scaling(scaling) => Some(scaling.color),
            Step::Policy(put) | Step::Alarm(put) => Some(put.color),
            Step::Find { .. } | Step::Register { .. } | Step::Probe | Step::Update(_) | Step::Weights(_) => {
                None
            }
        }
    }

    /// The color whose count or scaling a step changes.
    pub(crate) fn sized_color(&self) -> Option<Color> {
        self.update().map(|update| update.color).or_else(|| self.scaled_color())
    }

    /// What a step is for.
    pub(crate) fn purpose(&self) -> Purpose {
        match self {
            Step::Weights(weights) => weights.purpose,
            Step::Scaling(scaling) => scaling.purpose,
            Step::Policy(put) | Step::Alarm(put) => put.purpose,
            Step::Update(update) => update.purpose,
            Step::Find { .. } | Step::Register { .. } | Step::Probe => Purpose::Deploy,
        }
    }
}
