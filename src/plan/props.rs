//! Properties of a deploy over random states and a small random AWS: whatever it does, these hold.

use std::time::Duration;

use proptest::prelude::*;

use super::admit::Request;
use super::color::Color;
use super::deploy::{Goal, next};
use super::run::{Answer, Run};
use super::sample::{T0, arn, balancer, content, deployment, snapshot, target, tasks, trouble};
use super::snapshot::{Breaker, Deployment, Revision, Rollout, Service, Snapshot};
use super::step::{End, Left, Next, Purpose, Step, Update};
use super::trouble::{Read, TroubleKind};
use super::verdict::Limits;
use super::wanted::WantedColor;

/// What the small AWS does with a deployment of the new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Complete and healthy.
    Good,
    /// Complete, and never healthy.
    Sick,
    /// Ended by the circuit breaker, and left to us.
    Broken,
    /// Ended by the circuit breaker, and rolled back by AWS.
    RolledBack,
    /// Never moves.
    Stuck,
    /// Somebody else's deployment takes over.
    Overtaken,
}

/// A small AWS with one service that matters.
#[derive(Clone, Debug)]
struct World {
    /// What stands.
    seen: Snapshot,
    /// What happens to a new version.
    fate: Fate,
    /// Each update, as it was asked for.
    updates: Vec<Update>,
}

impl World {
    /// The green service.
    fn green(&mut self) -> &mut Service {
        &mut self.seen.services[1]
    }

    /// The service after a deployment of a revision that goes well, or does not.
    fn roll(&mut self, number: usize, revision: &str, fate: Fate) {
        let green = self.green();
        let (rollout, state) = match fate {
            Fate::Good => (Rollout::Completed, "healthy"),
            Fate::Sick => (Rollout::Completed, "unhealthy"),
            Fate::Broken | Fate::RolledBack => (Rollout::Failed, "unhealthy"),
            Fate::Stuck | Fate::Overtaken => (Rollout::InProgress, "initial"),
        };
        let created = T0.after(Duration::from_secs(u64::try_from(number).unwrap_or(1)));
        let own =
            Deployment { rollout, created, ..deployment(&format!("d{number}"), revision, green.desired) };
        green.tasks = Some(Ok(tasks(&own, green.desired, 11)));
        green.targets = Some(Ok((11..11 + green.desired).map(|number| target(number, state)).collect()));
        green.running = green.desired;
        green.deployments = vec![own];
        green.task_definition = revision.to_owned();
        green.history = Some(Ok(Vec::new()));
    }

    /// UpdateService.
    fn update(&mut self, update: &Update) -> Service {
        self.updates.push(update.clone());
        let number = self.updates.len() + 1;
        let green = self.green();
        green.desired = update.desired.unwrap_or(green.desired);
        let revision = update.task_definition.clone().unwrap_or_else(|| green.task_definition.clone());
        let fate = if update.purpose == Purpose::Restore { Fate::Good } else { self.fate };
        self.roll(number, &revision, fate);
        let answer = self.green().clone();
        match fate {
            Fate::RolledBack => self.roll(number + 100, &arn("web-green:1"), Fate::Good),
            Fate::Overtaken => self.roll(number + 100, &arn("web-green:77"), Fate::Good),
            Fate::Good | Fate::Sick | Fate::Broken | Fate::Stuck => {}
        }
        answer
    }
}

/// A goal: which content, whether live is allowed, whether a deployment is forced.
fn goal(version: &str, allow_live: bool, force: bool) -> Goal {
    Goal {
        request: Request {
            color: WantedColor::Color(Color::Green),
            allow_live,
            probes: false,
            listener: None,
        },
        color: Color::Green,
        content: content("web-green", version),
        revision: None,
        force,
        desired: None,
        limits: Limits::with_timeout(Duration::from_secs(600)),
        restore_on_cancel: true,
    }
}

