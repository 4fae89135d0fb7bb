//! A small AWS of values for every command: two services whose deployments roll, fail and are rolled back, tasks with a
//! target each, scalable targets that clamp, production rules, and reads that lag behind.

use std::rc::Rc;
use std::time::Duration;

use serde_json::json;

use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::definition::{Content, same_content};
use crate::plan::read_scope::ReadScope;
use crate::plan::run_memory::Answer;
use crate::plan::snapshot::{
    Balancer, Breaker, Deployment, Revision, Rollout, Rule, Scalable, Service, ServiceDeployment,
    ServiceDeploymentStatus, Snapshot,
};
use crate::plan::step::{Scaling, Step, Update, Weights};
use crate::plan::time::Time;
use crate::sample::{arn, content, deployment, rule, snapshot, target, tasks};

/// The colors that users can be sent to.
pub(crate) const BOTH: [Color; 2] = Color::BOTH;

/// Time until ECS's breaker rolls back a deployment whose tasks fail.
const BREAKER: Duration = Duration::from_secs(20);

/// The address of the first target that belongs to no task: tasks never come so far.
const FOREIGN: u32 = 200;

/// The position of a color.
pub(crate) fn index(color: impl Into<ServiceColor>) -> usize {
    usize::from(color.into() == Color::Green)
}

/// One task.
#[derive(Clone, Copy, Debug)]
struct Task {
    /// The number, also used as the address.
    number: u32,
    /// The number of the deployment.
    deployment: u32,
    /// Time at which the target becomes healthy; none for never.
    ready: Option<Time>,
}

/// A deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roll {
    /// The number.
    pub(crate) number: u32,
    /// The new revision.
    pub(crate) revision: usize,
    /// Start of the deployment.
    created: Time,
    /// The progress.
    rollout: Rollout,
}

/// One color's service.
#[derive(Clone, Debug)]
pub(crate) struct Tier {
    /// Desired count.
    pub(crate) desired: u32,
    /// The deployments, PRIMARY first.
    rolls: Vec<Roll>,
    /// The tasks.
    tasks: Vec<Task>,
    /// The scalable target.
    pub(crate) scaling: Option<Scalable>,
    /// Deployments that were rolled back.
    history: Vec<ServiceDeployment>,
    /// Tasks and deployments so far.
    made: u32,
}

impl Tier {
    /// A service with `desired` healthy tasks.
    fn new(desired: u32, scaling: Option<Scalable>, now: Time) -> Tier {
        let roll = Roll { number: 0, revision: 1, created: now, rollout: Rollout::Completed };
        let mut tier =
            Tier { desired, rolls: vec![roll], tasks: Vec::new(), scaling, history: Vec::new(), made: 0 };
        tier.schedule(now, Duration::ZERO, false);
        tier
    }

    /// The primary deployment.
    pub(crate) fn primary(&self) -> Roll {
        self.rolls[0]
    }

    /// The primary deployment's tasks.
    fn own(&self) -> usize {
        self.tasks.iter().filter(|task| task.deployment == self.rolls[0].number).count()
    }

    /// Healthy tasks at this time.
    pub(crate) fn healthy(&self, now: Time) -> u32 {
        let healthy = self.tasks.iter().filter(|task| task.ready.is_some_and(|ready| ready <= now)).count();
        u32::try_from(healthy).unwrap()
    }

    /// Starts or stops tasks of the primary deployment; older tasks stop after the primary deployment is healthy.
    fn schedule(&mut self, now: Time, start: Duration, bad: bool) {
        let wanted = usize::try_from(self.desired).unwrap();
        let number = self.rolls[0].number;
        while self.own() < wanted {
            self.made += 1;
            let ready = (!bad).then(|| now.after(start));
            self.tasks.push(Task { number: self.made, deployment: number, ready });
        }
        while self.own() > wanted {
            let last = self.tasks.iter().rposition(|task| task.deployment == number).unwrap();
            self.tasks.remove(last);
        }
        let healthy = |task: &&Task| task.deployment == number && task.ready.is_some_and(|at| at <= now);
        if self.tasks.iter().filter(healthy).count() == wanted {
            self.tasks.retain(|task| task.deployment == number);
            self.rolls.truncate(1);
            self.rolls[0].rollout = Rollout::Completed;
        }
    }

    /// Begins a deployment.
    fn roll(&mut self, revision: usize, now: Time) {
        self.made += 1;
        let roll = Roll { number: self.made, revision, created: now, rollout: Rollout::InProgress };
        self.rolls.insert(0, roll);
    }
}

