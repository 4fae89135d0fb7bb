//! Healthy targets that a color needs for its coming share of the users (invariants 16 and 17).
//!
//! The full load N is a fraction, never rounded before the share is taken.

use serde::{Deserialize, Serialize};

use super::traffic_plan::{Load, LoadSource};
use crate::plan::color::{Color, Split};
use crate::plan::snapshot::{GroupAttributes, Scalable, Service, Target};
use crate::plan::step::Capacity;

/// Counts, health and scaling of a color.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColorCapacity {
    /// The color.
    pub(crate) color: Color,
    /// Its service's name.
    pub(crate) service: String,
    /// Desired count.
    pub(crate) desired: u32,
    /// Healthy targets of its own tasks, at most its desired count: ECS is about to stop the others.
    pub(crate) healthy: u32,
    /// Fewest healthy targets that the target group's own attributes require.
    pub(crate) minimum: u32,
    /// The service's scalable target.
    pub(crate) scaling: Option<Scalable>,
    /// True if tasks are starting, or targets await their first health check.
    pub(crate) coming: bool,
    /// True if tasks are unhealthy and no task is healthy.
    pub(crate) sick: bool,
}

impl ColorCapacity {
    /// Counts the service's targets. `own` are the targets of the service's own tasks, `all` those of its group
    /// (invariant 37).
    pub(crate) fn of(
        (color, service): (Color, &Service),
        (own, all): (&[&Target], &[Target]),
        attributes: Option<&GroupAttributes>,
        scaling: Option<Scalable>,
    ) -> ColorCapacity {
        let count = |state: &str| own.iter().filter(|target| target.state == state).count();
        let leaves = |target: &&Target| target.state.ends_with("draining");
        let registered = all.len() - all.iter().filter(leaves).count();
        let of_all = |percent: u32| (percent * target_count(registered)).div_ceil(100);
        let minimum =
            attributes.map_or(1, |group| group.minimum_count.max(of_all(group.minimum_percent)).max(1));
        let starting = service.pending > 0 || service.running < service.desired;
        ColorCapacity {
            color,
            service: service.name.clone(),
            desired: service.desired,
            healthy: target_count(count("healthy")).min(service.desired),
            minimum,
            scaling,
            sick: service.desired > 0 && count("healthy") == 0 && count("unhealthy") > 0,
            coming: starting || count("initial") > 0,
        }
    }
}

/// A number of targets; real numbers always fit.
fn target_count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The full load in targets, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FullLoad {
    /// Numerator.
    over: u64,
    /// Denominator, never 0.
    under: u64,
    /// Source of the load.
    how: LoadSource,
}

impl FullLoad {
    /// The load for the reader, rounded up.
    pub(crate) fn told(self) -> Load {
        let targets = u32::try_from(self.over.div_ceil(self.under)).unwrap_or(u32::MAX);
        Load { targets, how: self.how }
    }

    /// The smaller load.
    pub(crate) fn or_smaller(self, other: FullLoad) -> FullLoad {
        if other.over * self.under < self.over * other.under { other } else { self }
    }

    /// The larger load.
    pub(crate) fn or_larger(self, other: FullLoad) -> FullLoad {
        if self.or_smaller(other) == self { other } else { self }
    }

    /// Healthy targets for a share of the load: `max(1, ceil(share × N))`.
    fn share(self, weight: u32, sum: u32) -> u32 {
        let (weight, sum) = (u64::from(weight), u64::from(sum.max(1)));
        let needed = (weight * self.over).div_ceil(sum * self.under);
        u32::try_from(needed).unwrap_or(u32::MAX).max(1)
    }
}

/// The full load, by the current split. If the services of all live colors scale automatically: the smallest desired
/// count divided by its color's share, at most the largest MaxCapacity. (Scale-in may be suspended, so a count can be
/// larger than its load, and never smaller.) Otherwise the larger desired count.
pub(crate) fn full_load(now: Split, colors: &[ColorCapacity]) -> FullLoad {
    // The count of a color scaled to zero says nothing about the load.
    let unscaled = colors.iter().any(|color| now.is_live(color.color) && color.scaling.is_none());
    let live: Vec<&ColorCapacity> =
        colors.iter().filter(|color| now.is_live(color.color) && color.desired > 0).collect();
    let larger = colors.iter().map(|color| color.desired).max().unwrap_or_default();
    let by_count = FullLoad { over: u64::from(larger), under: 1, how: LoadSource::Largest };
    if live.is_empty() || unscaled {
        return by_count;
    }
    let sum = u64::from(now.blue + now.green);
    let loads = live.iter().map(|color| FullLoad {
        over: u64::from(color.desired) * sum,
        under: u64::from(now.weight(color.color)).max(1),
        how: LoadSource::Scaled(color.color),
    });
    let smallest = loads.reduce(FullLoad::or_smaller).unwrap_or(by_count);
    let most = live.iter().filter_map(|color| color.scaling).map(|scaling| scaling.max).max();
    match most {
        Some(most) if smallest.over > u64::from(most) * smallest.under => {
            FullLoad { over: u64::from(most), under: 1, how: LoadSource::Most }
        }
        Some(_) | None => smallest,
    }
}

/// Healthy targets and need of a color for its share in a split. With `forced`, one healthy target is enough.
pub(crate) fn color_capacity(force: &ColorCapacity, coming: Split, load: FullLoad, forced: bool) -> Capacity {
    let (weight, sum) = (coming.weight(force.color), coming.blue + coming.green);
    let needed = load.share(weight, sum).max(force.minimum);
    Capacity {
        color: force.color,
        share: coming.share(force.color),
        healthy: force.healthy,
        needed: if forced { 1 } else { needed },
        desired: force.desired,
        most: force.scaling.map(|scaling| scaling.max),
    }
}
