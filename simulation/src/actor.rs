//! A run on the world, split into atomic actions: read the services, read the rules and decide, apply a write, receive
//! the answer. Between any two actions, the other run may act.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use crate::oracle;
use crate::plan::aws_error::{AwsError, AwsErrorKind, AwsResult};
use crate::plan::color::{Color, Split};
use crate::plan::deploy;
use crate::plan::operation::{DeployOperation, Operation, TrafficOperation};
use crate::plan::preconditions::{Blocker, Request};
use crate::plan::promote::{self, Phase, plan_phases};
use crate::plan::read_scope::ReadScope;
use crate::plan::run;
use crate::plan::run_memory::Answer;
use crate::plan::snapshot::{Service, Snapshot};
use crate::plan::step::{End, Left, Next, Refusal, Step, Update};
use crate::plan::time::{CallTime, Time};
use crate::plan::traffic::{self, Prediction, TrafficRequest, predict_traffic, rollback_split};
use crate::plan::verdict::Limits;
use crate::plan::wanted::{DesiredCount, Hosts, Mode, Promotion, WantedColor};
use crate::sample::{self, content, trouble};
use crate::world::{BOTH, World, index, split};

/// Time between two looks.
const POLL: Duration = Duration::from_secs(5);

/// Most rules that a run writes at the same time.
const AT_ONCE: usize = 5;

/// More looks than any run takes.
const MOST: u32 = 2_000;

/// Longest time that a run waits for anything.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A user's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// A deploy of version 2 to green.
    Deploy,
    /// All users to this color, or half of the users to each color.
    Redirect(Split),
    /// All users to green in two steps.
    Steps,
    /// All users to green; one healthy target is enough.
    ColorCapacity,
    /// This color becomes production unchanged.
    Swap(Color),
    /// Blue takes over green's version and becomes production.
    Copy,
    /// All users to the other color.
    Rollback,
}

/// Fate of a write's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// The answer arrives.
    Fine,
    /// The write has no effect and no answer.
    LostBefore,
    /// The write takes effect, but has no answer.
    LostAfter,
}

/// The ending of a run.
#[expect(clippy::large_enum_variant, reason = "there are two at a time")]
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// The run ended.
    End(End),
    /// The run was refused.
    Refused,
    /// The run did not end.
    Never,
}

/// The goal of a run, which outlives the run's steps.
#[derive(Default)]
pub(crate) struct Shelf {
    /// The phases of a promote.
    phases: OnceCell<Vec<Phase>>,
    /// The goal of a change of traffic.
    traffic: OnceCell<traffic::Goal>,
    /// The goal of a deploy.
    deploy: OnceCell<deploy::Goal>,
}

/// A look at the rules.
pub(crate) struct Seen {
    /// The number of the world's action.
    pub(crate) number: u32,
    /// The split of each rule.
    pub(crate) rules: Vec<(String, Split)>,
}

/// The next atomic action.
enum Action {
    /// Read the services.
    Services,
    /// Read the rules and decide.
    Rules(Vec<Service>),
    /// Have the effect of the next one of several writes that were sent at the same time; the others have their answers.
    Effect(Vec<Step>, Vec<AwsResult<Answer>>, Box<Snapshot>, Time),
    /// Get the answers of the writes.
    Answer(Vec<Step>, Vec<AwsResult<Answer>>, Time),
}