/// A value in AWS that stays hidden for a while.
#[derive(Clone, Debug)]
pub(crate) struct Lagging<T> {
    /// The true value.
    pub(crate) now: T,
    /// The shown value, and the time until which it shows.
    before: Option<(T, Time)>,
}

impl<T: Clone> Lagging<T> {
    /// A value without lag.
    fn new(now: T) -> Self {
        Lagging { now, before: None }
    }

    /// The shown value at this time.
    pub(crate) fn shown(&self, now: Time) -> &T {
        self.before.as_ref().filter(|(_, until)| *until > now).map_or(&self.now, |(before, _)| before)
    }

    /// A write that shows from `until` on.
    fn write(&mut self, until: Time) -> &mut T {
        self.before = Some((self.now.clone(), until));
        &mut self.now
    }
}

/// The start of a world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// The split of every production rule.
    pub(crate) split: Split,
    /// Number of production rules.
    pub(crate) rules: usize,
    /// Desired counts of blue and green.
    pub(crate) counts: [u32; 2],
    /// None without scalable targets; else true if scale-in is suspended on both.
    pub(crate) scaling: Option<bool>,
    /// Time until a write of a rule shows.
    pub(crate) rule_lag: Duration,
    /// Time until a write of a service shows.
    pub(crate) service_lag: Duration,
    /// Time until a new task is healthy.
    pub(crate) start: Duration,
    /// True if the tasks of version 2 of green never become healthy.
    pub(crate) bad: bool,
    /// Healthy targets in the groups of blue and green that belong to no task of the service.
    pub(crate) foreign: [u32; 2],
}

/// The whole world.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// Blue, then green.
    pub(crate) tiers: [Lagging<Tier>; 2],
    /// The production rules.
    pub(crate) rules: Vec<Lagging<Rule>>,
    /// The revisions of each color, oldest first; the first is unused.
    revisions: [Vec<Rc<Content>>; 2],
    /// The time.
    pub(crate) now: Time,
    /// The start.
    pub(crate) start: Start,
    /// Splits that a forced run wrote, by rule.
    pub(crate) forced: Vec<(String, Split, [u32; 2])>,
    /// The run that last wrote the count of blue, and of green.
    pub(crate) sized_by: [Option<char>; 2],
    /// Everything that no write changes.
    base: Rc<Snapshot>,
}

/// The split of a rule.
pub(crate) fn split(rule: &Rule) -> Split {
    let weight = |group: &str| rule.forward.iter().find(|one| one.group == group).map_or(0, |one| one.weight);
    Split { blue: weight("tg-blue"), green: weight("tg-green") }
}

