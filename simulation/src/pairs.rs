//! Two parallel runs over one world (invariant 44). Every pair of commands acts through the real decisions, in many
//! schedules: the unit is a read, a write, an answer, or passing time.
//!
//! A schedule is replayed with a readable trace by `PAIRS_SEED=N`, see CONTRIBUTING.md.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::actor::{Actor, BLUE, Command, Ending, GREEN, HALF, Seen, Shelf, Wire, same};
use crate::oracle;
use crate::plan::color::{Color, Split};
use crate::plan::step::{End, Step, Weights};
use crate::sample::T0;
use crate::world::{self, Start, World, index};

/// More actions than any two runs take.
const MOST: u32 = 20_000;

/// Longer than two runs take: each part of a run has its time-out of two minutes, and so has its way back.
const LONGEST: Duration = Duration::from_secs(900);

/// Every command.
const COMMANDS: [Command; 9] = [
    Command::Deploy,
    Command::Redirect(GREEN),
    Command::Redirect(HALF),
    Command::Steps,
    Command::ColorCapacity,
    Command::Swap(Color::Green),
    Command::Swap(Color::Blue),
    Command::Copy,
    Command::Rollback,
];

/// Every pair, including the same command twice.
fn pairs() -> Vec<(Command, Command)> {
    let all = COMMANDS.iter().enumerate();
    all.flat_map(|(at, one)| COMMANDS[at..].iter().map(move |two| (*one, *two))).collect()
}

/// Numbers that a seed determines (SplitMix64).
struct Dice(u64);

impl Dice {
    /// A number of `0..sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }

    /// A random element.
    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.roll(u64::try_from(all.len()).unwrap())).unwrap()]
    }
}

/// The next turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// This run.
    Run(usize),
    /// Time passes.
    Time(Duration),
}

/// Decides about the next turn.
trait Schedule {
    /// The next turn, among the ready runs: the list is never empty.
    fn turn(&mut self, ready: &[usize], more: bool) -> Turn;

    /// Fate of a write's answer.
    fn wire(&mut self) -> Wire;
}

/// A schedule by a seed.
struct Random {
    /// The random numbers.
    dice: Dice,
    /// Chance in percent that the same run continues.
    sticks: u64,
    /// Chance in percent that an answer is lost.
    loses: u64,
    /// The run that acted last.
    last: usize,
}

impl Schedule for Random {
    fn turn(&mut self, ready: &[usize], more: bool) -> Turn {
        let stays = self.dice.roll(100) < self.sticks;
        if ready.contains(&self.last) && stays {
            return Turn::Run(self.last);
        }
        if more && self.dice.roll(4) == 0 {
            return Turn::Time(Duration::from_millis(self.dice.pick(&[100, 1_000, 3_000])));
        }
        self.last = self.dice.pick(ready);
        Turn::Run(self.last)
    }

    fn wire(&mut self) -> Wire {
        if self.dice.roll(100) >= self.loses {
            return Wire::Fine;
        }
        self.dice.pick(&[Wire::LostBefore, Wire::LostAfter])
    }
}

/// A world and a schedule by a seed.
fn of_seed(seed: u64) -> (Start, Random) {
    let mut dice = Dice(seed);
    let seconds = |dice: &mut Dice, all: &[u64]| Duration::from_secs(dice.pick(all));
    let start = Start {
        split: dice.pick(&[BLUE, BLUE, HALF, GREEN]),
        rules: dice.pick(&[1, 1, 2]),
        counts: dice.pick(&[[4, 4], [4, 4], [4, 1], [1, 4]]),
        scaling: dice.pick(&[None, Some(false), Some(true)]),
        rule_lag: seconds(&mut dice, &[0, 0, 0, 1, 3]),
        service_lag: seconds(&mut dice, &[0, 0, 0, 1, 3]),
        start: seconds(&mut dice, &[0, 2, 9]),
        bad: dice.roll(6) == 0,
        // Dice of their own, so that a seed means the schedule that it always meant.
        foreign: Dice(seed ^ 0x37).pick(&[[0, 0], [0, 0], [0, 4], [4, 4]]),
    };
    // Users have enough tasks before either run.
    let counts = match (start.split.is_live(Color::Blue), start.split.is_live(Color::Green)) {
        (true, true) => [4, 4],
        (true, false) if start.counts[0] < 4 => [4, 1],
        (false, true) if start.counts[1] < 4 => [1, 4],
        (true | false, true | false) => start.counts,
    };
    let (sticks, loses) = (dice.pick(&[0, 50, 80, 95]), dice.pick(&[0, 0, 3, 15]));
    (Start { counts, ..start }, Random { dice, sticks, loses, last: 0 })
}

