//! What a run that did not succeed left in AWS, and why.

use super::{traffic, trouble};
use crate::plan::step::{Because, Left};
use crate::report::about::About;

/// What is left and why; ends with lines to paste where there is something to do.
pub(crate) fn because(because: &Because, left: Left, about: &About) -> String {
    if let Some(users) = &about.users {
        return traffic::because(because, left, (about, users));
    }
    let said = why(because, about);
    match left {
        Left::Untouched => format!("Left untouched: {said}"),
        Left::Restored => format!("Restored: {said}"),
        Left::Changed => format!("Left changed: {said}"),
        Left::Unknown => {
            let (name, check, back) = (about.name(), about.check(), put_back(about));
            format!(
                "NOT KNOWN how {name} was left: {said} Check it now:\n{check}{back}{}",
                next_time(because)
            )
        }
    }
}

/// What to do so that the way back works next time.
pub(super) fn next_time(because: &Because) -> String {
    match because {
        Because::Trouble(with) => format!("\nSo that the next way back works: {}", trouble(with).hint),
        Because::NothingChanged
        | Because::PutBack
        | Because::AwsPutBack
        | Because::AwsElsewhere
        | Because::Asked
        | Because::Theirs
        | Because::NothingToGoBackTo
        | Because::SameDefinition
        | Because::NotConfirmed
        | Because::NotEnough(_)
        | Because::Midway
        | Because::Arrived
        | Because::NotServed => String::new(),
    }
}

/// The sentence for each.
fn why(because: &Because, about: &About) -> String {
    let (name, before) = (about.name(), about.version_before());
    match because {
        Because::NothingChanged => format!("nothing of {name} was changed."),
        Because::PutBack => format!("this run put {name} back to {before}, and read it back from AWS."),
        Because::AwsPutBack => format!("AWS put {name} back to {before}; this run read it back."),
        Because::AwsElsewhere => format!(
            "AWS rolled {name} back to the last version that it saw complete, which is not {before} that this run found.{}",
            put_back(about)
        ),
        Because::Asked => format!(
            "`on-cancel` is `leave`, so AWS goes on with the new version of {name} unwatched.{}",
            put_back(about)
        ),
        Because::Theirs => format!(
            "somebody else changed {name} meanwhile, and theirs stands. See who, then run again if it is still wanted."
        ),
        Because::NothingToGoBackTo => format!(
            "{name} wanted this version already when the run began, and what it ran before is not known. ECS keeps trying. Deploy a version that works:\n  task-definition: FAMILY:REVISION"
        ),
        Because::SameDefinition => format!(
            "{name} rolled out the same task definition again, because an image tag may have moved; there is no other one to go back to. Deploy an image that works, by digest:\n  image: REPOSITORY@sha256:DIGEST"
        ),
        Because::Trouble(with) => {
            let failure = trouble(with);
            format!("the way back failed. {}", failure.what)
        }
        Because::NotConfirmed => "the way back was not read back from AWS in time.".to_owned(),
        // Ends of a change of traffic; said all the same.
        Because::NotEnough(capacity) => format!("{} has too few healthy targets.", capacity.color),
        Because::Midway => "users stay where they are now; run it again to go on from there.".to_owned(),
        Because::Arrived => "users were moved as wanted.".to_owned(),
        Because::NotServed => "no target is healthy where users are.".to_owned(),
    }
}

/// How to put the version before back, where it is known.
fn put_back(about: &About) -> String {
    match &about.before {
        Some(_) => format!("\nTo put {} back:\n{}", about.version_before(), about.go_back()),
        None => String::new(),
    }
}
