//! The last acts of a release: promote by swap, rollback, promote by copy.

use super::stage::{Run, Stage};
use super::story::{deploy, status};
use super::traffic::{Shift, shift};
use std::io;

/// `promote` of green, with a good version on blue to return to.
pub(super) async fn swap(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 6: promote v2");
    stage.screen.tell("First a version that can be gone back to: `deploy` puts v1 back on blue.");
    deploy(stage, "v1", "blue").await?;
    stage.screen.aside(
        "`promote` makes green the production color: once it has carried all users for a while, blue shrinks to \
         one task.",
    );
    let inputs = [("command", "promote"), ("color", "green"), ("settle", "2s")];
    let outputs =
        [("result", "succeeded"), ("color", "green"), ("traffic", "green"), ("live-color", "green")];
    let run = Run { name: "promote green", inputs: &inputs, code: 0, outputs: &outputs };
    shift(stage, &Shift { run, versions: ["v1", "v2"], to: [0, 100] }).await?;
    tasks(stage, "promote green", [1, 2]);
    status(stage, "status again", "green").await
}

/// `rollback`, from green to blue.
pub(super) async fn back(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 7: go back");
    stage.screen.tell(
        "`rollback` sends all users to the other color. Blue has one task, which is too few for them: it gets its \
         second one first.",
    );
    let outputs = [("result", "succeeded"), ("traffic", "blue"), ("previous-traffic", "green")];
    let inputs = [("command", "rollback")];
    let run = Run { name: "rollback", inputs: &inputs, code: 0, outputs: &outputs };
    shift(stage, &Shift { run, versions: ["v1", "v2"], to: [100, 0] }).await?;
    tasks(stage, "rollback", [2, 2]);
    Ok(())
}

/// Production stays blue: `deploy` to green, and `promote` by copy onto blue.
pub(super) async fn copy(stage: &mut Stage) -> io::Result<()> {
    stage.screen.heading("Act 8: production is always blue");
    stage.screen.tell("Some teams keep production on one color. v5 goes to green, and gets the users there:");
    deploy(stage, "v5", "green").await?;
    let inputs = [("command", "redirect-traffic"), ("traffic", "green")];
    let outputs = [("result", "succeeded"), ("traffic", "green"), ("previous-traffic", "blue")];
    let run = Run { name: "redirect to v5", inputs: &inputs, code: 0, outputs: &outputs };
    shift(stage, &Shift { run, versions: ["v1", "v5"], to: [0, 100] }).await?;
    stage.screen.aside(
        "v5 is good. `promote` with `mode: copy` brings the same version to blue, and then the users. What was \
         tested is what is promoted.",
    );
    let inputs = [("command", "promote"), ("color", "blue"), ("mode", "copy"), ("settle", "2s")];
    let outputs = [("result", "succeeded"), ("color", "blue"), ("traffic", "blue"), ("live-color", "blue")];
    let run = Run { name: "promote blue by copy", inputs: &inputs, code: 0, outputs: &outputs };
    shift(stage, &Shift { run, versions: ["v5", "v5"], to: [100, 0] }).await?;
    tasks(stage, "promote blue by copy", [2, 1]);
    stage.runs("promote blue by copy", "blue", "v5").await
}

/// Checks the desired counts of blue and green in ECS.
fn tasks(stage: &mut Stage, name: &str, wanted: [u32; 2]) {
    let counts = ["web-blue", "web-green"].map(|service| stage.desired(service).to_string());
    let wanted = wanted.map(|count| count.to_string());
    stage.checks.equal(
        &format!("{name}: tasks of blue and green"),
        &counts.join(" and "),
        &wanted.join(" and "),
    );
}
