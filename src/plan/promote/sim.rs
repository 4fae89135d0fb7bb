//! A small ECS and load balancer for tests of a whole promote: it takes steps, and forgets nothing when a run is killed.
//! What it does is typed here anew, and not taken from the predictions.

use std::time::Duration;

use serde_json::Value;

use super::{Goal, plan_phases};
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::definition::{Content, same_content};
use crate::plan::operation::Operation;
use crate::plan::preconditions::Blocker;
use crate::plan::run_memory::Answer;
use crate::plan::sample::{arn, at, deployment, target, tasks};
use crate::plan::snapshot::{Revision, Rollout, Scalable, Service, Snapshot, Weighted};
use crate::plan::step::{End, Next, Purpose, Refusal, Scaling, Step, Update, Weights};
use crate::plan::time::Time;

/// Count, bounds, content and number of revisions of a color.
type Stands = (u32, Option<Scalable>, Value, usize);

/// More turns than any way takes.
const MOST: usize = 5_000;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DeploymentFailure {
    /// It came to an end.
    End(End),
    /// It was not begun.
    Refused(Refusal),
    /// It was killed after so many writes as it was told.
    Killed,
}

/// AWS.
#[derive(Clone, Debug)]
pub(super) struct Sim {
    /// What a look shows.
    pub(super) seen: Snapshot,
    /// Revisions by ARN, oldest first.
    revisions: Vec<(String, Content)>,
    /// Now.
    now: Time,
    /// The writes so far, in short words.
    pub(super) writes: Vec<String>,
}

impl Sim {
    /// From what is there.
    pub(super) fn new(seen: Snapshot) -> Sim {
        let held = |service: &Service| {
            let revision = service.definition.as_ref().unwrap().as_ref().unwrap();
            (revision.arn.clone(), revision.content.clone())
        };
        let revisions = seen.services.iter().map(held).collect();
        Sim { seen, revisions, now: at(0), writes: Vec::new() }
    }

    /// The service of a color.
    fn service(&mut self, color: impl Into<ServiceColor>) -> &mut Service {
        let color = color.into();
        self.seen.services.iter_mut().find(|service| service.color == color).unwrap()
    }

    /// Runs a promote to its end, or until it has written `most` times.
    pub(super) fn run(&mut self, goal: &Goal, most: usize) -> DeploymentFailure {
        let all = match plan_phases(&self.seen, goal) {
            Ok(all) => all,
            Err(Blocker::Refuse(refusal)) => return DeploymentFailure::Refused(refusal),
            Err(Blocker::Retry(trouble)) => panic!("nothing hinders: {trouble:?}"),
        };
        let mut operation = Operation::begin(&all, self.now).unwrap();
        let mut left = most;
        for _ in 0..MOST {
            let seen = Ok(self.seen.clone());
            match operation.decide(&seen, self.now) {
                Next::Step(step) => {
                    let writes = !matches!(step, Step::Find(_));
                    if writes && left == 0 {
                        return DeploymentFailure::Killed;
                    }
                    left -= usize::from(writes);
                    operation.before(&step, &self.seen.clone());
                    let answer = self.take(&step);
                    operation.answered(&step, Ok(answer), self.now.into());
                }
                Next::Wait(_) => self.pass(),
                Next::Follow(follow) => operation.follow(follow),
                Next::Read(_) => self.look_closer(),
                Next::Restore(failing, recovery) => operation.start_restore(failing, recovery, self.now),
                Next::Refuse(refusal) => return DeploymentFailure::Refused(refusal),
                Next::Done(end) if operation.goes_on(&end, self.now) => {}
                Next::Done(End::Good { changed, healthy }) => {
                    let changed = changed || operation.changed;
                    return DeploymentFailure::End(End::Good { changed, healthy });
                }
                Next::Done(end) => return DeploymentFailure::End(end),
            }
        }
        panic!("it turns in a circle: {:?}", self.writes);
    }

    /// Time passes: what is wanted runs and is healthy, unless it is sick for good.
    pub(super) fn pass(&mut self) {
        self.now = self.now.after(Duration::from_secs(5));
        for service in &mut self.seen.services {
            let sick = |target: &crate::plan::snapshot::Target| target.state == "unhealthy";
            if service.targets.iter().flatten().flatten().any(sick) {
                continue;
            }
            let mut standing = deployment("standing", &service.task_definition, service.desired);
            if let Some(primary) = service.deployments.iter().find(|deployment| deployment.primary) {
                standing.id.clone_from(&primary.id);
                standing.created = primary.created;
            }
            service.tasks = Some(Ok(tasks(&standing, service.desired, 1)));
            service.targets = Some(Ok((1..=service.desired).map(|one| target(one, "healthy")).collect()));
            (service.running, service.pending) = (service.desired, 0);
            service.deployments = vec![standing];
        }
    }

    /// Nothing is known of the past.
    fn look_closer(&mut self) {
        for service in &mut self.seen.services {
            service.history.get_or_insert(Ok(Vec::new()));
            service.stopped.get_or_insert(Ok(Vec::new()));
        }
    }

