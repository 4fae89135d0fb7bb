//! The scaling of the color that is deployed: before the first change, and once the version is good.

use super::Decision;
use crate::plan::scalers::{Managing, Role, next_serving_step, next_step};
use crate::plan::snapshot::Service;
use crate::plan::step::{Next, Purpose, Scaling, Step};

/// Most writes of a color's bounds, if AWS does not accept the bounds.
const BOUND_TRIES: u32 = 3;

/// Most writes of scaling in all after the version was good: the bounds of an idle color, and then alarms and
/// MinCapacity for users who came.
const LIVE_TRIES: u32 = 5 * BOUND_TRIES;

impl Decision<'_> {
    /// Writes managed policies and alarms before the first change of the service, so that an impossible setup is found
    /// while nothing was touched. This moves no count.
    pub(super) fn ensure_scaling(&self, service: &Service) -> Option<Next> {
        let (wanted, role) = (self.goal.managed.as_ref()?, self.situation.role());
        match next_serving_step((self.cluster(), service), wanted, role, Purpose::Deploy) {
            Managing::Settled => None,
            Managing::Step(step) => Some(Next::Step(step)),
            Managing::Unseen => Some(Next::Read(self.goal.look())),
            Managing::AwsError(trouble) => Some(self.hold(&trouble)),
            Managing::Refused(refusal) => Some(Next::Refuse(refusal)),
        }
    }

    /// Writes the bounds of an idle color after the count is reached. A promote writes the bounds of a live color: here,
    /// a color that has users by now only gets back what this run wrote for an idle one. Bounds do not decide if the
    /// version is good: after a failed read or write here, the next run tries again.
    pub(super) fn ensure_bounds(&self) -> Option<Next> {
        let (situation, role) = (self.situation, self.situation.role());
        let (wanted, service) = (self.goal.managed.as_ref()?, situation.service?);
        if role != Role::Develop && situation.agreed().is_none() {
            let is_unread = situation.wired.is_none() && situation.snapshot.balancers.is_none();
            return is_unread.then(|| Next::Read(self.goal.look()));
        }
        if role == Role::Live {
            return self.ensure_live_scaling(service);
        }
        match next_step((self.cluster(), service), wanted, role, Purpose::Deploy) {
            Managing::Step(step) => (self.run.scaling.after_good < BOUND_TRIES).then_some(Next::Step(step)),
            Managing::Unseen => Some(Next::Read(self.goal.look())),
            Managing::Settled | Managing::AwsError(_) | Managing::Refused(_) => None,
        }
    }

    /// Turns the alarms of a color with users on again, and raises MinCapacity again, if this run wrote them while the
    /// color was idle (invariants 31 and 36).
    fn ensure_live_scaling(&self, service: &Service) -> Option<Next> {
        let run = self.run;
        let wanted =
            self.goal.managed.as_ref().filter(|_| run.scaling.any && run.scaling.after_good < LIVE_TRIES)?;
        let is_low = |min: &u32| matches!(service.scaling, Some(Ok(Some(now))) if now.min < *min);
        let step = match run.scaling.lowered_min.filter(is_low) {
            Some(min) => raise_minimum(service, min),
            None => match next_serving_step((self.cluster(), service), wanted, Role::Live, Purpose::Deploy) {
                Managing::Step(step) => step,
                Managing::Unseen => return Some(Next::Read(self.goal.look())),
                Managing::Settled | Managing::AwsError(_) | Managing::Refused(_) => return None,
            },
        };
        (run.memory.repeats.times(&step) < BOUND_TRIES).then_some(Next::Step(step))
    }

    /// The name of the cluster.
    fn cluster(&self) -> &str {
        &self.situation.snapshot.place.cluster
    }
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
