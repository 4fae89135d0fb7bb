//! The plan as a value: the same decision, iterated over predicted snapshots.

use super::aws_error::AwsError;
use super::deploy::{Goal, Situation, next_deploy_action};
use super::run::{DeployPhase, Prepare, Run};
use super::run_memory::Answer;
use super::snapshot::{Deployment, Rollout, Service, Snapshot};
use super::step::{End, Next, Refusal, Step, Update};
use super::time::Time;
use super::traffic::predict_step;

/// Placeholder for the ARN of a revision that does not exist yet.
pub(crate) const NEW_REVISION: &str = "(new revision)";

/// Most steps of a plan. More steps mean that the prediction loops.
const MOST: usize = 20;

/// The result of a prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// These steps reach the goal.
    Steps(Vec<Step>),
    /// The run would be refused.
    Refuse(Refusal),
    /// The plan is unknown now.
    Unknown(Option<AwsError>),
}

/// Iterates the decision over predicted snapshots. `found` is an existing revision with the content.
pub(crate) fn predict_plan(snapshot: &Snapshot, goal: &Goal, found: Option<&String>, now: Time) -> Plan {
    plan_on(&mut snapshot.clone(), goal, found, now)
}

/// Predicts from this snapshot, and applies the predicted steps to the snapshot.
pub(crate) fn plan_on(seen: &mut Snapshot, goal: &Goal, found: Option<&String>, now: Time) -> Plan {
    let prepare = Prepare { sought: Some(found.cloned()), ..Prepare::default() };
    let mut run = Run { phase: DeployPhase::Prepare(prepare), ..Run::begin(now) };
    let mut steps = Vec::new();
    for _ in 0..MOST {
        match next_deploy_action(&Ok(Situation::of(&seen.clone(), goal)), goal, &run, now) {
            Next::Step(step) => {
                let answer = predict_answer(seen, &step, goal, now);
                run.answered(&step, Ok(answer), now);
                steps.push(step);
            }
            Next::Follow(follow) => {
                run.follow(follow);
                complete_deployment(seen, goal);
            }
            Next::Read(_) => look_closer(seen),
            Next::Wait(_) => complete_deployment(seen, goal),
            Next::Done(End::Good { .. }) => return Plan::Steps(steps),
            Next::Refuse(refusal) => return Plan::Refuse(refusal),
            Next::Done(End::Bad { .. }) | Next::Restore(..) => return Plan::Unknown(None),
        }
    }
    Plan::Unknown(None)
}

/// The predicted answer of a step. Applies the step to the snapshot.
fn predict_answer(seen: &mut Snapshot, step: &Step, goal: &Goal, now: Time) -> Answer {
    match step {
        Step::Find(_) => Answer::Found(None),
        Step::Register(_) => Answer::Registered(NEW_REVISION.to_owned()),
        Step::Probe(_) => Answer::Probed(Ok(())),
        Step::Weights(_) | Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_) => {
            predict_step(seen, step);
            Answer::Changed
        }
        Step::Update(update) => {
            let service = seen.services.iter_mut().find(|service| service.color == goal.color);
            match service {
                Some(service) => {
                    apply_update(service, update, now);
                    Answer::Updated(Box::new(service.clone()))
                }
                None => Answer::Found(None),
            }
        }
    }
}

/// Applies an update to a service: complete at once.
fn apply_update(service: &mut Service, update: &Update, now: Time) {
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
        updated: now,
    }];
}

/// Adds the parts of a closer look, with an empty history.
fn look_closer(seen: &mut Snapshot) {
    for service in &mut seen.services {
        service.history.get_or_insert(Ok(Vec::new()));
        service.stopped.get_or_insert(Ok(Vec::new()));
    }
}

/// Applies the predicted result of waiting: the service's deployment is complete, with a healthy target for each task.
fn complete_deployment(seen: &mut Snapshot, goal: &Goal) {
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
