//! The image, run as the runner does: left out of `cargo test`, which needs nothing but Rust.

use std::process::Command;

#[test]
#[ignore = "left out: needs a container engine; `.ci/run container` runs it"]
fn the_image_deploys_and_a_stopped_one_leaves_the_color_restored() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/run");
    let status = Command::new(script).arg("container").status().expect("bash is there");
    assert!(status.success(), "{script} container: {status}");
}
