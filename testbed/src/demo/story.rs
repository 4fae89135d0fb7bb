//! The three acts: look, deploy a good version, deploy a broken one.

use super::action::Done;
use super::build;
use super::screen::Screen;
use super::stage::Stage;
use super::tally::{Answer, Tally};
use super::users::Users;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

/// Tells the story; gives the exit code.
///
/// # Errors
/// When the action can't be built or started, or the stage can't be set.
pub(super) async fn tell(screen: &Arc<Screen>) -> io::Result<ExitCode> {
    screen.say("building the action …");
    let product = build::product().await?;
    let mut stage = Stage::set_up(product, screen).await?;
    introduce(&stage);
    let users = Users::start(&stage.bed, &stage.sample, Answer::new("blue", "v1"));
    let live = tokio::spawn(follow(screen.clone(), users.numbers()));
    let acts = perform(&mut stage).await;
    let tally = users.stop().await;
    live.abort();
    screen.clear();
    if let Err(error) = acts {
        stage.checks.holds("all acts could be played", false, &error.to_string());
    }
    Ok(conclude(&mut stage, &tally))
}

/// Says where we are.
fn introduce(stage: &Stage) {
    stage.screen.heading("The stage");
    stage.screen.tell(
        "A small AWS runs inside this program. In its ECS cluster `shop`, two services stand behind one load balancer: \
         `web-blue` serves all users, `web-green` serves nobody. Both run version v1.",
    );
    stage.screen.tell(&format!(
        "From now on users send 250 requests a second to http://127.0.0.1:{}/, half of them on fresh connections. \
         Each must be answered by v1 on blue. None is sent twice: one that fails is counted, and fails this demo. The \
         lines that begin with `users:` keep count.",
        stage.sample.production_port
    ));
}

/// Renews the line of live numbers.
async fn follow(screen: Arc<Screen>, numbers: impl Fn() -> Tally) {
    loop {
        tokio::time::sleep(screen.period()).await;
        screen.live(&numbers().line());
    }
}

/// All acts.
async fn perform(stage: &mut Stage) -> io::Result<()> {
    look(stage).await?;
    good_deploy(stage).await?;
    bad_deploy(stage).await
}

/// `status`.
async fn look(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 1: look");
    stage
        .screen
        .tell("The action's command `status` reads AWS, changes nothing, and says what runs on each color.");
    let done = stage.step(&[("command", "status")]).await?;
    ended(stage, "status", &done, 0);
    stage.checks.equal("status: output `live-color`", done.output("live-color"), "blue");
    let writes = stage.bed.writes().len();
    stage.checks.holds("status: it wrote nothing to AWS", writes == 0, &format!("it made {writes} writes"));
    Ok(())
}

/// `deploy` of v2, to green.
async fn good_deploy(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 2: deploy v2");
    stage.screen.tell(
        "Green serves nobody, so `deploy` puts v2 there and waits until it is healthy, while all users stay on blue.",
    );
    let image = stage.sample.image("v2");
    let done = stage.step(&[("command", "deploy"), ("image", &image)]).await?;
    ended(stage, "deploy v2", &done, 0);
    stage.checks.equal("deploy v2: output `result`", done.output("result"), "succeeded");
    stage.checks.equal("deploy v2: output `color`", done.output("color"), "green");
    let green = stage.green().await?;
    stage.checks.equal("deploy v2: what green runs", &green, "v2");
    Ok(())
}

/// `deploy` of v3, which crashes.
async fn bad_deploy(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 3: deploy v3, which crashes");
    stage.screen.tell(
        "v3 ends by itself as soon as it starts. The circuit breaker of ECS gives up on it; `deploy` says why, puts v2 \
         back on green, and fails.",
    );
    let image = stage.sample.image("v3");
    let done = stage.step(&[("command", "deploy"), ("image", &image)]).await?;
    ended(stage, "deploy v3", &done, 1);
    stage.checks.equal("deploy v3: output `result`", done.output("result"), "failed");
    stage.checks.equal("deploy v3: output `reason`", done.output("reason"), "circuit-breaker");
    stage.checks.equal("deploy v3: output `left`", done.output("left"), "restored");
    let green = stage.green().await?;
    stage.checks.equal("deploy v3: what green runs in the end", &green, "v2");
    Ok(())
}

/// Checks what every run must have.
fn ended(stage: &mut Stage, run: &str, done: &Done, code: i32) {
    stage.checks.equal(&format!("{run}: exit code"), &done.code.to_string(), &code.to_string());
    let is_there = !done.summary.trim().is_empty();
    stage.checks.holds(&format!("{run}: it wrote a job summary"), is_there, "the summary is empty");
}

/// Checks the whole, and says how it went.
fn conclude(stage: &mut Stage, tally: &Tally) -> ExitCode {
    let weights = stage.weights();
    stage.checks.equal("the split of the production listener", &weights, "blue 100, green 0");
    stage.checks.watch(&stage.bed.violations());
    stage.checks.users(tally);
    stage.screen.heading("What was checked");
    stage.checks.lines().iter().for_each(|line| stage.screen.say(line));
    tally.failures().iter().for_each(|line| stage.screen.say(&format!("      {line}")));
    let (line, code) = stage.checks.verdict(tally);
    stage.screen.say(&format!("\n{}\n{line}", tally.line()));
    code
}