/// One run.
pub(crate) struct Actor<'a> {
    /// `A` or `B`.
    pub(crate) name: char,
    /// The command.
    pub(crate) command: Command,
    /// The owner of the run's goal.
    shelf: &'a Shelf,
    /// The course, once begun.
    operation: Option<Operation<'a>>,
    /// The parts that the next look reads.
    look: ReadScope,
    /// The next action.
    action: Action,
    /// Time of the next action.
    pub(crate) wakes: Time,
    /// The ending.
    pub(crate) ending: Option<Ending>,
    /// Looks so far.
    looks: u32,
    /// The first and the newest look, by the number of the world's action.
    pub(crate) span: Option<(u32, u32)>,
    /// The rules that the run's looks showed, each change once.
    pub(crate) seen: Vec<Seen>,
    /// True if green had users at the newest look.
    pub(crate) saw_live: bool,
    /// The run's writes that took effect, each with the number of the world's action.
    pub(crate) done: Vec<(u32, Step)>,
    /// Its writes as it sent them, each with its time.
    pub(crate) sent: Vec<(Time, Step)>,
    /// Counts that it lowered.
    lowered: Vec<oracle::Lowered>,
    /// The snapshot right before the first write.
    found: Option<Snapshot>,
    /// True if an earlier phase changed something: the command reports that instead of the last phase's own result.
    midway: bool,
    /// True if the run prints its actions.
    pub(crate) traced: bool,
}

