//! The chapter about the comparison: a version that fails one request in fifty, found and sent back without an alarm.

use super::stage::{Run, Stage};
use super::tally::{Answer, Expected};
use super::traffic::{Shift, arrived};
use serde_json::Value;
use std::io;
use std::time::Duration;

/// The image that fails one request in fifty, and the version in its answers.
pub(super) const WORSE: (&str, &str) = ("v6-fail-1-in-50", "v6");
/// Longest time of the run that compares: CloudWatch's counts are complete two minutes after their minute.
const PATIENCE: Duration = Duration::from_secs(600);

/// All acts of the chapter.
pub(super) async fn perform(stage: &mut Stage) -> io::Result<()> {
    quiet_deploy(stage).await?;
    sent_back(stage).await
}

/// `deploy` of v6, which no health check finds.
async fn quiet_deploy(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 1: deploy v6, which fails one request in fifty");
    stage
        .screen
        .tell("v6 answers 49 of 50 requests. Its health checks pass, so its deploy to green is good.");
    let image = stage.sample.image(WORSE.0);
    let inputs = [("command", "deploy"), ("image", image.as_str())];
    let outputs = [("result", "succeeded"), ("color", "green")];
    stage.run(&Run { name: "deploy v6", inputs: &inputs, code: 0, outputs: &outputs }).await
}

/// A step with a fifth of the users, until the comparison finds v6 worse.
async fn sent_back(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 2: a fifth of the users, and no alarm");
    stage.screen.tell(
        "`redirect-traffic` holds 20 % of the users on green. No alarm is configured. The load balancer counts requests \
         and failures of both colors; a minute's counts are complete two minutes later. This takes about four minutes.",
    );
    let inputs =
        [("command", "redirect-traffic"), ("traffic", "green"), ("steps", "20"), ("bake-time", "15m")];
    let outputs = [
        ("result", "failed"),
        ("reason", "worse"),
        ("left", "restored"),
        ("traffic", "blue"),
        ("live-color", "blue"),
    ];
    let run = Run { name: "v6 for 20 %", inputs: &inputs, code: 1, outputs: &outputs };
    let shift = Shift { run, versions: ["v1", WORSE.1], to: [100, 0] };
    let (blue, green) = (Answer::new("blue", "v1"), Answer::new("green", WORSE.1));
    stage.users.expect(Expected { good: vec![blue, green.clone()], bad: Some(green) });
    stage.patience = PATIENCE;
    let compared = stage.run_compared(&shift.run).await?;
    arrived(stage, &shift).await;
    found(stage, &compared);
    Ok(())
}

/// Checks and tells the numbers that the run saw.
fn found(stage: &mut Stage, compared: &str) {
    let seen: Value = serde_json::from_str(compared).unwrap_or_default();
    let failures = |color: &str| seen[color]["failures"].as_u64();
    let accused = seen["worse"] == "green" && failures("blue") == Some(0) && failures("green") >= Some(6);
    stage.checks.holds("v6 for 20 %: the comparison accuses green", accused, compared);
    stage.screen.aside(seen["sentence"].as_str().unwrap_or(compared));
}
