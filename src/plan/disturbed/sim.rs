//! A small AWS of values: what the decision writes, it does; what it shows, it may show late or not at all.

use std::time::Duration;

use super::super::aws_error::{AwsError, AwsErrorKind, AwsResult};
use super::super::color::Color;
use super::super::definition::{Content, same_content};
use super::super::deploy::Goal;
use super::super::operation::DeployOperation;
use super::super::read_scope::ReadScope;
use super::super::run::Run;
use super::super::run_memory::Answer;
use super::super::sample::{arn, at, balancer, content, deployment, snapshot, target, tasks, trouble};
use super::super::snapshot::{
    Breaker, Deployment, Revision, Rollout, Service, ServiceDeployment, ServiceDeploymentStatus, Snapshot,
};
use super::super::step::{End, Next, ProbeFailure, ProbeFailureKind, Purpose, Refusal, Step, Update};
use super::super::time::{CallTime, Time};
use super::as_read;

/// The family of the color that is deployed to.
const FAMILY: &str = "web-green";

/// What becomes of a deployment of the wanted content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Healthy after so many seconds, complete one second later.
    Good(u8),
    /// Its tasks fail, one more each second.
    Crash,
    /// Its tasks run, and the load balancer does not find them healthy.
    Unhealthy,
    /// Nothing ever moves.
    TrafficFailure,
}

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// It is answered.
    Fine,
    /// It has no effect and no answer.
    LostBefore,
    /// It has its effect and no answer.
    LostAfter,
    /// It is throttled.
    Throttled,
    /// It is denied.
    Denied,
}

/// What happens, and when.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// Weights of blue and green.
    pub(super) weights: (u32, u32),
    /// Whether green runs the wanted content already.
    pub(super) same: bool,
    /// Whether green's own deployment is still in progress when the run begins.
    pub(super) flying: bool,
    /// Green's desired count.
    pub(super) desired: u32,
    /// The circuit breaker: none, without rollback, with rollback.
    pub(super) breaker: Option<bool>,
    /// What becomes of the wanted content.
    pub(super) fate: Fault,
    /// What becomes of each write, in order.
    pub(super) wire: Vec<Wire>,
    /// What becomes of every later write.
    pub(super) later: Wire,
    /// Reads that bring trouble, by their number.
    pub(super) unread: Vec<u8>,
    /// The read before which a signal comes.
    pub(super) cancel: Option<u8>,
    /// Whether the probes pass.
    pub(super) probes_pass: bool,
    /// The read before which somebody moves all users to green.
    pub(super) moved: Option<u8>,
    /// The read before which somebody sets green's desired count, and to what.
    pub(super) recounted: Option<(u8, u32)>,
}