impl<'a> Actor<'a> {
    /// A run before its first look.
    pub(crate) fn new(name: char, command: Command, shelf: &'a Shelf, now: Time) -> Actor<'a> {
        let look = if command == Command::Deploy { ReadScope::WHOLE } else { ReadScope::TRAFFIC };
        Actor {
            name,
            command,
            shelf,
            operation: None,
            look,
            action: Action::Services,
            wakes: now,
            ending: None,
            looks: 0,
            span: None,
            seen: Vec::new(),
            saw_live: false,
            done: Vec::new(),
            sent: Vec::new(),
            lowered: Vec::new(),
            found: None,
            midway: false,
            traced: false,
        }
    }

    /// Notes the rules of a look.
    fn note(&mut self, number: u32, world: &World) {
        let rules: Vec<(String, Split)> =
            world.rules.iter().map(|rule| (rule.now.arn.clone(), split(rule.shown(world.now)))).collect();
        if self.seen.last().is_none_or(|last| last.rules != rules) {
            self.seen.push(Seen { number, rules });
        }
    }

    /// The run's wanted split at the time of this action; a copy moves users to green before blue.
    pub(crate) fn aim(&self, number: u32) -> Option<Split> {
        let back = |(at, step): &&(u32, Step)| {
            *at <= number && matches!(step, Step::Weights(one) if same(one.after, BLUE))
        };
        match self.command {
            Command::Copy if !self.done.iter().any(|done| back(&done)) => Some(GREEN),
            _ => self.goal(),
        }
    }

    /// True if the run forces.
    pub(crate) fn forces(&self) -> bool {
        self.command == Command::ColorCapacity
    }

    /// True if the next action applies a write.
    pub(crate) fn is_writing(&self) -> bool {
        matches!(self.action, Action::Effect(..))
    }

    /// Runs the next action and describes the result. Broken rules are added to `broken`.
    pub(crate) fn act(&mut self, world: &mut World, at: (u32, Wire), broken: &mut Vec<String>) -> String {
        let (number, wire) = at;
        match std::mem::replace(&mut self.action, Action::Services) {
            Action::Services => {
                self.action = Action::Rules(world.services(self.look));
                "reads the services".to_owned()
            }
            Action::Rules(services) => {
                let seen = world.snapshot(services, self.look);
                self.span = Some((self.span.map_or(number, |(first, _)| first), number));
                self.note(number, world);
                self.saw_live = world.shown().iter().any(|split| split.is_live(Color::Green));
                self.looks += 1;
                if self.looks > MOST {
                    self.ending = Some(Ending::Never);
                }
                self.decide(seen, world, broken)
            }
            Action::Effect(steps, mut answers, seen, sent) => {
                let step = steps[answers.len()].clone();
                let known = BOTH.map(|color| seen.service(color).map_or(0, |service| service.desired));
                if self.found.is_none() && seen.balancers.is_some() && writes(&step) {
                    self.found = Some((*seen).clone());
                }
                let lost = AwsError { effect_unknown: true, ..trouble(AwsErrorKind::Unreachable) };
                let sends = !matches!(step, Step::Find(_));
                let answer = if wire == Wire::LostBefore && sends {
                    Err(lost)
                } else {
                    let answer = world.apply(&step);
                    let shows = world.now.after(world.start.service_lag);
                    // A count that another run raised meanwhile, unseen, is no lower one to this run.
                    let after = counts(world);
                    let smaller =
                        step.sized_color().filter(|color| after[index(*color)] < known[index(*color)]);
                    self.lowered.extend(smaller.into_iter().map(|color| oracle::Lowered {
                        color,
                        count: after[index(color)],
                        shows,
                    }));
                    if let (true, Step::Weights(one)) = (self.forces(), &step) {
                        world.forced.push((one.rule.clone(), one.after, counts(world)));
                    }
                    if let Step::Update(Update { color, desired: Some(_), .. }) = &step {
                        world.sized_by[index(*color)] = Some(self.name);
                    }
                    self.done.push((number, step.clone()));
                    if wire == Wire::LostAfter && sends { Err(lost) } else { Ok(answer) }
                };
                let what =
                    if self.traced { format!("writes {} ({wire:?})", brief(&step)) } else { String::new() };
                answers.push(answer);
                self.action = if answers.len() == steps.len() {
                    Action::Answer(steps, answers, sent)
                } else {
                    Action::Effect(steps, answers, seen, sent)
                };
                what
            }
            Action::Answer(steps, answers, sent) => {
                let failed = answers.iter().any(Result::is_err);
                let operation = self.operation.as_mut().unwrap();
                for (step, answer) in steps.iter().zip(answers) {
                    operation.answered(step, answer, CallTime { sent, ended: world.now });
                }
                self.look = operation.look();
                if failed {
                    self.wakes = world.now.after(POLL);
                }
                "gets the answer".to_owned()
            }
        }
    }

    /// Decides by a look, like the one loop of every command.
    fn decide(&mut self, seen: Snapshot, world: &World, broken: &mut Vec<String>) -> String {
        let now = world.now;
        if self.operation.is_none() {
            match self.begin(&seen, now) {
                Ok(operation) => self.operation = Some(operation),
                Err(refusal) => {
                    let what = format!("is refused: {refusal:?}");
                    self.ending = Some(Ending::Refused);
                    return what;
                }
            }
        }
        let operation = self.operation.as_mut().unwrap();
        let read = Ok(seen);
        let next = operation.decide(&read, now);
        let Ok(seen) = read else { return String::new() };
        let what = if self.traced { format!("decides {}", short(&next)) } else { String::new() };
        match next {
            Next::Read(closer) => {
                self.look = closer;
                return what;
            }
            Next::Wait(_) => {
                self.wakes = now.after(POLL);
                operation.waited();
            }
            Next::Step(step) => {
                let steps = operation.ahead(&step, &seen, (AT_ONCE, now));
                for step in steps.iter().filter(|step| writes(step)) {
                    operation.before(step, &seen);
                    broken.extend(oracle::judge(&seen, step, world, self.command));
                    self.sent.push((now, step.clone()));
                }
                self.action = Action::Effect(steps, Vec::new(), Box::new(seen), now);
            }
            Next::Follow(follow) => operation.follow(follow),
            Next::Restore(failing, recovery) => operation.start_restore(failing, recovery, now),
            Next::Refuse(_) => self.ending = Some(Ending::Refused),
            Next::Done(end) if operation.goes_on(&end, now) => {
                self.midway |= matches!(end, End::Good { changed: true, .. });
            }
            Next::Done(end) => {
                self.claims(&end, &seen, world, broken);
                if !self.forces() {
                    broken.extend(oracle::lowered(self.name, &self.lowered, (&seen, now), world));
                }
                self.ending = Some(Ending::End(end));
            }
        }
        self.look = self.operation.as_ref().unwrap().look();
        what
    }

    /// The course, from the first look, or the refusal.
    fn begin(&self, seen: &Snapshot, now: Time) -> Result<Operation<'a>, Refusal> {
        let refused = |hindrance| match hindrance {
            Blocker::Refuse(refusal) => refusal,
            Blocker::Retry(trouble) => Refusal::Unread(trouble),
        };
        let to = match self.command {
            Command::Deploy => {
                let goal = self.shelf.deploy.get_or_init(deploy_goal);
                let run = run::Run::begin(now);
                return Ok(DeployOperation { goal, service: "web-green", run }.into());
            }
            Command::Swap(_) | Command::Copy => return self.promote(seen, now).map_err(refused),
            Command::Redirect(to) => to,
            Command::Steps | Command::ColorCapacity => GREEN,
            Command::Rollback => {
                let goal = traffic_goal(GREEN, Command::Rollback);
                rollback_split(seen, &goal, None).map_err(refused)?
            }
        };
        let goal = self.shelf.traffic.get_or_init(|| traffic_goal(to, self.command));
        let refusal = self.once(seen, || match predict_traffic(seen, goal, now) {
            Prediction::Refuse(refusal) => Some(refusal),
            Prediction::Plan(_) | Prediction::Unknown => None,
        });
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        Ok(TrafficOperation { goal, run: traffic::Run::begin(now) }.into())
    }