impl World {
    /// A new world.
    pub(crate) fn new(start: Start, now: Time) -> World {
        let base = BASE.with(Rc::clone);
        let scaling = start.scaling.map(|in_suspended| Scalable {
            min: 1,
            max: 12,
            in_suspended,
            ..Scalable::default()
        });
        let tier = |count| Lagging::new(Tier::new(count, scaling, now));
        let rule = |number: usize| {
            let (port, priority) = [(80, None), (443, Some(10))][number];
            let forward = [("tg-blue", start.split.blue), ("tg-green", start.split.green)];
            let listed: Vec<_> = forward
                .iter()
                .map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight}))
                .collect();
            let whole = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": listed}}]);
            Lagging::new(Rule { whole: whole.into(), ..rule(port, priority, &forward) })
        };
        let revisions = CONTENTS.with(|contents| contents.clone());
        World {
            tiers: [tier(start.counts[0]), tier(start.counts[1])],
            rules: (0..start.rules).map(rule).collect(),
            revisions,
            now,
            start,
            forced: Vec::new(),
            sized_by: [None; 2],
            base,
        }
    }

    /// The shown splits of all rules.
    pub(crate) fn shown(&self) -> Vec<Split> {
        self.rules.iter().map(|rule| split(rule.shown(self.now))).collect()
    }

    /// Time passes, second by second.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        while self.now < end {
            let step = end.since(self.now).min(Duration::from_secs(1));
            self.now = self.now.after(step);
            self.settle();
        }
    }

    /// The automatic changes of ECS.
    fn settle(&mut self) {
        let (now, start) = (self.now, self.start);
        for color in BOTH {
            let tier = &mut self.tiers[index(color)].now;
            let bad = start.bad && color == Color::Green && tier.primary().revision == 2;
            if bad && tier.rolls.len() > 1 && now.since(tier.primary().created) >= BREAKER {
                let (failed, older) = (tier.rolls[0], tier.rolls[1]);
                tier.history.insert(0, rolled_back(color, failed, older));
                tier.tasks.retain(|task| task.deployment != failed.number);
                tier.roll(older.revision, now);
            }
            let bad = start.bad && color == Color::Green && tier.primary().revision == 2;
            tier.schedule(now, start.start, bad);
        }
    }

    /// A read of the services.
    pub(crate) fn services(&self, look: ReadScope) -> Vec<Service> {
        let wanted = |service: &&Service| look.only.is_none_or(|only| only == service.color);
        self.base
            .services
            .iter()
            .filter(wanted)
            .map(|base| self.service(base, self.tiers[index(base.color)].shown(self.now), look))
            .collect()
    }

    /// The rest of a look.
    pub(crate) fn snapshot(&self, services: Vec<Service>, look: ReadScope) -> Snapshot {
        let balancers = look.wiring.then(|| {
            let mut balancer: Balancer = self.base.balancers.as_ref().unwrap().as_ref().unwrap()[0].clone();
            balancer.rules.remove(0);
            balancer.rules.splice(0..0, self.rules.iter().map(|rule| rule.shown(self.now).clone()));
            Ok(vec![balancer])
        });
        Snapshot {
            place: self.base.place.clone(),
            services,
            missing: Vec::new(),
            balancers,
            alarms: look.alarms.then(|| Ok(Vec::new())),
            minutes: None,
            earlier: Vec::new(),
        }
    }

    /// The shown state of a service.
    fn service(&self, base: &Service, tier: &Tier, look: ReadScope) -> Service {
        let color = base.color;
        let family = |revision: usize| arn(&format!("web-{color}:{revision}"));
        let deployments: Vec<Deployment> = tier
            .rolls
            .iter()
            .enumerate()
            .map(|(at, roll)| {
                let has = tier.tasks.iter().filter(|task| task.deployment == roll.number).count();
                let base =
                    deployment(&format!("{color}-{}", roll.number), &family(roll.revision), tier.desired);
                Deployment {
                    primary: at == 0,
                    running: u32::try_from(has).unwrap(),
                    rollout: roll.rollout,
                    created: roll.created,
                    ..base
                }
            })
            .collect();
        let mut service = base.clone();
        let of = |number: u32| tier.rolls.iter().position(|roll| roll.number == number).unwrap();
        let all = |task: &Task| tasks(&deployments[of(task.deployment)], 1, task.number);
        service.tasks = Some(Ok(tier.tasks.iter().flat_map(all).collect()));
        let state =
            |task: &Task| if task.ready.is_some_and(|at| at <= self.now) { "healthy" } else { "initial" };
        let own = tier.tasks.iter().map(|task| target(task.number, state(task)));
        let foreign = (0..self.start.foreign[index(color)]).map(|at| target(FOREIGN + at, "healthy"));
        service.targets = Some(Ok(own.chain(foreign).collect()));
        service.running = u32::try_from(tier.tasks.len()).unwrap();
        service.desired = tier.desired;
        service.task_definition.clone_from(&deployments[0].task_definition);
        service.deployments = deployments;
        let content = self.revisions[index(color)][tier.primary().revision].as_ref().clone();
        let revision =
            Revision { arn: service.task_definition.clone(), content, tags: Vec::new(), active: true };
        service.definition = look.definitions.then_some(Ok(revision));
        service.scaling = look.scaling.then_some(Ok(tier.scaling));
        service.history = look.causes.then(|| Ok(tier.history.clone()));
        service.stopped = look.causes.then(|| Ok(Vec::new()));
        service
    }

    /// The effect of a step, and AWS's answer.
    pub(crate) fn apply(&mut self, step: &Step) -> Answer {
        let answer = match step {
            Step::Find(wanted) => return self.find(&wanted.content),
            Step::Register(wanted) => return self.register(wanted.family(), &wanted.content),
            Step::Update(update) => {
                self.update(update);
                self.settle();
                let base = self.base.services.iter().find(|base| base.color == update.color).unwrap();
                let tier = &self.tiers[index(update.color)].now;
                Answer::Updated(Box::new(self.service(base, tier, ReadScope::WHOLE)))
            }
            Step::Weights(weights) => self.weigh(weights),
            Step::Scaling(scaling) => {
                self.scale(scaling);
                Answer::Changed
            }
            Step::Probe(_) | Step::Policy(_) | Step::Alarm(_) => panic!("no step of these runs: {step:?}"),
        };
        self.settle();
        answer
    }

    /// A revision with this content, only the family's newest.
    fn find(&self, content: &Content) -> Answer {
        let family = crate::plan::definition::family_name(content);
        let color = if family == "web-green" { Color::Green } else { Color::Blue };
        let all = &self.revisions[index(color)];
        let same = all.last().is_some_and(|newest| same_content(newest, content));
        Answer::Found(same.then(|| arn(&format!("{family}:{}", all.len() - 1))))
    }

    /// RegisterTaskDefinition.
    fn register(&mut self, family: &str, content: &Content) -> Answer {
        let color = if family == "web-green" { Color::Green } else { Color::Blue };
        let all = &mut self.revisions[index(color)];
        all.push(Rc::new(content.clone()));
        Answer::Registered(arn(&format!("{family}:{}", all.len() - 1)))
    }

    /// UpdateService.
    fn update(&mut self, update: &Update) {
        let (now, until) = (self.now, self.now.after(self.start.service_lag));
        let tier = self.tiers[index(update.color)].write(until);
        tier.desired = update.desired.unwrap_or(tier.desired);
        if update.rolls() {
            let named = update.task_definition.as_ref();
            let number = named.and_then(|arn| arn.rsplit(':').next()?.parse().ok());
            tier.roll(number.unwrap_or(tier.primary().revision), now);
        }
    }

    /// ModifyListener and ModifyRule; the answer is the shown rule.
    fn weigh(&mut self, weights: &Weights) -> Answer {
        let (now, until) = (self.now, self.now.after(self.start.rule_lag));
        let held = self.rules.iter_mut().find(|held| held.now.arn == weights.rule).unwrap();
        let rule = held.write(until);
        rule.whole = weights.actions.clone().into();
        for (group, weight) in named(weights) {
            rule.forward.iter_mut().filter(|one| one.group == group).for_each(|one| one.weight = weight);
        }
        Answer::Weighed(Box::new(held.shown(now).clone()))
    }

    /// RegisterScalableTarget moves the count into its bounds, at every call.
    fn scale(&mut self, scaling: &Scaling) {
        let until = self.now.after(self.start.service_lag);
        let tier = self.tiers[index(scaling.color)].write(until);
        let bounds = tier.scaling.as_mut().unwrap();
        bounds.min = scaling.min.unwrap_or(bounds.min);
        bounds.max = scaling.max.unwrap_or(bounds.max);
        bounds.in_suspended = scaling.in_suspended.unwrap_or(bounds.in_suspended);
        tier.desired = tier.desired.max(bounds.min).min(bounds.max);
    }
}

