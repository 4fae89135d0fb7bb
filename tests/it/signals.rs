//! A signal at any moment: each call of each command hangs in turn, the signal comes, and the run has to be out in time,
//! with everything told that it knows, and nothing that is not true.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::common::look::wants;
use crate::common::traffic::{somebody_writes, splits};
use crate::common::{Action, COMMIT, Done, Running, stack};
use rustix::process::Signal;
use testbed::github::{GitHubEffect, GitHubFault, Level, Permissions};
use testbed::sample::Sample;
use testbed::{Effect, Fault, Testbed};

/// A token that is found in no output.
const TOKEN: &str = "ghs_Zq9PlantedGithubToken";
/// How long a run may take from the signal to its exit.
const OUT_WITHIN: Duration = Duration::from_secs(7);
/// Longer than any run lasts after a signal.
const HANGING: Duration = Duration::from_secs(25);
/// How many runs at once: they wait more than they work.
const AT_ONCE: usize = 16;

/// A command, and how its stage is set.
type Command = (&'static str, fn(&Testbed, &Sample) -> Action);

/// Every command, and the post steps of what they leave.
const COMMANDS: [Command; 6] = [
    ("deploy", |bed, sample| run(bed, "deploy").input("image", &sample.image("v2"))),
    ("redirect-traffic", |bed, _| {
        let action = run(bed, "redirect-traffic").input("traffic", "green").input("on-cancel", "restore");
        action.input("steps", "20").input("bake-time", "300ms")
    }),
    ("promote", |bed, _| run(bed, "promote").input("color", "green").input("settle", "200ms")),
    ("rollback", |bed, sample| {
        bed.world(|world| somebody_writes(world, sample, &sample.production_listener, (0, 100)));
        run(bed, "rollback")
    }),
    ("status", |bed, _| run(bed, "status")),
    ("post", post),
];

/// A run with a token and few polls.
fn run(bed: &Testbed, command: &str) -> Action {
    let with = |action: Action, (name, value): (String, String)| action.env(&name, &value);
    let action = bed.github_env().into_iter().fold(Action::new(bed, command), with);
    action.input("token", TOKEN).input("poll-interval", "700ms")
}

/// The post step of a stepped change of traffic that was killed at its first split.
fn post(bed: &Testbed, _: &Sample) -> Action {
    let main = || {
        let action = run(bed, "redirect-traffic").input("traffic", "green").input("on-cancel", "restore");
        action.input("steps", "20").input("bake-time", "1m")
    };
    let running = main().spawn();
    crate::common::look::until_called(bed, "ModifyListener", 1);
    std::thread::sleep(Duration::from_millis(300));
    running.signal(Signal::KILL);
    main().post(&running.wait().state)
}

/// The sample stack with a pull request.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    bed.world(|world| {
        let of = world.github.repository("shop", "web");
        of.commit(COMMIT).on_default_branch = false;
        of.branch("main", COMMIT);
        of.pull(7, COMMIT, "main", "trunk");
        world.github.token("job", TOKEN, Permissions::all(Level::Write));
    });
    (bed, sample)
}

/// What hangs.
#[derive(Clone, Debug)]
enum Hangs {
    /// The answer to the nth call of this operation of AWS, counted from 1.
    Aws(String, u32),
    /// The answer to this request of GitHub.
    GitHub(u32),
}

/// Lets the answer hang; the channel tells when it does.
fn hang(bed: &Testbed, which: &Hangs) -> Receiver<()> {
    let (tell, told) = channel();
    let note = move || {
        let _ = tell.send(());
    };
    match which {
        Hangs::Aws(operation, nth) => {
            let on = |effect| Fault::on(operation, effect).nth(*nth..=*nth);
            bed.fault(on(Effect::Stall(HANGING)));
            bed.fault(on(Effect::Before(Box::new(move |_| note()))));
        }
        Hangs::GitHub(nth) => {
            bed.github_fault(GitHubFault::nth_call(*nth, GitHubEffect::Stall(HANGING)));
            bed.github_fault(GitHubFault::nth_call(*nth, GitHubEffect::Before(Box::new(move |_| note()))));
        }
    }
    told
}

/// What the command calls undisturbed: how often each operation of AWS, and how many requests of GitHub.
fn counted((_, action): Command) -> (BTreeMap<String, u32>, u32) {
    let (bed, sample) = stage();
    let action = action(&bed, &sample);
    bed.clear_calls();
    bed.clear_github_calls();
    let done = action.run();
    assert_eq!(bed.violations(), [], "{}", done.log);
    let mut operations = BTreeMap::new();
    bed.calls().into_iter().for_each(|call| *operations.entry(call.operation).or_default() += 1);
    (operations, u32::try_from(bed.github_calls().len()).expect("few requests"))
}

