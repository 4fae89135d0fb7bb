//! What a run that did not succeed left in AWS, and why.

use super::{promote, refusal, repeated, traffic, trouble};
use crate::plan::color::Color;
use crate::plan::repeats::Unkept;
use crate::plan::step::{Because, Left, Refusal};
use crate::report::about::About;
use crate::report::names::short_arn;

/// What is left and why; ends with lines to paste where there is something to do.
pub(crate) fn because(because: &Because, left: Left, about: &About) -> String {
    if let Some(users) = &about.users {
        return traffic::because(because, left, (about, users));
    }
    let said = why(because, about);
    let stay = about.moved.map(promote::stay).unwrap_or_default();
    match left {
        Left::Untouched => format!("Left untouched: {said}{stay}"),
        Left::Restored => format!("Restored: {said}{stay}"),
        Left::Changed => format!("Left changed: {said}{stay}"),
        Left::Unknown => {
            let (name, check, back) = (about.name(), about.check(), put_back(about));
            format!(
                "NOT KNOWN how {name} was left: {said} Check it now:\n{check}{back}{}{stay}",
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
        | Because::OnlyDrains
        | Because::UsersCame
        | Because::UsersCameMeanwhile { .. }
        | Because::CountKept { .. }
        | Because::UsersNotKnown(_)
        | Because::ScalingStays
        | Because::NotConfirmed
        | Because::NotEnough(_)
        | Because::Midway
        | Because::Arrived
        | Because::NotServed
        | Because::Repeated(_) => String::new(),
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
        Because::OnlyDrains => format!(
            "the new version of {name} is healthy and stays; ECS still waits for old tasks to drain. Raise `timeout`, or lower the target group's deregistration delay, in Terraform:\n  deregistration_delay = 30"
        ),
        Because::UsersCame => users_came(about),
        Because::UsersCameMeanwhile { version } => users_came_meanwhile(short_arn(version), about),
        Because::CountKept { count } => format!(
            "{name} has {before} again. Users came to it meanwhile, so this run raised its desired count to {count} again instead of leaving them with fewer tasks."
        ),
        Because::UsersNotKnown(why) => users_not_known(why, about),
        Because::ScalingStays => format!(
            "{name} itself was not changed; what this run wrote for its scaling (policies, alarms, bounds) stays, and the next run goes on from it."
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
        Because::Repeated(unkept) => not_kept(unkept),
    }
}

/// A way back that did not last.
pub(super) fn not_kept(unkept: &Unkept) -> String {
    format!("the way back did not last. {}", repeated::unkept(unkept))
}

/// Users are on what was to be replaced: nothing was put back, and there are two ways on.
fn users_came(about: &About) -> String {
    let (name, color) = (about.name(), about.color.map_or("COLOR", Color::word));
    let away = away_from(about);
    let version = about.before.as_deref().unwrap_or("FAMILY:REVISION");
    format!(
        "users were moved to {name} while it was deployed to, and it serves them now. So nothing was put back: it stays as it is. Move users away from it:\n  command: rollback\n  color: {away}\nor bring a version that works, under them:\n  command: deploy\n  color: {color}\n  allow-live: true\n  task-definition: {version}"
    )
}

/// Users are on a version that nobody has proven yet: to send them back, or to prove it under them.
fn users_came_meanwhile(version: &str, about: &About) -> String {
    let color = about.color.map_or("COLOR", Color::word);
    let away = away_from(about);
    format!(
        "AWS goes on with the deployment, and no task is taken from users. Choose one of two ways. If users get errors, or you are not sure, send them back now, and deploy again after that:\n  command: rollback\n  color: {away}\nIf they are meant to be there, let the deployment finish under them; this run follows it to its end:\n  command: deploy\n  color: {color}\n  allow-live: true\n  task-definition: {version}"
    )
}

/// The color to send users to.
fn away_from(about: &About) -> &'static str {
    match about.color {
        Some(Color::Blue) => "green",
        Some(Color::Green | Color::Develop) | None => "blue",
    }
}

/// It can't be told whether users are there.
fn users_not_known(why: &Refusal, about: &About) -> String {
    let (name, unread) = (about.name(), refusal(why, about));
    let back = match &about.before {
        Some(_) => format!(
            "\nTo put {} back, once you know that no users are there:\n{}",
            about.version_before(),
            about.go_back()
        ),
        None => String::new(),
    };
    format!(
        "whether users were moved to {name} meanwhile is not known, so nothing was put back: it stays as it is. {} {}{back}",
        unread.what, unread.hint
    )
}

/// How to put the version before back, where it is known.
fn put_back(about: &About) -> String {
    match &about.before {
        Some(_) => format!("\nTo put {} back:\n{}", about.version_before(), about.go_back()),
        None => String::new(),
    }
}