    /// Takes a step.
    fn take(&mut self, step: &Step) -> Answer {
        match step {
            Step::Find(wanted) => {
                let family = wanted.family();
                let of = |arn: &String| arn.rsplit('/').next().unwrap().starts_with(&format!("{family}:"));
                let newest = self.revisions.iter().rfind(|(arn, _)| of(arn));
                let found = newest.filter(|(_, held)| same_content(held, &wanted.content));
                Answer::Found(found.map(|(arn, _)| arn.clone()))
            }
            Step::Register(wanted) => {
                let family = wanted.family();
                let next = arn(&format!("{family}:{}", self.revisions.len() + 1));
                self.revisions.push((next.clone(), wanted.content.clone()));
                self.writes.push(format!("register {family}"));
                Answer::Registered(next)
            }
            Step::Update(update) => Answer::Updated(Box::new(self.update(update))),
            Step::Weights(weights) => {
                self.weigh(weights);
                Answer::Changed
            }
            Step::Scaling(scaling) => {
                self.scale(scaling);
                Answer::Changed
            }
            other => panic!("not expected: {other:?}"),
        }
    }

    /// UpdateService. Tasks come later.
    fn update(&mut self, update: &Update) -> Service {
        let found = update.task_definition.clone();
        let arn = found.clone().unwrap_or_default();
        let content =
            self.revisions.iter().find(|(held, _)| *held == arn).map(|(_, content)| content.clone());
        let (live, now) = (self.split().is_live(update.color.production().unwrap()), self.now);
        let rolls = found.is_some() || update.force;
        assert!(!(rolls && live), "a live color is deployed to: {:?}", self.writes);
        let count = update.desired.map(|count| format!(" to {count}")).unwrap_or_default();
        let what = if rolls { "deploy " } else { "" };
        self.writes.push(format!("{what}{}{count}", update.color));
        let writes = self.writes.clone();
        let service = self.service(update.color);
        let before = service.desired;
        service.desired = update.desired.unwrap_or(service.desired);
        let back = update.purpose == Purpose::Restore;
        assert!(!live || back || service.desired >= before, "a live color shrinks: {writes:?}");
        if rolls {
            if let Some(content) = content {
                service.task_definition.clone_from(&arn);
                service.definition =
                    Some(Ok(Revision { arn: arn.clone(), content, tags: Vec::new(), active: true }));
            }
            for older in &mut service.deployments {
                older.primary = false;
            }
            let mut new = deployment("new", &service.task_definition, service.desired);
            (new.running, new.rollout, new.created) = (0, Rollout::InProgress, now);
            service.deployments.insert(0, new);
        }
        service.clone()
    }

    /// ModifyListener.
    fn weigh(&mut self, weights: &Weights) {
        let Split { blue, green } = weights.after;
        self.writes.push(format!("{} {}", weights.name, weights.after));
        for (color, weight) in [(Color::Blue, blue), (Color::Green, green)] {
            let service = self.service(color);
            let healthy =
                service.targets.iter().flatten().flatten().filter(|target| target.is_healthy()).count();
            assert!(weight == 0 || healthy > 0, "{color} gets users and is not healthy");
            let settled =
                service.deployments.iter().all(|deployment| deployment.rollout != Rollout::InProgress);
            assert!(weight == 0 || settled, "{color} gets users and rolls");
        }
        let held = |group: &str, weight| Weighted { group: group.to_owned(), weight };
        for rule in
            self.seen.balancers.iter_mut().flatten().flatten().flat_map(|balancer| &mut balancer.rules)
        {
            if rule.arn == weights.rule {
                rule.forward = vec![held("tg-blue", blue), held("tg-green", green)];
                rule.whole = weights.actions.clone().into();
            }
        }
    }

    /// RegisterScalableTarget, which moves the count into the bounds.
    fn scale(&mut self, scaling: &Scaling) {
        let word = match scaling.in_suspended {
            Some(true) => " suspend",
            Some(false) => " resume",
            None => "",
        };
        let bound = |name: &str, value: Option<u32>| {
            value.map(|value| format!(" {name}={value}")).unwrap_or_default()
        };
        let (min, max) = (bound("min", scaling.min), bound("max", scaling.max));
        self.writes.push(format!("{}{min}{max}{word}", scaling.color));
        let service = self.service(scaling.color);
        let found = service.scaling.clone().unwrap().unwrap().unwrap();
        let bounds = Scalable {
            min: scaling.min.unwrap_or(found.min),
            max: scaling.max.unwrap_or(found.max),
            in_suspended: scaling.in_suspended.unwrap_or(found.in_suspended),
            ..found
        };
        assert!(bounds.min <= bounds.max, "AWS refuses MinCapacity above MaxCapacity");
        service.scaling = Some(Ok(Some(bounds)));
        service.desired = service.desired.clamp(bounds.min, bounds.max);
    }

    /// The split of production.
    fn split(&self) -> Split {
        let rule = &self.seen.balancers.as_ref().unwrap().as_ref().unwrap()[0].rules[0];
        Split { blue: rule.forward[0].weight, green: rule.forward[1].weight }
    }

    /// What invariant 7 compares: the split, and what each color ends with.
    pub(super) fn end(&self) -> (Split, Vec<Stands>) {
        let of = |service: &Service| {
            let content = service.definition.as_ref().unwrap().as_ref().unwrap().content.object().clone();
            let scaling = service.scaling.clone().and_then(Result::ok).flatten();
            let family = format!("/{}:", service.name);
            let revisions = self.revisions.iter().filter(|(arn, _)| arn.contains(&family)).count();
            (service.desired, scaling, Value::Object(content), revisions)
        };
        (self.split(), self.seen.services.iter().map(of).collect())
    }

    /// The split, and the count of each color.
    pub(super) fn counts(&self) -> (Split, Vec<u32>) {
        (self.split(), self.seen.services.iter().map(|service| service.desired).collect())
    }
}
