//! The acts: status, deploy of a good and of a broken version, moving users, promote.

use super::Chapter;
use super::build;
use super::compare;
use super::promote;
use super::screen::Screen;
use super::stage::{Run, Stage};
use super::tally::Tally;
use super::traffic;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the story; returns the exit code.
///
/// # Errors If the action can't be built or started, or the stage can't be set up.
pub(super) async fn tell(screen: &Arc<Screen>, chapter: Chapter) -> io::Result<ExitCode> {
    let time = match chapter {
        Chapter::Release => "about a minute",
        Chapter::Compare => "about five minutes",
    };
    screen.tell(&format!(
        "Building the action. The first build takes several minutes, later ones take seconds. The demo then runs for \
         {time}."
    ));
    let product = build::product().await?;
    let mut stage = Stage::set_up(product, screen, chapter).await?;
    introduce(&stage);
    let live = tokio::spawn(follow(screen.clone(), stage.users.numbers()));
    let acts = match chapter {
        Chapter::Release => perform(&mut stage).await,
        Chapter::Compare => compare::perform(&mut stage).await,
    };
    let tally = stage.users.stop().await;
    live.abort();
    screen.clear();
    if let Err(error) = acts {
        stage.checks.holds("all acts could be played", false, &error.to_string());
    }
    Ok(conclude(&mut stage, &tally))
}

/// Introduces the stage.
fn introduce(stage: &Stage) {
    stage.screen.heading("The stage");
    stage.screen.tell(
        "A small AWS runs inside this program. In its ECS cluster `shop`, two services stand behind one load balancer: \
         `web-blue` serves all users, `web-green` serves nobody. Both run version v1.",
    );
    stage.screen.tell(&format!(
        "From now on users send 250 requests a second to http://127.0.0.1:{}/, half of them on fresh connections. \
         Each must be answered by a color that has users, with the version that runs there. None is sent twice: one \
         that fails is counted, and fails this demo. The lines that begin with `users:` keep count.",
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

/// All acts of a release.
async fn perform(stage: &mut Stage) -> io::Result<()> {
    look(stage).await?;
    good_deploy(stage).await?;
    bad_deploy(stage).await?;
    traffic::to_green(stage).await?;
    traffic::alarm(stage).await?;
    promote::swap(stage).await?;
    promote::back(stage).await?;
    promote::copy(stage).await
}

/// `status`.
async fn look(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 1: look");
    stage
        .screen
        .tell("The action's command `status` reads AWS, changes nothing, and says what runs on each color.");
    status(stage, "status", "blue").await
}

/// `status`, with this color live.
pub(super) async fn status(stage: &mut Stage, name: &str, live: &str) -> io::Result<()> {
    let before = stage.bed.writes().len();
    let inputs = [("command", "status")];
    stage.run(&Run { name, inputs: &inputs, code: 0, outputs: &[("live-color", live)] }).await?;
    let writes = stage.bed.writes().len() - before;
    let sentence = format!("{name}: it wrote nothing to AWS");
    stage.checks.holds(&sentence, writes == 0, &format!("it made {writes} writes"));
    Ok(())
}

/// `deploy` of a good version, to this color.
pub(super) async fn deploy(stage: &mut Stage, version: &str, color: &str) -> io::Result<()> {
    let (name, image) = (format!("deploy {version}"), stage.sample.image(version));
    let inputs = [("command", "deploy"), ("image", image.as_str())];
    let outputs = [("result", "succeeded"), ("color", color)];
    stage.run(&Run { name: &name, inputs: &inputs, code: 0, outputs: &outputs }).await?;
    stage.runs(&name, color, version).await
}

/// `deploy` of v2, to green.
async fn good_deploy(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 2: deploy v2");
    stage.screen.tell(
        "Green serves nobody, so `deploy` puts v2 there and waits until it is healthy, while all users stay on blue.",
    );
    deploy(stage, "v2", "green").await
}

/// `deploy` of v3, which crashes.
async fn bad_deploy(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 3: deploy v3, which crashes");
    stage.screen.tell(
        "v3 ends by itself as soon as it starts. The circuit breaker of ECS gives up on it; `deploy` says why, puts v2 \
         back on green, and fails.",
    );
    let image = stage.sample.image("v3");
    let inputs = [("command", "deploy"), ("image", image.as_str())];
    let outputs = [("result", "failed"), ("reason", "circuit-breaker"), ("left", "restored")];
    stage.run(&Run { name: "deploy v3", inputs: &inputs, code: 1, outputs: &outputs }).await?;
    stage.runs("deploy v3", "green", "v2").await
}

/// Checks the whole demo, and prints the result.
fn conclude(stage: &mut Stage, tally: &Tally) -> ExitCode {
    stage.checks.watch(&stage.bed.violations());
    stage.checks.users(tally);
    stage.screen.heading("What was checked");
    stage.checks.lines().iter().for_each(|line| stage.screen.say(line));
    tally.failures().iter().for_each(|line| stage.screen.say(&format!("      {line}")));
    let (line, code) = stage.checks.verdict(tally);
    stage.screen.say(&format!("\n{}", tally.line()));
    stage.screen.say(&format!("500 from a bad version itself: {} requests, counted apart", tally.bad()));
    stage.screen.say(&line);
    code
}
