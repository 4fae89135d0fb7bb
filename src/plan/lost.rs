//! What became of a write that had no answer: whether AWS shows its effect, and whether that is over already.

use std::time::Duration;

use super::run::{Run, Unanswered};
use super::snapshot::{Service, ServiceDeployment};
use super::step::{Follow, Step};
use super::time::Time;
use super::trouble::Trouble;
use super::verdict::{Kind, Mine};

/// How far AWS's clock and the runner's may differ.
const SLACK: Duration = Duration::from_secs(5);

/// Whether AWS shows the effect of a write that had no answer. A deployment tells it alone: somebody else may have set
/// the count since.
pub(super) fn shows(service: &Service, run: &Run, unanswered: &Unanswered) -> bool {
    match &unanswered.step {
        Step::Update(update) => {
            let definition =
                update.task_definition.as_ref().is_none_or(|wanted| *wanted == service.task_definition);
            let count = update.rolls() || update.desired.is_none_or(|wanted| wanted == service.desired);
            let forced =
                !update.force || service.primary().is_some_and(|primary| since(primary.created, unanswered));
            definition && count && forced
        }
        Step::Register { .. } => run.sought != Some(None),
        Step::Find { .. }
        | Step::Probe
        | Step::Weights(_)
        | Step::Scaling(_)
        | Step::Policy(_)
        | Step::Alarm(_) => true,
    }
}

/// The deployment of an update whose answer was lost: it had its effect, and is over already.
pub(super) fn arrived(service: &Service, run: &Run) -> Option<Follow> {
    let (unanswered, update) = run.unanswered_update()?;
    let primary = service.primary().filter(|_| update.rolls() && shows(service, run, unanswered))?;
    let mine = followed(&service.task_definition, service.desired, unanswered);
    Some(Follow { mine: Mine { id: Some(primary.id.clone()), ..mine }, adopted: false, found: None })
}

/// What is known of an update without an answer when a newer deployment of something else stands.
pub(super) enum Replaced {
    /// The service deployments were not looked at.
    Unseen,
    /// They could not be read.
    Unread(Trouble),
    /// The update's deployment came and went: AWS rolled it back, or somebody replaced it.
    By(Follow),
}

/// Whether an update without an answer had its effect and is replaced already; none where nothing hints at it.
pub(super) fn replaced(service: &Service, run: &Run) -> Option<Replaced> {
    let (unanswered, update) = run.unanswered_update()?;
    let wanted = update.task_definition.as_ref().filter(|wanted| **wanted != service.task_definition)?;
    service.primary().filter(|primary| since(primary.created, unanswered))?;
    let of_it = |entry: &&ServiceDeployment| {
        entry.target.as_ref() == Some(wanted) && since(entry.created, unanswered)
    };
    match &service.history {
        None => Some(Replaced::Unseen),
        Some(Err(trouble)) => Some(Replaced::Unread(trouble.clone())),
        Some(Ok(history)) => history.iter().find(of_it).map(|_| {
            let mine = followed(wanted, update.desired.unwrap_or(service.desired), unanswered);
            Replaced::By(Follow { mine, adopted: false, found: None })
        }),
    }
}

/// Whether something was made after the write was sent.
fn since(created: Time, unanswered: &Unanswered) -> bool {
    created.after(SLACK) >= unanswered.sent
}

/// A deployment of the update's, which no answer gave an id.
fn followed(task_definition: &str, desired: u32, unanswered: &Unanswered) -> Mine {
    let task_definition = task_definition.to_owned();
    Mine {
        kind: Kind::Rollout,
        id: None,
        task_definition,
        desired,
        started: unanswered.sent,
        seen: true,
        before: Vec::new(),
    }
}