impl Script {
    /// Nothing goes wrong.
    pub(super) fn undisturbed(self) -> Self {
        let (fate, breaker, flying) = (Fault::Good(1), None, false);
        Script {
            fate,
            breaker,
            flying,
            wire: vec![],
            later: Wire::Fine,
            unread: vec![],
            cancel: None,
            probes_pass: true,
            moved: None,
            recounted: None,
            ..self
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It came to an end.
    End(End),
    /// It was refused.
    Refuse(Refusal),
    /// It did not end.
    Never,
}

/// The simulated AWS.
#[derive(Debug)]
pub(super) struct Sim {
    /// What happens.
    script: Script,
    /// Everything as it is.
    pub(super) world: Snapshot,
    /// The revisions of green's family.
    revisions: Vec<(String, Content)>,
    /// The wanted content.
    wanted: Content,
    /// The time.
    pub(super) now: Time,
    /// How long the primary deployment goes on.
    age: u8,
    /// Service deployments that were rolled back.
    history: Vec<ServiceDeployment>,
    /// Reads so far.
    reads: u8,
    /// Writes that were sent.
    pub(super) sent: Vec<Step>,
    /// Writes that had their effect.
    pub(super) done: Vec<Step>,
    /// Whether a deploy was written to a color that serves users.
    pub(super) wrote_live: bool,
    /// Whether users reached green when a deploy was written, and the count that it left.
    deployed: Option<(bool, u32)>,
    /// Whether a way back was written to a color that users came to.
    pub(super) went_back_live: bool,
    /// Whether a way back set another count than what a deploy had asked for.
    pub(super) cut: bool,
    /// Whether somebody set green's count.
    pub(super) was_recounted: bool,
    /// Green's desired count when more users came.
    pub(super) came_to: Option<u32>,
}

impl Sim {
    /// The world at the beginning of a run.
    pub(super) fn new(script: Script, goal: &Goal) -> Self {
        let first = (arn("web-green:1"), content(FAMILY, if script.same { "v2" } else { "v1" }));
        let mut world = snapshot();
        world.balancers = Some(Ok(vec![balancer(script.weights.0, script.weights.1)]));
        let mut sim = Sim {
            world,
            revisions: vec![first],
            wanted: goal.content.clone(),
            now: at(0),
            age: 0,
            history: Vec::new(),
            reads: 0,
            sent: Vec::new(),
            done: Vec::new(),
            wrote_live: false,
            deployed: None,
            went_back_live: false,
            cut: false,
            was_recounted: false,
            came_to: None,
            script,
        };
        let (desired, breaker, flying) = (sim.script.desired, sim.script.breaker, sim.script.flying);
        let green = sim.green();
        green.setup.breaker = breaker.map(|rollback| Breaker { rollback, threshold: None });
        green.scaling = Some(Ok(None));
        green.desired = desired;
        green.deployments[0].desired = desired;
        if flying {
            green.deployments[0].rollout = Rollout::InProgress;
            let older = deployment("older", &arn("web-green:0"), desired);
            green.deployments.push(Deployment { primary: false, ..older });
        }
        sim.revisions.insert(0, (arn("web-green:0"), content(FAMILY, "v0")));
        sim.populate(!flying);
        sim
    }

    /// Green.
    fn green(&mut self) -> &mut Service {
        self.world.services.iter_mut().find(|service| service.color == Color::Green).unwrap()
    }

    /// What green wants: task definition and count.
    pub(super) fn wants(&self) -> (String, u32) {
        let green = self.world.service(Color::Green).unwrap();
        (green.task_definition.clone(), green.desired)
    }

    /// Whether green has users.
    pub(super) fn is_live(&self) -> bool {
        self.world.balancers != Some(Ok(vec![balancer(100, 0)]))
    }

    /// Healthy targets of green's wanted task definition.
    pub(super) fn healthy(&self) -> u32 {
        let green = self.world.service(Color::Green).unwrap();
        let healthy = |targets: &Vec<_>| {
            targets.iter().filter(|one: &&super::super::snapshot::Target| one.is_healthy()).count()
        };
        u32::try_from(green.targets.as_ref().unwrap().as_ref().map_or(0, healthy)).unwrap()
    }

    /// Whether the wanted content runs there.
    pub(super) fn runs_wanted(&self) -> bool {
        let (arn, _) = self.wants();
        self.content_of(&arn).is_some_and(|content| same_content(content, &self.wanted))
    }

    /// Whether somebody set the very count that a lost update asked for: nobody can tell the one from the other.
    pub(super) fn looks_touched(&self) -> bool {
        let Some((_, count)) = self.script.recounted.filter(|_| self.was_recounted) else { return false };
        self.sent.iter().any(|step| matches!(step, Step::Update(update) if update.desired == Some(count)))
    }

    /// The content of a revision.
    fn content_of(&self, arn: &str) -> Option<&Content> {
        self.revisions.iter().find(|(known, _)| known == arn).map(|(_, content)| content)
    }

    /// Gives the primary deployment all of its tasks, with a target each.
    fn populate(&mut self, healthy: bool) {
        let state = if healthy { "healthy" } else { "unhealthy" };
        let green = self.green();
        let desired = green.desired;
        let primary = &mut green.deployments[0];
        (primary.running, primary.pending, primary.desired) = (desired, 0, desired);
        green.tasks = Some(Ok(tasks(&green.deployments[0], desired, 1)));
        green.targets = Some(Ok((1..=desired).map(|number| target(number, state)).collect()));
        green.running = desired;
    }

    /// A second passes.
    fn tick(&mut self) {
        self.now = self.now.after(Duration::from_secs(1));
        self.age = self.age.saturating_add(1);
        if self.green().deployments[0].rollout != Rollout::InProgress {
            self.populate(!(self.runs_wanted() && self.script.fate == Fault::Unhealthy));
            return;
        }
        let fate = if self.runs_wanted() { self.script.fate } else { Fault::Good(1) };
        match fate {
            Fault::Good(after) if self.age > after => self.complete(),
            Fault::Good(after) if self.age == after => self.populate(true),
            Fault::Unhealthy => {
                self.populate(false);
                self.complete();
            }
            Fault::Crash => self.crash(),
            Fault::Good(_) | Fault::TrafficFailure => {}
        }
    }

    /// The deployment is complete, and older ones are gone.
    fn complete(&mut self) {
        let green = self.green();
        green.deployments.truncate(1);
        green.deployments[0].rollout = Rollout::Completed;
    }

    /// One more task failed; the breaker may trip.
    fn crash(&mut self) {
        let (age, now, breaker) = (self.age, self.now, self.script.breaker);
        let green = self.green();
        green.deployments[0].failed = u32::from(age);
        let older = green.deployments.get(1).map(|older| older.task_definition.clone());
        if age < 3 {
            return;
        }
        match (breaker, older) {
            (Some(true), Some(older)) => {
                let failed = green.deployments[0].clone();
                self.history.push(ServiceDeployment {
                    arn: "arn:rolled-back".to_owned(),
                    number: None,
                    status: ServiceDeploymentStatus::RolledBack,
                    reason:
                        "Service deployment rolled back because the circuit breaker threshold was exceeded."
                            .to_owned(),
                    created: failed.created,
                    target: Some(failed.task_definition),
                    sources: vec![older.clone()],
                    alarms: Vec::new(),
                });
                self.roll(&older, now);
            }
            (Some(_), _) => green.deployments[0].rollout = Rollout::Failed,
            (None, _) => {}
        }
    }

    /// A new primary deployment of a task definition.
    fn roll(&mut self, task_definition: &str, now: Time) {
        self.age = 0;
        let number = self.done.len() + self.history.len();
        let green = self.green();
        let mut old = green.deployments[0].clone();
        old.primary = false;
        let new = deployment(&format!("d{number}-{}", now.0), task_definition, green.desired);
        let new = Deployment { rollout: Rollout::InProgress, created: now, running: 0, ..new };
        task_definition.clone_into(&mut green.task_definition);
        green.deployments = vec![new, old];
    }

    /// What an undisturbed look shows.
    pub(super) fn world_as_seen(&mut self) -> Snapshot {
        self.look(ReadScope::WHOLE).unwrap()
    }

    /// One look.
    fn look(&mut self, look: ReadScope) -> AwsResult<Snapshot> {
        self.reads = self.reads.saturating_add(1);
        self.others();
        if self.script.unread.contains(&self.reads) {
            return Err(trouble(AwsErrorKind::Throttled));
        }
        let mut seen = self.world.clone();
        let (wanted, _) = self.wants();
        let content = self.content_of(&wanted).unwrap().clone();
        let history = self.history.clone();
        let green = seen.services.iter_mut().find(|service| service.color == Color::Green).unwrap();
        green.definition = Some(Ok(Revision { arn: wanted, content, tags: Vec::new(), active: true }));
        (green.history, green.stopped) = (Some(Ok(history)), Some(Ok(Vec::new())));
        Ok(as_read(seen, look))
    }

    /// What others do before this read.
    fn others(&mut self) {
        if self.script.moved == Some(self.reads) {
            self.came_to = (self.script.weights.0 > 0).then(|| self.wants().1);
            self.world.balancers = Some(Ok(vec![balancer(0, 100)]));
        }
        if let Some((_, count)) = self.script.recounted.filter(|(read, _)| *read == self.reads) {
            self.was_recounted = true;
            self.green().desired = count;
        }
    }

    /// Does a step.
    fn apply(&mut self, step: &Step) -> AwsResult<Answer> {
        match step {
            Step::Find(_) => {
                let newest = self.revisions.last().filter(|(_, content)| same_content(content, &self.wanted));
                Ok(Answer::Found(newest.map(|(arn, _)| arn.clone())))
            }
            Step::Probe(_) => Ok(Answer::Probed(if self.script.probes_pass {
                Ok(())
            } else {
                let kind = ProbeFailureKind::Status { found: 500, wanted: 200 };
                Err(ProbeFailure { url: "http://shop.example.com:8080/".to_owned(), kind })
            })),
            Step::Register(_)
            | Step::Update(_)
            | Step::Weights(_)
            | Step::Scaling(_)
            | Step::Policy(_)
            | Step::Alarm(_) => self.write(step),
        }
    }

    /// Does a write, or loses it.
    fn write(&mut self, step: &Step) -> AwsResult<Answer> {
        let wire = self.script.wire.get(self.sent.len()).copied().unwrap_or(self.script.later);
        self.sent.push(step.clone());
        let lost = AwsError { effect_unknown: true, ..trouble(AwsErrorKind::Unreachable) };
        match wire {
            Wire::Fine => Ok(self.effect(step)),
            Wire::LostBefore => Err(lost),
            Wire::LostAfter => {
                self.effect(step);
                Err(lost)
            }
            Wire::Throttled => Err(trouble(AwsErrorKind::Throttled)),
            Wire::Denied => Err(trouble(AwsErrorKind::Denied)),
        }
    }

    /// The effect of a write.
    fn effect(&mut self, step: &Step) -> Answer {
        self.done.push(step.clone());
        match step {
            Step::Update(update) => {
                self.update(update);
                Answer::Updated(Box::new(self.world.service(Color::Green).unwrap().clone()))
            }
            Step::Weights(_) | Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_) => Answer::Changed,
            Step::Register(_) | Step::Find(_) | Step::Probe(_) => {
                let arn = arn(&format!("{FAMILY}:{}", self.revisions.len()));
                self.revisions.push((arn.clone(), self.wanted.clone()));
                Answer::Registered(arn)
            }
        }
    }

    /// The effect of an update.
    fn update(&mut self, update: &Update) {
        let live = self.is_live();
        if update.purpose == Purpose::Traffic {
            // Only ever more tasks for users: no version, no smaller count.
            self.wrote_live |= update.rolls() || update.desired.is_none_or(|count| count < self.wants().1);
        } else if update.purpose == Purpose::Restore {
            let (was_live, count) = self.deployed.unwrap_or((self.script.weights.1 > 0, self.wants().1));
            self.went_back_live |= live && !was_live;
            self.cut |= update.desired.is_some() && count != self.wants().1;
        } else {
            self.wrote_live |= live;
            self.deployed = Some((live, update.desired.unwrap_or(self.wants().1)));
        }
        let now = self.now;
        let green = self.green();
        green.desired = update.desired.unwrap_or(green.desired);
        let task_definition = green.task_definition.clone();
        if update.rolls() {
            self.roll(update.task_definition.as_ref().unwrap_or(&task_definition), now);
        }
    }

    /// Carries a run out as the one loop of every command does.
    pub(super) fn drive(&mut self, goal: &Goal) -> (Ending, Run) {
        let mut operation = DeployOperation { goal, service: "web-green", run: Run::begin(self.now) };
        let mut look = operation.look();
        for _ in 0..2_000 {
            if self.script.cancel.is_some_and(|read| self.reads >= read) {
                operation.run.memory.cancelled.get_or_insert(self.now);
            }
            let mut seen = self.look(look);
            match self.with_new_rules(operation.decide(&seen, self.now), &mut seen, &operation) {
                Next::Read(closer) => {
                    look = closer;
                    continue;
                }
                Next::Wait(_) => {
                    self.tick();
                    operation.run.waited();
                }
                Next::Step(step) => self.step(&step, &seen, &mut operation),
                Next::Follow(follow) => operation.run.follow(follow),
                Next::Restore(failing, recovery) => operation.run.start_restore(failing, recovery, self.now),
                Next::Refuse(refusal) => return (Ending::Refuse(refusal), operation.run),
                Next::Done(end) => return (Ending::End(end), operation.run),
            }
            look = operation.look();
        }
        (Ending::Never, operation.run)
    }

    /// Reads the rules again before a step that is bound to them.
    fn with_new_rules(
        &self,
        next: Next,
        seen: &mut AwsResult<Snapshot>,
        operation: &DeployOperation<'_>,
    ) -> Next {
        let (Next::Step(step), Ok(snapshot)) = (&next, &*seen) else { return next };
        if !operation.is_bound_to_rules(step) {
            return next;
        }
        let anew = Snapshot { balancers: self.world.balancers.clone(), ..snapshot.clone() };
        let stopped = operation.stopped_by_rules(&anew, self.now);
        *seen = Ok(anew);
        stopped
    }

    /// One step of a run.
    fn step(&mut self, step: &Step, seen: &AwsResult<Snapshot>, operation: &mut DeployOperation<'_>) {
        if let Ok(snapshot) = seen {
            operation.before(step, snapshot);
        }
        let sent = self.now;
        let answer = self.apply(step);
        let failed = answer.is_err();
        operation.run.answered(step, answer, CallTime { sent, ended: self.now });
        if failed {
            self.tick();
        }
    }
}
