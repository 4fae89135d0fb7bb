//! The acts that move users: in steps by hand, and back from a version with errors.

use super::stage::{Run, Stage};
use super::tally::{Answer, Expected, Tally};
use std::io;
use std::time::Duration;

/// Time to count users after a shift.
const WINDOW: Duration = Duration::from_secs(1);
/// Largest deviation in percentage points between the users' split and the weights: there are few users.
const LEEWAY: f64 = 5.0;

/// A change of traffic.
pub(super) struct Shift<'a> {
    /// The run that changes traffic.
    pub(super) run: Run<'a>,
    /// The versions of blue and green during the change.
    pub(super) versions: [&'a str; 2],
    /// The weights of blue and green at the end.
    pub(super) to: [u32; 2],
}

/// Moves users: meanwhile, both colors may answer; after the load balancer's delay, only colors with weight.
///
/// # Errors If the action can't be started or does not finish in time.
pub(super) async fn shift(stage: &mut Stage, shift: &Shift<'_>) -> io::Result<()> {
    let [blue, green] = answers(shift);
    stage.users.expect(Expected { good: vec![blue, green], bad: None });
    stage.run(&shift.run).await?;
    arrived(stage, shift).await;
    Ok(())
}

/// The expected answers of blue and green.
fn answers(shift: &Shift<'_>) -> [Answer; 2] {
    let [blue, green] = shift.versions;
    [Answer::new("blue", blue), Answer::new("green", green)]
}

/// Checks that users meet the weights: first the load balancer's weights, then the users' answers.
pub(super) async fn arrived(stage: &mut Stage, shift: &Shift<'_>) {
    stage.propagated().await;
    let live = answers(shift).into_iter().zip(shift.to).filter(|(_, weight)| *weight > 0);
    stage.users.expect(Expected { good: live.map(|(answer, _)| answer).collect(), bad: None });
    let ([blue, green], name) = (shift.to, shift.run.name);
    let weights = stage.weights();
    let wanted = format!("blue {blue}, green {green}");
    stage.checks.equal(&format!("{name}: the split that users meet"), &weights, &wanted);
    let before = stage.users.numbers()();
    tokio::time::sleep(WINDOW).await;
    let now = stage.users.numbers()();
    let share = now.share(&before, "green");
    stage.screen.aside(&format!(
        "Users now: {} see blue, {} see green.",
        part(share.map(|share| 100.0 - share)),
        part(share)
    ));
    let near = share.is_some_and(|share| (share - f64::from(green)).abs() <= LEEWAY);
    let sentence = format!("{name}: about {green} % of the users see green");
    stage.checks.holds(&sentence, near, &format!("{} do", part(share)));
}

/// A part in words.
fn part(share: Option<f64>) -> String {
    share.map_or_else(|| "none".to_owned(), |share| format!("{share:.0} %"))
}

/// `redirect-traffic` from v1 on blue to v2 on green, in three runs.
pub(super) async fn to_green(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 4: move the users to v2");
    stage.screen.tell(
        "`redirect-traffic` moves users between the colors: a fifth of them first, then half, then all. It holds \
         each split for as long as you like. The load balancer takes a second to follow.",
    );
    for (from, traffic, live, to) in [
        ("blue", "blue-80", "both", [80, 20]),
        ("blue-80", "split", "both", [50, 50]),
        ("split", "green", "green", [0, 100]),
    ] {
        let outputs =
            [("result", "succeeded"), ("traffic", traffic), ("previous-traffic", from), ("live-color", live)];
        let name = format!("redirect to {traffic}");
        let inputs = [("command", "redirect-traffic"), ("traffic", traffic)];
        let run = Run { name: &name, inputs: &inputs, code: 0, outputs: &outputs };
        shift(stage, &Shift { run, versions: ["v1", "v2"], to }).await?;
    }
    Ok(())
}

/// `deploy` of v4 and a fifth of the users for v4, until the alarm fires.
pub(super) async fn alarm(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 5: v4, which is healthy and fails users");
    stage
        .screen
        .tell("v4 passes its health checks, but answers every user with 500. So its deploy to blue is good:");
    let image = stage.sample.image("v4");
    let outputs = [("result", "succeeded"), ("color", "blue")];
    let inputs = [("command", "deploy"), ("image", image.as_str())];
    stage.run(&Run { name: "deploy v4", inputs: &inputs, code: 0, outputs: &outputs }).await?;
    stage.runs("deploy v4", "blue", "status 500").await?;
    stage.screen.aside(
        "Now it gets a fifth of the users, while `redirect-traffic` watches the alarm `web-5xx`. The alarm goes off, \
         and all users go back to v2. Answers of v4 are counted apart, as `500`.",
    );
    let inputs = [
        ("command", "redirect-traffic"),
        ("traffic", "green-80"),
        ("steps", "20"),
        ("bake-time", "20s"),
        ("rollback-alarms", "web-5xx"),
    ];
    let outputs = [
        ("result", "failed"),
        ("reason", "alarm"),
        ("left", "restored"),
        ("traffic", "green"),
        ("live-color", "green"),
    ];
    let run = Run { name: "v4 for 20 %", inputs: &inputs, code: 1, outputs: &outputs };
    let shift = Shift { run, versions: ["v4", "v2"], to: [0, 100] };
    let [bad, good] = answers(&shift);
    stage.users.expect(Expected { good: vec![good], bad: Some(bad) });
    let (before, counted) = (stage.users.numbers()(), errors_of_blue(stage));
    stage.run(&shift.run).await?;
    arrived(stage, &shift).await;
    let seen = stage.users.numbers()();
    let counted = errors_of_blue(stage).saturating_sub(counted);
    blamed(stage, (&before, &seen), counted);
    Ok(())
}

/// Checks that v4 had users, but not too many, and that the load balancer counted the same answers.
fn blamed(stage: &mut Stage, (before, seen): (&Tally, &Tally), counted: u64) {
    let bad = seen.bad();
    stage.checks.holds("v4 for 20 %: v4 answered users with 500", bad > 0, "it answered nobody");
    let share = seen.share(before, "blue");
    let few = share.is_some_and(|share| share <= 20.0 + LEEWAY);
    stage.checks.holds(
        "v4 for 20 %: at most a fifth of all answers meanwhile were its own",
        few,
        &part(share),
    );
    let sentence =
        format!("v4 for 20 %: the load balancer counted the same {bad} answers with 500 from blue");
    stage.checks.holds(&sentence, counted == bad, &format!("it counted {counted}"));
}

/// Answers with 500 or more that the load balancer got from blue's tasks so far.
fn errors_of_blue(stage: &Stage) -> u64 {
    let traffic = stage.bed.world(|world| world.elb.traffic());
    let blue = traffic.iter().filter(|one| one.group == stage.sample.blue_group);
    blue.map(|one| one.counts.target_5xx).sum()
}
