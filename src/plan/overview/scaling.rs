//! What of a service's scaling is not as the config asks for.

use super::{Color, Drift};
use crate::plan::scalers::{Change, Managed, Managing, Role, put_alarm, put_policy, register, serving};
use crate::plan::snapshot::{Service, Snapshot};
use crate::plan::step::{Purpose, Put, Step};
use crate::plan::wanted::ListenerChoice;
use crate::plan::wiring::apart_of_snapshot;

/// Most differences of one service: a target, two policies and three alarms.
const MOST: usize = 6;

/// A scaling policy or an alarm of ours that is not what the config asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misscaled {
    /// The color.
    pub(crate) color: Color,
    /// What it is to users.
    pub(crate) role: Role,
    /// Whether it is an alarm; else a policy.
    pub(crate) alarm: bool,
    /// Its name.
    pub(crate) name: String,
    /// Whether it does not exist.
    pub(crate) missing: bool,
    /// Its fields that differ.
    pub(crate) changes: Vec<Change>,
}

/// How the scaling of each service differs from what the config asks for. What can't be read is a part that could not be
/// read, and no drift.
pub(crate) fn misscaled(
    snapshot: &Snapshot,
    listener: Option<&ListenerChoice>,
    managed: &Managed,
) -> Vec<Drift> {
    let Some(Ok(wiring)) = apart_of_snapshot(snapshot, listener) else { return Vec::new() };
    let role = |color: Color| match color {
        Color::Develop => Role::Develop,
        Color::Blue | Color::Green if wiring.is_live(color) => Role::Live,
        Color::Blue | Color::Green => Role::Idle,
    };
    let cluster = snapshot.place.cluster.as_str();
    snapshot
        .services
        .iter()
        .flat_map(|service| of_service((cluster, service), managed, role(service.color)))
        .collect()
}

/// What would be written, one thing after the other.
fn of_service((cluster, service): (&str, &Service), managed: &Managed, role: Role) -> Vec<Drift> {
    let (mut service, mut found) = (service.clone(), Vec::new());
    for _ in 0..MOST {
        let Managing::Step(step) = serving((cluster, &service), managed, role, Purpose::Deploy) else {
            break;
        };
        match &step {
            Step::Scaling(scaling) => {
                found.extend(
                    (role == Role::Live)
                        .then(|| Drift::NoTarget { color: service.color, service: service.name.clone() }),
                );
                register(&mut service, scaling);
            }
            Step::Policy(put) => {
                found.extend(differs(put, role, false));
                put_policy(&mut service, put);
            }
            Step::Alarm(put) => {
                found.extend(differs(put, role, true));
                put_alarm(&mut service, put);
            }
            Step::Find { .. } | Step::Register { .. } | Step::Update(_) | Step::Probe | Step::Weights(_) => {
                break;
            }
        }
    }
    found
}

/// One difference. A color without users may have no alarms yet, or, as the way back, some that still act.
fn differs(put: &Put, role: Role, alarm: bool) -> Option<Drift> {
    let acts = |change: &&Change| role != Role::Idle || change.path != "ActionsEnabled";
    let changes: Vec<Change> = put.changes.iter().filter(acts).cloned().collect();
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
