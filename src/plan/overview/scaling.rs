//! Differences between a service's scaling and the config's.

use super::Drift;
use crate::plan::color::ServiceColor;
use crate::plan::scalers::{
    FieldChange, Managed, Managing, Role, apply_bounds, next_serving_step, put_alarm, put_policy,
};
use crate::plan::snapshot::{Service, Snapshot};
use crate::plan::step::{Purpose, Put, Step};
use crate::plan::wanted::ListenerChoice;
use crate::plan::wiring::apart_of_snapshot;

/// Most differences of one service: a target, two policies and three alarms.
const MOST: usize = 6;

/// A scaling policy or an alarm of the action that differs from the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misscaled {
    /// The color.
    pub(crate) color: ServiceColor,
    /// The service's role.
    pub(crate) role: Role,
    /// True for an alarm, false for a policy.
    pub(crate) alarm: bool,
    /// Name of the policy or alarm.
    pub(crate) name: String,
    /// True if missing in AWS.
    pub(crate) missing: bool,
    /// The fields that differ.
    pub(crate) changes: Vec<FieldChange>,
}

/// The differences between each service's scaling and the config's. An unreadable part counts as unread, not as a
/// difference.
pub(crate) fn find_scaling_drift(
    snapshot: &Snapshot,
    listener: Option<&ListenerChoice>,
    managed: &Managed,
) -> Vec<Drift> {
    let Some(Ok(wiring)) = apart_of_snapshot(snapshot, listener) else { return Vec::new() };
    let role = |color: ServiceColor| match color.production() {
        None => Role::Develop,
        Some(color) if wiring.is_live(color) => Role::Live,
        Some(_) => Role::Idle,
    };
    let cluster = snapshot.place.cluster.as_str();
    snapshot
        .services
        .iter()
        .flat_map(|service| of_service((cluster, service), managed, role(service.color)))
        .collect()
}

/// All differences of a service: the writes that would follow each other.
fn of_service((cluster, service): (&str, &Service), managed: &Managed, role: Role) -> Vec<Drift> {
    let (mut service, mut found) = (service.clone(), Vec::new());
    for _ in 0..MOST {
        let Managing::Step(step) = next_serving_step((cluster, &service), managed, role, Purpose::Deploy)
        else {
            break;
        };
        match &step {
            Step::Scaling(scaling) => {
                found.extend(
                    (role == Role::Live)
                        .then(|| Drift::NoTarget { color: service.color, service: service.name.clone() }),
                );
                apply_bounds(&mut service, scaling);
            }
            Step::Policy(put) => {
                found.extend(scaling_drift(put, role, false));
                put_policy(&mut service, put);
            }
            Step::Alarm(put) => {
                found.extend(scaling_drift(put, role, true));
                put_alarm(&mut service, put);
            }
            Step::Find(_) | Step::Register(_) | Step::Update(_) | Step::Probe(_) | Step::Weights(_) => {
                break;
            }
        }
    }
    found
}

/// A difference to report. A color without users may lack alarms, or have alarms that still act for a return of users.
fn scaling_drift(put: &Put, role: Role, alarm: bool) -> Option<Drift> {
    let acts = |change: &&FieldChange| role != Role::Idle || change.path != "ActionsEnabled";
    let changes: Vec<FieldChange> = put.changes.iter().filter(acts).cloned().collect();
    let told = if put.new { role == Role::Live } else { !changes.is_empty() };
    let changes = if put.new { Vec::new() } else { changes };
    told.then(|| {
        Drift::Scaler(Box::new(Misscaled {
            color: put.color,
            role,
            alarm,
            name: put.name.clone(),
            missing: put.new,
            changes,
        }))
    })
}
