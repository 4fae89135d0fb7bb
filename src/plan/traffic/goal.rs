//! The goal of a change of traffic.

use std::time::Duration;

use crate::plan::color::Split;
use crate::plan::read_scope::ReadScope;
use crate::plan::scalers::Managed;
use crate::plan::wanted::ListenerChoice;

/// The user's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrafficRequest {
    /// The final split; its weights sum to 100.
    pub(crate) to: Split,
    /// Shares of the color that gains users, in percent, to pass through and to hold at: ascending, each 1–100.
    pub(crate) steps: Vec<u32>,
    /// Time that each step is held.
    pub(crate) bake: Duration,
    /// Names of the CloudWatch alarms to watch during the change.
    pub(crate) alarms: Vec<String>,
    /// True if a color with too few tasks is scaled up first.
    pub(crate) scale_up: bool,
    /// True if one healthy target is enough, because users already get errors.
    pub(crate) force: bool,
    /// True if a color's target group may be added to a production rule that forwards only to the other color.
    pub(crate) adopt: bool,
    /// The task definition that the color that gains users must run: an ARN, or `FAMILY:REVISION`.
    pub(crate) expect: Option<String>,
    /// Time that a color must carry all users before scale-in is allowed again.
    pub(crate) settle: Duration,
}

/// The goal; fixed for the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Goal {
    /// The user's request.
    pub(crate) wish: TrafficRequest,
    /// The production listener, if the user named one.
    pub(crate) listener: Option<ListenerChoice>,
    /// Longest wait for AWS and for capacity; each step starts anew.
    pub(crate) timeout: Duration,
    /// `on-cancel: restore`.
    pub(crate) restore_on_cancel: bool,
    /// Capacity changes after all users are on one color; only a promote has any.
    pub(crate) finish: Option<Finish>,
    /// True if the same run moves users again afterwards: nothing may scale in before that.
    pub(crate) has_next_phase: bool,
    /// Scaling of both services, if the config sets it.
    pub(crate) managed: Option<Managed>,
}

impl Goal {
    /// The parts of a snapshot that a decision for this goal reads.
    pub(crate) fn look(&self) -> ReadScope {
        ReadScope { scalers: self.managed.is_some(), ..ReadScope::TRAFFIC }
    }

    /// Time that a color at weight 100 carries all users before it may scale in again (invariant 19): `settle`, or the
    /// window of its low alarm if scaling is managed and the window is longer. Until the window has passed, the alarm
    /// still judges the time without users, and AWS acts at once on an alarm that is already low. None: longer than the
    /// run may wait.
    pub(crate) fn carries(&self) -> Option<Duration> {
        let settle = self.wish.settle;
        let window = self.managed.map_or(settle, |managed| managed.scale_in_after.max(settle));
        (window <= self.timeout.max(settle)).then_some(window)
    }
}

/// Capacity after a promote, once all users are on the new live color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finish {
    /// Tasks that the color without users keeps.
    pub(crate) idle_count: u32,
    /// Longest wait for users that stickiness keeps on the idle color.
    pub(crate) max_drain: Duration,
    /// MinCapacity of the live and of the idle color, if the config sets it.
    pub(crate) bounds: Option<Minima>,
}

/// MinCapacity by role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Minima {
    /// Of the color with all users.
    pub(crate) live: u32,
    /// Of the color without users.
    pub(crate) idle: u32,
}
