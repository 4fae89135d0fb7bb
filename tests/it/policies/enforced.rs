//! The shipped policies on a testbed that enforces them, as `testbed serve --policies` does.

use super::{READ, TRAFFIC, policy};
use crate::common::here::stack;
use crate::common::traffic::{arrived, redirect};
use crate::common::{Action, writes};

#[test]
fn a_role_that_moves_users_redirects_and_is_denied_a_deploy() {
    let (bed, sample) = stack();
    bed.world(|world| world.iam.enforce(policy(&[READ, TRAFFIC])));
    let done = Action::new(&bed, "deploy").input("image", &sample.image("v2")).run();
    done.expect(1, "refused", "access-denied", "untouched").says("AWS denied `ecr:DescribeImages`");
    assert_eq!(writes(&bed), [""; 0]);
    let done = Action::new(&bed, "deploy").input("environment", "app:\n  STAGE: test").run();
    done.expect(1, "failed", "access-denied", "untouched").says("AWS denied `ecs:RegisterTaskDefinition`");
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green"]);
    arrived(&bed, &redirect(&bed, "green").run(), "green");
}