    /// The prediction of this command for a snapshot: each world is predicted once.
    fn once(&self, seen: &Snapshot, predicted: impl FnOnce() -> Option<Refusal>) -> Option<Refusal> {
        let key = (format!("{:?}", self.command), traits(seen));
        if let Some(known) = PREDICTED.with_borrow(|known| known.get(&key).cloned()) {
            return known;
        }
        let refusal = predicted();
        PREDICTED.with_borrow_mut(|known| known.insert(key, refusal.clone()));
        refusal
    }

    /// A promote.
    fn promote(&self, seen: &Snapshot, now: Time) -> Result<Operation<'a>, Blocker> {
        let (color, mode) = match self.command {
            Command::Swap(color) => (color, Mode::Swap),
            Command::Deploy
            | Command::Redirect(_)
            | Command::Steps
            | Command::ColorCapacity
            | Command::Copy
            | Command::Rollback => (Color::Blue, Mode::Copy),
        };
        let found = plan_phases(seen, &promotion(color, mode))?;
        let phases = self.shelf.phases.get_or_init(|| found);
        let refusal = self.once(seen, || match promote::predict_promote(seen, phases, now).0 {
            Prediction::Refuse(refusal) => Some(refusal),
            Prediction::Plan(_) | Prediction::Unknown => None,
        });
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        Ok(Operation::begin(phases, now).unwrap())
    }

    /// Checks that a run's reported end is true, by the run's last look and writes.
    fn claims(&self, end: &End, seen: &Snapshot, world: &World, broken: &mut Vec<String>) {
        match end {
            End::Good { .. } => {
                let to = self.goal();
                let holds = |rule: &&crate::plan::snapshot::Rule| rule.forward.len() == 2;
                let rules = seen.balancers.iter().flatten().flatten().flat_map(|balancer| &balancer.rules);
                let apart = rules.filter(holds).find(|rule| to.is_some_and(|to| !same(split(rule), to)));
                if let Some(rule) = apart {
                    broken.push(format!(
                        "44 good: {} is, with {:?} at its last look",
                        self.name,
                        split(rule)
                    ));
                }
                let service = seen.service(Color::Green).filter(|_| self.command == Command::Deploy);
                if let Some(service) = service {
                    let primary = service.deployments[0].clone();
                    let own = oracle::healthy_of(service, Some(&primary.id));
                    if own < service.desired.max(1) {
                        broken.push(format!("12: a good deploy with {own} of {}", service.desired));
                    }
                }
            }
            End::Bad { .. } if self.midway => {}
            End::Bad { left: Left::Untouched, .. } => {
                if let Some((_, step)) = self.done.iter().find(|(_, step)| writes(step)) {
                    broken.push(format!("44 untouched: {} says so, and wrote {}", self.name, brief(step)));
                }
            }
            End::Bad { left: Left::Restored, .. } => self.restored(world, broken),
            End::Bad { left: Left::Changed | Left::Unknown, .. } => {}
        }
    }

    /// Checks that a run's reported restore equals the state before the first write.
    fn restored(&self, world: &World, broken: &mut Vec<String>) {
        let Some(found) = &self.found else { return };
        let wrote = |test: &dyn Fn(&Step) -> bool| self.done.iter().any(|(_, step)| test(step));
        for now in &world.rules {
            let arn = &now.now.arn;
            let ours = wrote(&|step| matches!(step, Step::Weights(weights) if weights.rule == *arn));
            let all = found.balancers.iter().flatten().flatten().flat_map(|balancer| &balancer.rules);
            let before = all.clone().find(|rule| rule.arn == *arn).map(split);
            // A run can't know another run's write that AWS does not show yet.
            let now = split(now.shown(world.now));
            if let Some(before) = before.filter(|before| ours && !same(*before, now)) {
                broken.push(format!("44 restored: {} says so, and {before:?} is {now:?}", self.name));
            }
        }
        for color in BOTH {
            let ours = wrote(&|step| matches!(step, Step::Update(update) if update.color == color));
            let before = found.service(color).unwrap();
            let before = (before.desired, before.deployments[0].task_definition.rsplit(':').next().unwrap());
            let now = &world.tiers[index(color)].now;
            let (count, revision) = (now.desired, now.primary().revision.to_string());
            // A count that the other run wrote last belongs to the other run.
            let own = world.sized_by[index(color)] == Some(self.name);
            let rolled = wrote(
                &|step| matches!(step, Step::Update(one) if one.color == color && one.task_definition.is_some()),
            );
            // The same for a revision, if this run wrote only counts.
            let back = (before.1 == revision || !rolled) && (before.0 == count || !own);
            if ours && !back {
                let name = self.name;
                broken.push(format!("44 restored: {name} says so, {color} {before:?} is {count} {revision}"));
            }
        }
    }

    /// The wanted split.
    pub(crate) fn goal(&self) -> Option<Split> {
        match self.command {
            Command::Deploy => None,
            Command::Redirect(to) => Some(to),
            Command::Steps | Command::ColorCapacity | Command::Swap(Color::Green) => Some(GREEN),
            Command::Swap(Color::Blue) | Command::Copy => Some(BLUE),
            Command::Rollback => self.shelf.traffic.get().map(|goal| goal.wish.to),
        }
    }
}

