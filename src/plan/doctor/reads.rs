//! The reads that AWS refused to this run: each command reads the same.

use super::{Finding, Mistake, stops, warns};
use crate::plan::aws_error::AwsError;
use crate::plan::overview::unread_parts;
use crate::plan::snapshot::Snapshot;

/// Reads without which a command still works: they tell more about a failure.
const OF_CAUSES: [&str; 3] =
    ["ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions"];

/// Each unreadable part once.
pub(super) fn check_reads(snapshot: &Snapshot) -> Vec<Finding> {
    unread_parts(snapshot).into_iter().map(unread_finding).collect()
}

/// One unreadable part.
fn unread_finding(error: AwsError) -> Finding {
    let needed = !OF_CAUSES.contains(&error.action);
    let mistake = Mistake::Unread(error);
    if needed { stops(mistake) } else { warns(mistake) }
}
