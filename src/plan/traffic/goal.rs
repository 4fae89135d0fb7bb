//! What a change of traffic is asked for.

use std::time::Duration;

use crate::plan::color::Split;
use crate::plan::look::Look;
use crate::plan::scalers::Managed;
use crate::plan::wanted::ListenerChoice;

/// What the user asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// The split in the end; its weights sum to 100.
    pub(crate) to: Split,
    /// Shares of the color that gains users, in percent, to pass through and to hold at: ascending, each 1–100.
    pub(crate) steps: Vec<u32>,
    /// How long each step is held.
    pub(crate) bake: Duration,
    /// Names of the CloudWatch alarms that are watched meanwhile.
    pub(crate) alarms: Vec<String>,
    /// Whether a color with too few tasks is scaled up first.
    pub(crate) scale_up: bool,
    /// Whether one healthy target is enough: users are failing already.
    pub(crate) force: bool,
    /// Whether a color's target group may be brought into a production rule that holds the other one alone.
    pub(crate) adopt: bool,
    /// The task definition that the color that gains users has to run: an ARN, or `FAMILY:REVISION`.
    pub(crate) expect: Option<String>,
    /// How long a color has to carry all users before scale-in is allowed again.
    pub(crate) settle: Duration,
}

/// What is wanted; fixed for the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Goal {
    /// What the user asked for.
    pub(crate) wish: Wish,
    /// The production listener, where it is named.
    pub(crate) listener: Option<ListenerChoice>,
    /// How long to wait for AWS and for capacity, at each step anew.
    pub(crate) timeout: Duration,
    /// `on-cancel: restore`.
    pub(crate) restore_on_cancel: bool,
    /// What is done once all users are at one color: a promote settles capacity too.
    pub(crate) finish: Option<Finish>,
    /// Whether users go on from there in the same run: until then nothing may scale in.
    pub(crate) onward: bool,
    /// How both services scale, where the config says so.
    pub(crate) managed: Option<Managed>,
}

impl Goal {
    /// All that a decision for this goal needs to see.
    pub(crate) fn look(&self) -> Look {
        Look { scalers: self.managed.is_some(), ..Look::TRAFFIC }
    }

    /// How long a color alone at 100 carries all users before it may scale in again (invariant 19): `settle`, and where
    /// scaling is managed as long as its low alarm looks back, which until then judges by what the color did without
    /// them. AWS acts on an alarm that is low already at once. None: longer than the run may wait.
    pub(crate) fn carries(&self) -> Option<Duration> {
        let settle = self.wish.settle;
        let window = self.managed.map_or(settle, |managed| managed.scale_in_after.max(settle));
        (window <= self.timeout.max(settle)).then_some(window)
    }
}

/// How a promote settles capacity once all users are at the winner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finish {
    /// Tasks that the color without users keeps.
    pub(crate) idle_count: u32,
    /// How long to wait at most for users whom stickiness keeps.
    pub(crate) max_drain: Duration,
    /// MinCapacity of production and of the idle color, where the config says so.
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