/// All users at green.
pub(crate) const GREEN: Split = Split { blue: 0, green: 100 };

/// All users at blue.
pub(crate) const BLUE: Split = Split { blue: 100, green: 0 };

/// Half of the users at each.
pub(crate) const HALF: Split = Split { blue: 50, green: 50 };

/// True if two splits send the same share to each color.
pub(crate) fn same(one: Split, two: Split) -> bool {
    one.blue * two.green == two.blue * one.green
}

/// Version 2 to green, with as many tasks as the live color.
fn deploy_goal() -> deploy::Goal {
    let request = Request {
        color: WantedColor::Color(Color::Green.into()),
        allow_live: false,
        probes: Vec::new(),
        listener: None,
        hosts: Hosts::default(),
    };
    deploy::Goal {
        request,
        content: content("web-green", "v6"),
        desired: Some(DesiredCount::Match),
        limits: Limits::with_timeout(TIMEOUT),
        ..sample::goal()
    }
}

/// A request for a change of traffic.
fn wish(to: Split) -> TrafficRequest {
    TrafficRequest {
        to,
        steps: Vec::new(),
        bake: Duration::from_secs(20),
        alarms: Vec::new(),
        scale_up: true,
        force: false,
        adopt: false,
        expect: None,
        settle: Duration::from_secs(20),
    }
}

/// A change of traffic.
fn traffic_goal(to: Split, command: Command) -> traffic::Goal {
    let steps = if command == Command::Steps { vec![20, 50] } else { Vec::new() };
    let force = command == Command::ColorCapacity;
    traffic::Goal {
        wish: TrafficRequest { steps, force, ..wish(to) },
        listener: None,
        timeout: TIMEOUT,
        restore_on_cancel: true,
        finish: None,
        has_next_phase: false,
        managed: None,
    }
}