/// The outcome of two runs.
pub(crate) struct Outcome {
    /// The broken rules.
    pub(crate) broken: Vec<String>,
    /// The events, in order.
    pub(crate) trace: Vec<String>,
}

/// Plays two runs over a world, followed by a rest.
fn play(pair: (Command, Command), start: Start, schedule: &mut dyn Schedule, traced: bool) -> Outcome {
    let shelves = [Shelf::default(), Shelf::default()];
    let mut world = World::new(start, T0);
    world.pass(Duration::from_secs(5));
    let mut runs =
        [Actor::new('A', pair.0, &shelves[0], world.now), Actor::new('B', pair.1, &shelves[1], world.now)];
    let (mut broken, mut trace) = (Vec::new(), Vec::new());
    let began = world.now;
    if traced {
        runs.iter_mut().for_each(|run| run.traced = true);
        trace.push(format!("{pair:?} {start:?}"));
    }
    for number in 0..MOST {
        let open: Vec<usize> = (0..2).filter(|run| runs[*run].ending.is_none()).collect();
        let Some(next) = open.iter().map(|run| runs[*run].wakes).min() else { break };
        let ready: Vec<usize> = open.iter().copied().filter(|run| runs[*run].wakes <= world.now).collect();
        if ready.is_empty() {
            world.pass(next.since(world.now));
            continue;
        }
        match schedule.turn(&ready, ready.len() < open.len()) {
            Turn::Time(time) => world.pass(time),
            Turn::Run(run) => {
                let wire = if runs[run].is_writing() { schedule.wire() } else { Wire::Fine };
                let from = broken.len();
                let what = runs[run].act(&mut world, (number, wire), &mut broken);
                if traced {
                    trace.push(line(&world, &runs[run], &what, &broken[from..]));
                }
            }
        }
    }
    if world.now.since(began) > LONGEST {
        broken.push(format!("40: the runs take {} s", world.now.since(began).as_secs()));
    }
    broken.extend(runs.iter().flat_map(|run| oracle::repeats(run.name, &run.sent)));
    world.pass(Duration::from_secs(120));
    broken.extend(oracle::served(&world));
    reports(&runs, &mut broken);
    if traced {
        trace.push(format!("both ended; {}", state(&world)));
    }
    Outcome { broken, trace }
}

/// A line of a trace.
fn line(world: &World, run: &Actor<'_>, what: &str, broken: &[String]) -> String {
    let seconds = world.now.since(T0).as_millis();
    let broken = broken.iter().map(|one| format!(" !! {one}")).collect::<String>();
    format!("{seconds:>7} ms {} {what} [{}]{broken}", run.name, state(world))
}

/// The world in few words.
fn state(world: &World) -> String {
    let rules: Vec<_> = world.rules.iter().map(|rule| world::split(&rule.now).percent()).collect();
    let of = |color| {
        let tier = &world.tiers[index(color)].now;
        let bounds = tier.scaling.map(|one| (one.min, one.max, one.in_suspended));
        format!("{}/{} r{} {bounds:?}", tier.healthy(world.now), tier.desired, tier.primary().revision)
    };
    format!("{rules:?} blue {} green {}", of(Color::Blue), of(Color::Green))
}

