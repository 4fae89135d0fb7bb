//! The scaling of the color that is deployed: before the first change, and once the version is good.

use super::{Goal, hold_or_refuse};
use crate::plan::color::Color;
use crate::plan::run::Run;
use crate::plan::scalers::{Managing, Role, next_serving_step, next_step};
use crate::plan::snapshot::{Service, Snapshot};
use crate::plan::step::{Next, Purpose, Scaling, Step};
use crate::plan::time::Time;
use crate::plan::wiring::{Wiring, of_snapshot};

/// Most writes of a color's bounds, if AWS does not accept the bounds.
const BOUND_TRIES: u32 = 3;

/// Most writes of scaling in all after the version was good: the bounds of an idle color, and then alarms and
/// MinCapacity for users who came.
const LIVE_TRIES: u32 = 5 * BOUND_TRIES;

/// The color's role for users.
pub(super) fn color_role(color: Color, wiring: Option<&Wiring>) -> Role {
    match wiring {
        _ if color == Color::Develop => Role::Develop,
        Some(wiring) if wiring.is_live(color) => Role::Live,
        Some(_) | None => Role::Idle,
    }
}

/// Writes managed policies and alarms before the first change of the service, so that an impossible setup is found
/// while nothing was touched. This moves no count.
pub(super) fn ensure_scaling(
    (snapshot, service): (&Snapshot, &Service),
    role: Role,
    (goal, run, now): (&Goal, &Run, Time),
) -> Option<Next> {
    let wanted = goal.managed.as_ref()?;
    match next_serving_step((&snapshot.place.cluster, service), wanted, role, Purpose::Deploy) {
        Managing::Settled => None,
        Managing::Step(step) => Some(Next::Step(step)),
        Managing::Unseen => Some(Next::Read(goal.look())),
        Managing::AwsError(trouble) => Some(hold_or_refuse(&trouble, run, goal, now)),
        Managing::Refused(refusal) => Some(Next::Refuse(refusal)),
    }
}

/// Writes the bounds of an idle color after the count is reached. A promote writes the bounds of a live color: here, a
/// color that has users by now only gets back what this run wrote for an idle one. Bounds do not decide if the version is
/// good: after a failed read or write here, the next run tries again.
pub(super) fn ensure_bounds(snapshot: &Snapshot, goal: &Goal, run: &Run) -> Option<Next> {
    let (wanted, service) = (goal.managed.as_ref()?, snapshot.service(goal.color)?);
    let role = match of_snapshot(snapshot, goal.request.listener.as_ref()) {
        _ if goal.color == Color::Develop => Role::Develop,
        None if snapshot.balancers.is_none() => return Some(Next::Read(goal.look())),
        Some(Ok(wiring)) => color_role(goal.color, Some(&wiring)),
        Some(Err(_)) | None => return None,
    };
    if role == Role::Live {
        return ensure_live_scaling(snapshot, service, (goal, run));
    }
    match next_step((&snapshot.place.cluster, service), wanted, role, Purpose::Deploy) {
        Managing::Step(step) => (run.bounding < BOUND_TRIES).then_some(Next::Step(step)),
        Managing::Unseen => Some(Next::Read(goal.look())),
        Managing::Settled | Managing::AwsError(_) | Managing::Refused(_) => None,
    }
}

/// Turns the alarms of a color with users on again, and raises MinCapacity again, if this run wrote them while the color
/// was idle (invariants 31 and 36).
fn ensure_live_scaling(snapshot: &Snapshot, service: &Service, (goal, run): (&Goal, &Run)) -> Option<Next> {
    let wanted = goal.managed.as_ref().filter(|_| run.managed && run.bounding < LIVE_TRIES)?;
    let is_low = |min: &u32| matches!(service.scaling, Some(Ok(Some(now))) if now.min < *min);
    let step = match run.lowered_min.filter(is_low) {
        Some(min) => raise_minimum(service, min),
        None => {
            let place = (snapshot.place.cluster.as_str(), service);
            match next_serving_step(place, wanted, Role::Live, Purpose::Deploy) {
                Managing::Step(step) => step,
                Managing::Unseen => return Some(Next::Read(goal.look())),
                Managing::Settled | Managing::AwsError(_) | Managing::Refused(_) => return None,
            }
        }
    };
    (run.repeats.times(&step) < BOUND_TRIES).then_some(Next::Step(step))
}

/// The write that raises MinCapacity again.
fn raise_minimum(service: &Service, min: u32) -> Step {
    Step::Scaling(Scaling {
        color: service.color,
        service: service.name.clone(),
        min: Some(min),
        max: None,
        in_suspended: None,
        new: false,
        purpose: Purpose::Deploy,
    })
}