/// The target groups in a write, with weights.
pub(crate) fn named(weights: &Weights) -> Vec<(String, u32)> {
    let forward = weights.actions.as_array().unwrap().iter().find(|action| action["Type"] == "forward");
    let groups = forward.unwrap()["ForwardConfig"]["TargetGroups"].as_array().unwrap();
    let of = |group: &serde_json::Value| {
        let weight = u32::try_from(group["Weight"].as_u64().unwrap()).unwrap();
        (group["TargetGroupArn"].as_str().unwrap().to_owned(), weight)
    };
    groups.iter().map(of).collect()
}

/// ListServiceDeployments's answer about a deployment that the breaker rolled back.
fn rolled_back(color: Color, failed: Roll, older: Roll) -> ServiceDeployment {
    let family = |roll: Roll| arn(&format!("web-{color}:{}", roll.revision));
    ServiceDeployment {
        arn: format!("arn:rolled-back-{}", failed.number),
        number: None,
        status: ServiceDeploymentStatus::RolledBack,
        reason: "Service deployment rolled back because the circuit breaker threshold was exceeded."
            .to_owned(),
        created: failed.created,
        target: Some(family(failed)),
        sources: vec![family(older)],
        alarms: Vec::new(),
    }
}

thread_local! {
    /// Everything that no write changes.
    static BASE: Rc<Snapshot> = {
        let mut seen = snapshot();
        for service in &mut seen.services {
            service.setup.breaker = Some(Breaker { rollback: true, threshold: None });
        }
        Rc::new(seen)
    };
    /// Blue runs v1, and green v5: its first revision.
    static CONTENTS: [Vec<Rc<Content>>; 2] = {
        let of = |family: &str, all: [&str; 2]| all.map(|one| Rc::new(content(family, one))).to_vec();
        [of("web-blue", ["v0", "v1"]), of("web-green", ["v0", "v5"])]
    };
}