/// Both runs ended, and at least one reports the other's change if each look showed such a change.
fn reports(runs: &[Actor<'_>; 2], broken: &mut Vec<String>) {
    for run in runs {
        if matches!(run.ending, None | Some(Ending::Never)) {
            broken.push(format!("40: {} does not end", run.name));
        }
        let good = matches!(run.ending, Some(Ending::End(End::Good { changed: true, .. })));
        if good && run.command == Command::Deploy && run.saw_live {
            broken
                .push(format!("44 live-color: {} deploys, and does not say that green got users", run.name));
        }
    }
    let good = |run: &Actor<'_>| matches!(run.ending, Some(Ending::End(End::Good { .. })));
    if !runs.iter().all(good) {
        return;
    }
    // A run moved users away from the other run's wanted split at that time, and the other run saw the move: a write
    // that AWS does not show before the last look can't be reported, nor a write to a copy's temporary split.
    let saw_away = |by: &Actor<'_>, other: &Actor<'_>| {
        let Some((first, _)) = other.span else { return false };
        by.done.iter().filter(|(number, _)| first < *number).any(|(number, step)| {
            let Step::Weights(one) = step else { return false };
            let away = other.aim(*number).is_some_and(|to| !same(one.after, to));
            let shows = |seen: &Seen| {
                let of = |(arn, split): &(String, Split)| *arn == one.rule && same(*split, one.after);
                // Weights that the other run wrote itself since then do not count.
                let own = other.done.iter().any(|(at, step)| {
                    let same_write =
                        |awaited: &Weights| awaited.rule == one.rule && same(awaited.after, one.after);
                    *at < seen.number && matches!(step, Step::Weights(awaited) if same_write(awaited))
                });
                seen.number > *number && !own && seen.rules.iter().any(of)
            };
            away && !same(one.after, one.before) && other.seen.iter().any(shows)
        })
    };
    let apart = runs[0].goal().zip(runs[1].goal()).is_some_and(|(one, two)| !same(one, two));
    if apart && (saw_away(&runs[0], &runs[1]) || saw_away(&runs[1], &runs[0])) {
        broken.push(
            "44 reports: both are good, and one saw the other move users away from its goal".to_owned(),
        );
    }
}

/// Rules that a schedule breaks, by number.
fn kinds(broken: &[String]) -> BTreeSet<&str> {
    broken.iter().map(|one| one.split(':').next().unwrap()).collect()
}

/// The findings of a search: by pair and rule, the number of cases, the first seed, and the reason.
pub(crate) type Found = BTreeMap<(String, String), (u64, u64, String)>;

/// Plays many schedules of every pair, those whose number leaves this rest: how often which rule broke, of those whose name
/// begins with `rule`.
pub(crate) fn search(numbers: impl Iterator<Item = u64> + Clone, rule: &str) -> Found {
    let mut found = Found::new();
    for (at, pair) in pairs().into_iter().enumerate() {
        for number in numbers.clone() {
            let seed = number * 1_000 + u64::try_from(at).unwrap();
            let (start, mut schedule) = of_seed(seed);
            let outcome = play(pair, start, &mut schedule, false);
            for kind in kinds(&outcome.broken).into_iter().filter(|kind| kind.starts_with(rule)) {
                let why = outcome.broken.iter().find(|one| one.starts_with(kind)).unwrap();
                let key = (format!("{pair:?}"), kind.to_owned());
                found.entry(key).or_insert((0, seed, why.clone())).0 += 1;
            }
        }
    }
    found
}

/// A single schedule by seed, with a trace.
pub(crate) fn replay(seed: u64) -> Outcome {
    let pair = pairs()[usize::try_from(seed % 1_000).unwrap()];
    let (start, mut schedule) = of_seed(seed);
    play(pair, start, &mut schedule, true)
}

/// One run acts until the other's action with this number, then the other run to its end, then the first again.
struct Preempt {
    /// The run that begins.
    first: usize,
    /// Number of actions before the other run.
    after: u32,
}

impl Schedule for Preempt {
    fn turn(&mut self, ready: &[usize], more: bool) -> Turn {
        let other = 1 - self.first;
        if self.after > 0 && ready.contains(&self.first) {
            self.after -= 1;
            return Turn::Run(self.first);
        }
        if ready.contains(&other) {
            return Turn::Run(other);
        }
        // The other run waits: time passes until that run is ready again or has ended.
        if more { Turn::Time(Duration::from_secs(1)) } else { Turn::Run(self.first) }
    }

    fn wire(&mut self) -> Wire {
        Wire::Fine
    }
}

/// Every point at which one run can be overtaken by the whole other run: the errors, schedules, and states.
pub(crate) fn overtake() -> (Vec<String>, usize, usize) {
    let (mut schedules, mut states, mut wrong) = (0, BTreeSet::new(), Vec::new());
    let start = Start { split: BLUE, rules: 1, counts: [4, 4], scaling: None, bad: false, ..of_seed(0).0 };
    for pair in pairs() {
        for (first, scaling) in [(0, None), (1, None), (0, Some(false)), (1, Some(false))] {
            let start = Start { scaling, start: Duration::ZERO, ..start };
            let start = Start { rule_lag: Duration::ZERO, service_lag: Duration::ZERO, ..start };
            for after in 0..60 {
                let outcome = play(pair, start, &mut Preempt { first, after }, true);
                schedules += 1;
                if !outcome.broken.is_empty() {
                    wrong.push(format!("{:#?}\n{}", outcome.broken, outcome.trace.join("\n")));
                }
                states.extend(
                    outcome.trace.into_iter().map(|line| line[line.find("ms").unwrap_or(0)..].to_owned()),
                );
            }
        }
    }
    (wrong, schedules, states.len())
}
