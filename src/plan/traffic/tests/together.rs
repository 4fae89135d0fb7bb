//! Rules of one change that are written at the same time: which ones, and what becomes of it if some writes fail.

use super::*;
use crate::plan::aws_error::AwsError;
use crate::plan::operation::TrafficOperation;

/// Ports of the production listeners.
const PORTS: [u16; 4] = [80, 443, 8443, 9443];

/// What becomes of one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// AWS takes it.
    Taken,
    /// AWS takes it, and no answer comes.
    LostAfter,
    /// It does not reach AWS, and no answer comes.
    LostBefore,
    /// AWS does not take it for now.
    Throttled,
    /// AWS refuses it.
    Denied,
}

impl Fault {
    /// All of them.
    const ALL: [Fault; 5] =
        [Fault::Taken, Fault::LostAfter, Fault::LostBefore, Fault::Throttled, Fault::Denied];

    /// The answer that the run gets.
    fn answer(self) -> Result<Answer, AwsError> {
        match self {
            Fault::Taken => Ok(Answer::Changed),
            Fault::LostAfter | Fault::LostBefore => {
                Err(AwsError { effect_unknown: true, ..trouble(AwsErrorKind::Unreachable) })
            }
            Fault::Throttled => Err(trouble(AwsErrorKind::Throttled)),
            Fault::Denied => Err(trouble(AwsErrorKind::Denied)),
        }
    }

    /// Whether AWS holds the new weights.
    fn has_effect(self) -> bool {
        matches!(self, Fault::Taken | Fault::LostAfter)
    }
}

/// Four production rules at this split.
fn four(blue: u32, green: u32) -> Snapshot {
    let mut seen = world(blue, green);
    rules(&mut seen)[0].rules = PORTS.map(|port| production(port, blue, green)).to_vec();
    seen
}

/// The steps that may be done at the same time as the one that is next.
fn ahead(ride: &mut Ride, most: usize) -> Vec<Step> {
    let Next::Step(step) = ride.next() else { return Vec::new() };
    let moving = TrafficOperation { goal: &ride.goal, run: ride.run.clone() };
    moving.ahead(&step, &ride.seen, (most, ride.now))
}

/// Sends the steps that are next at the same time; each write has its fate.
fn send(ride: &mut Ride, fates: &[Fault]) {
    let steps = ahead(ride, fates.len());
    let seen = ride.seen.clone();
    steps.iter().for_each(|step| ride.run.before(step, &seen, &ride.goal));
    for (step, fate) in steps.iter().zip(fates) {
        if let (Step::Weights(weights), true) = (step, fate.has_effect()) {
            let held =
                rules(&mut ride.seen)[0].rules.iter_mut().find(|rule| rule.arn == weights.rule).unwrap();
            *held = production(held.port, weights.after.blue, weights.after.green);
        }
    }
    steps
        .iter()
        .zip(fates)
        .for_each(|(step, fate)| ride.run.answered(step, &fate.answer(), &ride.goal, ride.now));
}

/// The end of the run, with at most so many decisions a second apart.
fn end(ride: &mut Ride) -> String {
    for _ in 0..200 {
        let told = ride.later(1).go();
        if ["good", "restored", "changed", "untouched", "unknown"].iter().any(|word| told.starts_with(word)) {
            return told;
        }
    }
    panic!("it does not end")
}

/// The splits of all rules.
fn held(ride: &mut Ride) -> Vec<(u32, u32)> {
    let weight = |rule: &Rule, group: &str| {
        rule.forward.iter().find(|one| one.group == group).map_or(0, |one| one.weight)
    };
    rules(&mut ride.seen)[0]
        .rules
        .iter()
        .map(|rule| (weight(rule, "tg-blue"), weight(rule, "tg-green")))
        .collect()
}

#[test]
fn rules_are_written_at_once_as_they_would_be_one_after_the_other() {
    let stepped = wish(goal(0, 100), |wish| wish.steps = vec![20]);
    for (seen, goal) in [(four(100, 0), goal(0, 100)), (four(100, 0), stepped), (four(50, 50), goal(80, 20))]
    {
        let at_once = ahead(&mut Ride::new(seen.clone(), goal.clone()), 10);
        let mut ride = Ride::new(seen, goal);
        let each: Vec<String> = PORTS.iter().map(|_| ride.go()).collect();
        assert_eq!(at_once.iter().map(short).collect::<Vec<_>>(), each);
    }
    assert_eq!(ahead(&mut Ride::new(four(100, 0), goal(0, 100)), 3).len(), 3, "no more than asked for");
    let mut small = four(100, 0);
    tasks(&mut small, Color::Green, 1, 1, "");
    assert_eq!(ahead(&mut Ride::new(small, goal(0, 100)), 10).len(), 1, "a count is alone");
}

#[test]
fn a_group_is_brought_in_before_any_weight_of_the_same_change() {
    let mut seen = four(100, 0);
    let lone = json!([{"Type": "forward", "TargetGroupArn": "tg-blue"}]);
    let one = |port| Rule { whole: lone.clone().into(), ..rule(port, None, &[("tg-blue", 1)]) };
    rules(&mut seen)[0].rules[..2].clone_from_slice(&[one(80), one(443)]);
    let goal = wish(Goal { listener: None, ..goal(80, 20) }, |wish| wish.adopt = true);
    let named = crate::plan::wanted::ListenerChoice::Port { protocol: None, port: 80 };
    let goal = Goal { listener: Some(named), ..goal };
    let all: Vec<String> = ahead(&mut Ride::new(seen, goal), 10).iter().map(short).collect();
    assert!(all.iter().all(|step| step.ends_with(" blue")), "{all:?}");
}

#[test]
fn invariant_08_writes_at_once_end_at_the_goal_or_back_whatever_becomes_of_each() {
    for one in Fault::ALL {
        for two in Fault::ALL {
            for three in Fault::ALL {
                let fates = [one, two, three];
                let mut ride = Ride::new(four(100, 0), goal(0, 100));
                send(&mut ride, &fates);
                let told = end(&mut ride);
                let denied = fates.contains(&Fault::Denied);
                let wanted = if denied { (100, 0) } else { (0, 100) };
                assert_eq!(held(&mut ride), [wanted; 4], "{fates:?}: {told}");
                let touched = fates.iter().any(|fate| fate.has_effect());
                let word = match (denied, touched) {
                    (false, _) => "good true",
                    (true, true) => "restored RestoredByRun",
                    (true, false) => "untouched NothingChanged",
                };
                assert_eq!(told, word, "{fates:?}");
            }
        }
    }
}

#[test]
fn invariant_35_each_of_several_writes_without_an_answer_is_waited_for() {
    let mut ride = Ride::new(four(100, 0), goal(0, 100));
    send(&mut ride, &[Fault::LostBefore, Fault::Taken, Fault::LostAfter]);
    assert_eq!(ride.run.memory.unanswered.len(), 2);
    assert_eq!([ride.go(), ride.later(9).go()], ["UnansweredWrite", "UnansweredWrite"]);
    assert_eq!(ride.run.memory.unanswered.len(), 1, "the one that shows is known");
    assert_eq!([ride.later(1).go(), ride.go()], ["HTTP:80 default green", "HTTP:9443 default green"]);
    assert_eq!(end(&mut ride), "good true");
}