/// The run while this hangs; none when it ended before. Tells what is wrong with its end.
fn struck((name, action): Command, which: &Hangs) -> Option<Result<(), String>> {
    let (bed, sample) = stage();
    let first = state(&bed, &sample);
    let action = action(&bed, &sample);
    // A post step restores the state before the run that it follows.
    let found = if name == "post" { first } else { state(&bed, &sample) };
    bed.clear_calls();
    let told = hang(&bed, which);
    let running = action.spawn();
    if told.recv_timeout(Duration::from_secs(20)) == Err(RecvTimeoutError::Timeout) {
        drop(running.wait());
        return None;
    }
    Some(
        judged(&bed, running, || (found.clone(), state(&bed, &sample)))
            .map_err(|what| format!("{name}, {which:?}: {what}")),
    )
}

/// What users are served by.
fn state(bed: &Testbed, sample: &Sample) -> (Vec<String>, [String; 2]) {
    (splits(bed, sample), ["web-blue", "web-green"].map(|service| wants(bed, service)))
}

/// Sends the signal, and tells what is wrong with the end.
fn judged<T: PartialEq + std::fmt::Debug>(
    bed: &Testbed,
    running: Running,
    states: impl Fn() -> (T, T),
) -> Result<(), String> {
    running.signal(Signal::TERM);
    let sent = Instant::now();
    let done = running.wait();
    let took = sent.elapsed();
    let wrong = |what: &str| Err(format!("{what} after {took:?}, {:?}\n{}", done.verdict(), done.log));
    if took > OUT_WITHIN {
        return wrong("out too late");
    }
    if done.output("result").is_empty() || done.summary.is_empty() {
        return wrong("nothing told");
    }
    let (found, now) = states();
    let writes = bed.writes().iter().any(|call| call.operation != "RegisterTaskDefinition");
    match done.output("left") {
        "untouched" if writes && found != now => wrong(&format!("untouched, but {found:?} became {now:?}")),
        "restored" if found != now => wrong(&format!("restored, but {found:?} became {now:?}")),
        _ => ended_well(&done).or_else(|what| wrong(&what)),
    }
}

/// A cancelled run says so; one that had reached its goal before may say that.
fn ended_well(done: &Done) -> Result<(), String> {
    match done.verdict() {
        (1, "cancelled", "cancelled", _) | (0, "succeeded" | "unchanged", "", _) => Ok(()),
        _ => Err("an odd end".to_owned()),
    }
}

/// Lets each of these hang in turn, and asserts that every end is good.
fn all_end(cases: Vec<(Command, Hangs)>) {
    let (total, next) = (cases.len(), Mutex::new(cases.into_iter()));
    let (wrong, reached) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::<&str, usize>::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let case = next.lock().expect("a lock").next();
                    let Some((command, which)) = case else { break };
                    let Some(end) = struck(command, &which) else { continue };
                    *reached.lock().expect("a lock").entry(command.0).or_default() += 1;
                    wrong.lock().expect("a lock").extend(end.err());
                }
            });
        }
    });
    let (wrong, reached) = (wrong.into_inner().expect("a lock"), reached.into_inner().expect("a lock"));
    println!("{total} calls hung, reached: {reached:?}");
    assert!(wrong.is_empty(), "{} ends are wrong:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(reached.values().sum::<usize>() * 10 >= total * 8, "too few calls were reached: {reached:?}");
}

/// These calls of every command, by how often an operation is called.
fn calls(which: fn(u32) -> Vec<u32>) -> Vec<(Command, Hangs)> {
    let mut cases = Vec::new();
    for command in COMMANDS {
        for (operation, times) in counted(command).0 {
            let hangs = |nth| (command, Hangs::Aws(operation.clone(), nth));
            cases.extend(which(times).into_iter().map(hangs));
        }
    }
    cases
}

#[test]
fn invariant_41_a_signal_ends_each_command_in_time_while_a_first_or_last_call_of_aws_hangs() {
    all_end(calls(|times| if times == 1 { vec![1] } else { vec![1, times] }));
}

#[test]
#[ignore = "takes minutes"]
fn invariant_41_a_signal_ends_each_command_in_time_while_any_call_of_aws_hangs() {
    all_end(calls(|times| (1..=times).collect()));
}

#[test]
fn invariant_41_a_signal_ends_each_command_in_time_while_a_request_of_github_hangs() {
    let of = |command: Command| (1..=counted(command).1).map(move |nth| (command, Hangs::GitHub(nth)));
    all_end(COMMANDS.into_iter().flat_map(of).collect());
}
