//! The state in AWS after a run that did not succeed, and the reason.

use super::{promote, render_aws_error, render_refusal, repeated, traffic};
use crate::plan::color::ServiceColor;
use crate::plan::repeats::Unkept;
use crate::plan::step::{EndStateReason, Left, Refusal};
use crate::report::about::About;
use crate::report::names::short_arn;

/// The state left in AWS and the reason; ends with lines to paste if there is something to do.
pub(crate) fn render_end_state(because: &EndStateReason, left: Left, about: &About) -> String {
    if let Some(users) = &about.users {
        return traffic::render_traffic_end_state(because, left, (about, users));
    }
    let said = end_reason(because, about);
    let stay = about.moved.map(promote::render_user_position).unwrap_or_default();
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

/// The remedy that makes the next restore work.
pub(super) fn next_time(because: &EndStateReason) -> String {
    match because {
        EndStateReason::AwsError(with) => {
            format!("\nSo that the next way back works: {}", render_aws_error(with).hint)
        }
        EndStateReason::NothingChanged
        | EndStateReason::RestoredByRun
        | EndStateReason::RestoredByAws
        | EndStateReason::AwsElsewhere
        | EndStateReason::Asked
        | EndStateReason::ChangedExternally
        | EndStateReason::NothingToGoBackTo
        | EndStateReason::SameDefinition
        | EndStateReason::OnlyDrains
        | EndStateReason::UsersCame
        | EndStateReason::UsersCameMeanwhile { .. }
        | EndStateReason::CountKept { .. }
        | EndStateReason::UsersNotKnown(_)
        | EndStateReason::ScalingStays
        | EndStateReason::NotConfirmed
        | EndStateReason::NotEnough(_)
        | EndStateReason::Midway
        | EndStateReason::Arrived
        | EndStateReason::NotServed
        | EndStateReason::Repeated(_) => String::new(),
    }
}

/// The sentence for each reason.
fn end_reason(because: &EndStateReason, about: &About) -> String {
    let (name, before) = (about.name(), about.version_before());
    match because {
        EndStateReason::NothingChanged => format!("nothing of {name} was changed."),
        EndStateReason::RestoredByRun => {
            format!("this run put {name} back to {before}, and read it back from AWS.")
        }
        EndStateReason::RestoredByAws => format!("AWS put {name} back to {before}; this run read it back."),
        EndStateReason::AwsElsewhere => format!(
            "AWS rolled {name} back to the last version that it saw complete, which is not {before} that this run found.{}",
            put_back(about)
        ),
        EndStateReason::Asked => format!(
            "`on-cancel` is `leave`, so AWS goes on with the new version of {name} unwatched.{}",
            put_back(about)
        ),
        EndStateReason::ChangedExternally => format!(
            "someone else changed {name} meanwhile, and that change is kept. See who made it, then run again if this one is still wanted."
        ),
        EndStateReason::NothingToGoBackTo => format!(
            "{name} wanted this version already when the run began, and what it ran before is not known. ECS keeps trying. Deploy a version that works:\n  task-definition: FAMILY:REVISION"
        ),
        EndStateReason::SameDefinition => format!(
            "{name} rolled out the same task definition again, because an image tag may have moved; there is no other one to go back to. Deploy an image that works, by digest:\n  image: REPOSITORY@sha256:DIGEST"
        ),
        EndStateReason::OnlyDrains => format!(
            "the new version of {name} is healthy and stays; ECS still waits for old tasks to drain. Raise `timeout`, or lower the target group's deregistration delay, in Terraform:\n  deregistration_delay = 30"
        ),
        EndStateReason::UsersCame => users_came(about),
        EndStateReason::UsersCameMeanwhile { version } => users_came_meanwhile(short_arn(version), about),
        EndStateReason::CountKept { count } => format!(
            "{name} has {before} again. Its desired count stays at {count}: more users came to it meanwhile, or may have come, and fewer tasks might not serve them."
        ),
        EndStateReason::UsersNotKnown(why) => users_not_known(why, about),
        EndStateReason::ScalingStays => format!(
            "{name} itself was not changed; what this run wrote for its scaling (policies, alarms, bounds) stays, and the next run goes on from it."
        ),
        EndStateReason::AwsError(with) => {
            let failure = render_aws_error(with);
            format!("the way back failed. {}", failure.what)
        }
        EndStateReason::NotConfirmed => "the way back was not read back from AWS in time.".to_owned(),
        // These reasons belong to a change of traffic, but have a sentence here too.
        EndStateReason::NotEnough(capacity) => format!("{} has too few healthy targets.", capacity.color),
        EndStateReason::Midway => {
            "users stay where they are now; run it again to go on from there.".to_owned()
        }
        EndStateReason::Arrived => "users were moved as wanted.".to_owned(),
        EndStateReason::NotServed => "no target is healthy where users are.".to_owned(),
        EndStateReason::Repeated(unkept) => not_kept(unkept),
    }
}

/// A restore that did not last.
pub(super) fn not_kept(unkept: &Unkept) -> String {
    format!("the way back did not last. {}", repeated::render_unkept_write(unkept))
}

/// Users are on the color of the deploy: nothing was restored, and there are two ways to continue.
fn users_came(about: &About) -> String {
    let (name, color) = (about.name(), about.color.map_or("COLOR", ServiceColor::word));
    let away = away_from(about);
    let version = about.before.as_deref().unwrap_or("FAMILY:REVISION");
    format!(
        "users were moved to {name} while it was deployed to, and it serves them now. So nothing was put back: it stays as it is. Move users away from it:\n  command: rollback\n  color: {away}\nor bring a version that works, under them:\n  command: deploy\n  color: {color}\n  allow-live: true\n  task-definition: {version}"
    )
}

/// Users are on an unproven version: move the users away, or prove the version under load.
fn users_came_meanwhile(version: &str, about: &About) -> String {
    let color = about.color.map_or("COLOR", ServiceColor::word);
    let away = away_from(about);
    format!(
        "AWS goes on with the deployment, and no task is taken from users. Choose one of two ways. If users get errors, or you are not sure, send them back now, and deploy again after that:\n  command: rollback\n  color: {away}\nIf they are meant to be there, let the deployment finish under them; this run follows it to its end:\n  command: deploy\n  color: {color}\n  allow-live: true\n  task-definition: {version}"
    )
}

/// The color to send users to.
fn away_from(about: &About) -> &'static str {
    about.color.and_then(ServiceColor::production).map_or("blue", |color| color.other().word())
}

/// The presence of users is unknown.
fn users_not_known(why: &Refusal, about: &About) -> String {
    let (name, unread) = (about.name(), render_refusal(why, about));
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

/// Commands that restore the earlier version, if known.
fn put_back(about: &About) -> String {
    match &about.before {
        Some(_) => format!("\nTo put {} back:\n{}", about.version_before(), about.go_back()),
        None => String::new(),
    }
}
