//! The plan as a value: the same decision, iterated over snapshots that its own steps are predicted to bring.

use super::color::Color;
use super::deploy::{Goal, next};
use super::run::{Answer, Run};
use super::scalers::{put_alarm, put_policy, register};
use super::snapshot::{Deployment, Rollout, Service, Snapshot};
use super::step::{End, Next, Refusal, Step, Update};
use super::time::Time;
use super::trouble::Trouble;

/// Stands for the ARN of a revision that does not exist yet.
pub(crate) const NEW_REVISION: &str = "(new revision)";

/// Most steps that a plan may have; more means that the prediction turns in a circle.
const MOST: usize = 20;

/// What a plan comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// These steps, and then the goal stands.
    Steps(Vec<Step>),
    /// It would not be started.
    Refuse(Refusal),
    /// It can't be said now.
    Unknown(Option<Trouble>),
}

/// Iterates the decision over predicted snapshots. `found` is a revision that holds the content already.
pub(crate) fn plan(snapshot: &Snapshot, goal: &Goal, found: Option<&String>, now: Time) -> Plan {
    plan_on(&mut snapshot.clone(), goal, found, now)
}

/// The same from what is seen, which is changed to what the steps are predicted to bring.
pub(crate) fn plan_on(seen: &mut Snapshot, goal: &Goal, found: Option<&String>, now: Time) -> Plan {
    let mut run = Run { sought: Some(found.cloned()), ..Run::begin(now) };
    let mut steps = Vec::new();
    for _ in 0..MOST {
        match next(&Ok(seen.clone()), goal, &run, now) {
            Next::Step(step) => {
                let answer = predicted(seen, &step, goal, now);
                run.answered(&step, Ok(answer), now);
                steps.push(step);
            }
            Next::Follow(follow) => {
                run.follow(follow);
                settle(seen, goal);
            }
            Next::Look(_) => look_closer(seen),
            Next::Wait(_) => settle(seen, goal),
            Next::Done(End::Good { .. }) => return Plan::Steps(steps),
            Next::Refuse(refusal) => return Plan::Refuse(refusal),
            Next::Done(End::Bad { .. }) | Next::Turn(..) => return Plan::Unknown(None),
        }
    }
    Plan::Unknown(None)
}

/// The answer that a step is predicted to get, and the snapshot after it.
fn predicted(seen: &mut Snapshot, step: &Step, goal: &Goal, now: Time) -> Answer {
    match step {
        Step::Find { .. } => Answer::Found(None),
        Step::Register { .. } => Answer::Registered(NEW_REVISION.to_owned()),
        Step::Probe => Answer::Probed(Ok(())),
        Step::Weights(_) => Answer::Changed,
        Step::Scaling(scaling) => scaled(seen, scaling.color, |service| register(service, scaling)),
        Step::Policy(put) => scaled(seen, put.color, |service| put_policy(service, put)),
        Step::Alarm(put) => scaled(seen, put.color, |service| put_alarm(service, put)),
        Step::Update(update) => {
            let service = seen.services.iter_mut().find(|service| service.color == goal.color);
            match service {
                Some(service) => {
                    updated(service, update, now);
                    Answer::Updated(Box::new(service.clone()))
                }
                None => Answer::Found(None),
            }
        }
    }
}

/// A change of a service's scaling.
fn scaled(seen: &mut Snapshot, color: Color, change: impl FnOnce(&mut Service)) -> Answer {
    if let Some(service) = seen.services.iter_mut().find(|service| service.color == color) {
        change(service);
    }
    Answer::Changed
}

/// The service after an update: complete at once.
fn updated(service: &mut Service, update: &Update, now: Time) {
    if let Some(arn) = &update.task_definition {
        service.task_definition.clone_from(arn);
    }
    service.desired = update.desired.unwrap_or(service.desired);
    service.running = service.desired;
    service.pending = 0;
    service.deployments = vec![Deployment {
        id: "ecs-svc/planned".to_owned(),
        primary: true,
        task_definition: service.task_definition.clone(),
        desired: service.desired,
        running: service.desired,
        pending: 0,
        failed: 0,
        rollout: Rollout::Completed,
        reason: String::new(),
        created: now,
    }];
}

/// The parts that a closer look would bring: nothing is known of the past.
fn look_closer(seen: &mut Snapshot) {
    for service in &mut seen.services {
        service.history.get_or_insert(Ok(Vec::new()));
        service.stopped.get_or_insert(Ok(Vec::new()));
    }
}

/// What waiting is predicted to bring: the service's deployment complete, with a healthy target for each task.
fn settle(seen: &mut Snapshot, goal: &Goal) {
    let Some(service) = seen.services.iter_mut().find(|service| service.color == goal.color) else { return };
    let port = service.setup.links.first().map_or(0, |link| link.port);
    service.running = service.desired;
    let mut id = String::new();
    for deployment in service.deployments.iter_mut().filter(|deployment| deployment.primary) {
        deployment.rollout = Rollout::Completed;
        deployment.running = service.desired;
        deployment.pending = 0;
        id.clone_from(&deployment.id);
    }
    let hosts: Vec<String> = (0..service.desired.max(1)).map(|number| format!("planned-{number}")).collect();
    let task = |host: &String| super::snapshot::Task {
        started_by: id.clone(),
        task_definition: service.task_definition.clone(),
        status: "RUNNING".to_owned(),
        hosts: vec![host.clone()],
        ..super::snapshot::Task::default()
    };
    let target = |host: &String| super::snapshot::Target {
        id: host.clone(),
        port,
        state: "healthy".to_owned(),
        reason: None,
        description: None,
    };
    service.tasks = Some(Ok(hosts.iter().map(task).collect()));
    service.targets = Some(Ok(hosts.iter().map(target).collect()));
}