/// Drives to the end, ten seconds a look; every `hidden`-th look is not answered.
fn drive(world: &mut World, goal: &Goal, hidden: usize) -> Next {
    let mut run = Run::begin(T0);
    for turn in 0..500_usize {
        let now = T0.after(Duration::from_secs(10 * u64::try_from(turn).unwrap_or_default()));
        let silent = hidden > 1 && turn % hidden == hidden - 1;
        let seen: Read<Snapshot> =
            if silent { Err(trouble(TroubleKind::Throttled)) } else { Ok(world.seen.clone()) };
        if let Ok(snapshot) = &seen {
            run.saw(snapshot, goal);
        }
        match next(&seen, goal, &run, now) {
            Next::Look(_) => world.green().history = Some(Ok(Vec::new())),
            Next::Wait(_) => run.waited(),
            Next::Follow(follow) => run.follow(follow),
            Next::Turn(failing, recovery) => run.turn(failing, recovery, now),
            Next::Step(step) => {
                if let Step::Update(update) = &step {
                    run.before_update(&world.seen.services[1], update);
                }
                let answer = match &step {
                    Step::Find { .. } => Answer::Found(None),
                    Step::Register { .. } => Answer::Registered(arn("web-green:2")),
                    Step::Probe => Answer::Probed(Ok(())),
                    Step::Update(update) => Answer::Updated(Box::new(world.update(update))),
                };
                run.answered(&step, Ok(answer), now);
            }
            end @ (Next::Done(_) | Next::Refuse(_)) => return end,
        }
    }
    panic!("it never ends: {run:?}")
}

/// A random fate.
fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Good),
        Just(Fate::Sick),
        Just(Fate::Broken),
        Just(Fate::RolledBack),
        Just(Fate::Stuck),
        Just(Fate::Overtaken),
    ]
}

/// A random world: weights, count, room, breaker and how the color stands.
fn world() -> impl Strategy<Value = World> {
    let weights = (0..3_u32, 0..3_u32).prop_filter("some weight", |(blue, green)| blue + green > 0);
    let setup = (prop_oneof![Just(0_u32), Just(50), Just(100)], prop_oneof![Just(100_u32), Just(200)]);
    let breaker = prop_oneof![Just(None), Just(Some(false)), Just(Some(true))];
    let stands = prop_oneof![Just(Fate::Good), Just(Fate::Sick), Just(Fate::Broken)];
    (weights, 0..5_u32, setup, breaker, stands, fate()).prop_map(
        |((blue, green), desired, (minimum, maximum), breaker, stands, fate)| {
            let mut world = World { seen: snapshot(), fate, updates: Vec::new() };
            world.seen.balancers = Some(Ok(vec![balancer(blue, green)]));
            world.green().desired = desired;
            world.roll(0, &arn("web-green:1"), stands);
            let service = world.green();
            service.deployments[0].created = super::time::Time(T0.0 - 3_600_000);
            (service.setup.minimum_percent, service.setup.maximum_percent) = (minimum, maximum);
            service.setup.breaker = breaker.map(|rollback| Breaker { rollback, threshold: None });
            let revision = Revision {
                arn: arn("web-green:1"),
                active: true,
                content: content("web-green", "v1"),
                tags: Vec::new(),
            };
            service.definition = Some(Ok(revision));
            world
        },
    )
}

proptest! {
    #[test]
    fn a_deploy_ends_and_says_what_is_so(
        mut world in world(),
        version in prop_oneof![Just("v1"), Just("v2")],
        allow_live: bool,
        force: bool,
        hidden in 0..4_usize,
    ) {
        let before = world.seen.clone();
        let green = &before.services[1];
        let live = matches!(&before.balancers, Some(Ok(all)) if all[0].rules[0].forward[1].weight > 0);
        let goal = goal(version, allow_live, force);
        let end = drive(&mut world, &goal, hidden);
        let now = &world.seen.services[1];

        // 11: a live color is not deployed to, unless the user said so.
        prop_assert!(allow_live || !live || world.updates.is_empty(), "{end:?}");
        // 13: at most one way forward and one way back; a rollback by AWS is not done twice.
        let restores = world.updates.iter().filter(|update| update.purpose == Purpose::Restore).count();
        prop_assert!(world.updates.len() - restores <= 1 && restores <= 1, "{:?}", world.updates);
        match &end {
            // 12: success has a healthy target for each task, and one at least.
            Next::Done(End::Good { changed, healthy }) => {
                prop_assert!(*healthy >= now.desired.max(1));
                prop_assert_eq!(*changed, !world.updates.is_empty());
                let wanted = if version == "v1" { arn("web-green:1") } else { arn("web-green:2") };
                prop_assert_eq!(&now.task_definition, &wanted);
            }
            Next::Done(End::Bad { left: Left::Untouched, .. }) => prop_assert!(world.updates.is_empty()),
            Next::Done(End::Bad { left: Left::Restored, .. }) => {
                prop_assert_eq!(&now.task_definition, &green.task_definition);
                prop_assert_eq!(now.desired, green.desired);
            }
            Next::Done(End::Bad { left: Left::Changed, .. }) => prop_assert!(!world.updates.is_empty()),
            Next::Refuse(_) => prop_assert!(world.updates.is_empty()),
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