/// A promote.
fn promotion(color: Color, mode: Mode) -> promote::Goal {
    let to = if color == Color::Blue { BLUE } else { GREEN };
    let max_drain = Duration::from_secs(30);
    promote::Goal {
        promotion: Promotion {
            color,
            mode,
            idle_count: 1,
            max_drain,
            per_color: Vec::new(),
            expect: None,
            traffic: wish(to),
        },
        listener: None,
        managed: None,
        bounds: None,
        limits: Limits::with_timeout(TIMEOUT),
        restore_on_cancel: true,
    }
}

/// Refusals by command and world.
type Predicted = HashMap<(String, Vec<u64>), Option<Refusal>>;

thread_local! {
    /// Predictions by command and world: playing a prediction takes longer than both runs.
    static PREDICTED: RefCell<Predicted> = RefCell::default();
}

/// All visible differences between two worlds.
fn traits(seen: &Snapshot) -> Vec<u64> {
    let mut all = Vec::with_capacity(40);
    for service in &seen.services {
        all.extend([service.desired, service.running].map(u64::from));
        if let Some(Ok(Some(bounds))) = &service.scaling {
            all.extend([bounds.min, bounds.max, u32::from(bounds.in_suspended)].map(u64::from));
        }
        for one in &service.deployments {
            let revision = one.task_definition.rsplit(':').next().unwrap().parse().unwrap();
            all.extend([revision, u64::from(one.running), one.rollout as u64]);
        }
        let (targets, tasks) = (service.targets.iter().flatten(), service.tasks.iter().flatten());
        all.extend(targets.flatten().map(|target| u64::from(target.state == "healthy")));
        let deployments = &service.deployments;
        let of = |id: &String| deployments.iter().position(|one| one.id == *id).unwrap_or(99) as u64;
        all.extend(tasks.flatten().map(|task| 1_000 + of(&task.started_by)));
    }
    let rules = seen.balancers.iter().flatten().flatten().flat_map(|balancer| &balancer.rules);
    all.extend(rules.flat_map(|rule| rule.forward.iter().map(|one| 10_000 + u64::from(one.weight))));
    all
}

/// The desired counts of blue and green.
fn counts(world: &World) -> [u32; 2] {
    BOTH.map(|color| world.tiers[index(color)].now.desired)
}

/// True if a step changes a service, a rule or a scalable target.
pub(crate) fn writes(step: &Step) -> bool {
    !matches!(step, Step::Find(_) | Step::Register(_))
}

/// A step in few words.
pub(crate) fn brief(step: &Step) -> String {
    match step {
        Step::Update(update) => {
            let revision = update.task_definition.as_ref().and_then(|arn| arn.rsplit('/').next());
            format!("{} count {:?} revision {revision:?} {:?}", update.color, update.desired, update.purpose)
        }
        Step::Weights(one) => {
            format!("{} {:?} to {:?} {:?}", one.name, one.before.percent(), one.after.percent(), one.purpose)
        }
        Step::Scaling(one) => format!(
            "{} bounds {:?}..{:?} suspended {:?} {:?}",
            one.color, one.min, one.max, one.in_suspended, one.purpose
        ),
        Step::Find(wanted) => format!("find {}", wanted.family()),
        Step::Register(wanted) => format!("register {}", wanted.family()),
        Step::Probe(_) | Step::Policy(_) | Step::Alarm(_) => format!("{step:?}"),
    }
}

/// A decision in few words.
fn short(next: &Next) -> String {
    match next {
        Next::Step(step) => brief(step),
        Next::Wait(_)
        | Next::Read(_)
        | Next::Follow(_)
        | Next::Restore(..)
        | Next::Refuse(_)
        | Next::Done(_) => {
            let whole = format!("{next:?}");
            whole.chars().take(240).collect()
        }
    }
}
