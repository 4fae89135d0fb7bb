//! `status`: reads everything once and shows the result. An unreadable part is named, not fatal.

use super::outside::Interrupted;
use super::session::Session;
use crate::event::{Event, Report};
use crate::failure::Outcome;
use crate::plan::aws_error::AwsResult;
use crate::plan::overview::{find_scaling_drift, needs_history};
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Refusal;

/// Runs the command to its report.
pub(crate) async fn run_status(session: &Session<'_>) -> Report {
    let mut report = Report::new("status");
    let scaling = session.settings.scaling;
    let look = ReadScope { scaling: true, scalers: scaling.is_some(), ..ReadScope::WHOLE };
    let Interrupted::No(seen) = read_consistent(session, look).await else {
        report.cancel();
        return report;
    };
    match seen {
        Ok(snapshot) => {
            let listener = session.settings.place.listener.as_ref();
            let mut seen = session.overview(&session.with_minutes(snapshot.clone()).await);
            seen.drift
                .extend(scaling.iter().flat_map(|managed| find_scaling_drift(&snapshot, listener, managed)));
            session.reporter.emit(&Event::Seen(Box::new(seen.clone())));
            report.outcome = Outcome::Succeeded;
            report.see(seen);
        }
        Err(trouble) => {
            report.refuse(Refusal::of_look(trouble, &session.names.place));
            report.outcome = Outcome::Failed;
        }
    }
    report
}

/// A look. A second look if the first shows a target without a task, which may have started between two reads, or if
/// only the service deployments can tell a deployment from a changed count.
async fn read_consistent(session: &Session<'_>, look: ReadScope) -> Interrupted<AwsResult<Snapshot>> {
    let first = session.look(look).await;
    let unsure = session.foreign.borrow().is_unsure();
    let closer = matches!(&first, Interrupted::No(Ok(seen)) if needs_history(seen));
    if !unsure && !closer {
        return first;
    }
    if unsure {
        session.pause(false).await;
    }
    let look = ReadScope { causes: closer, ..look };
    match session.look(look).await {
        Interrupted::No(Err(_)) => first,
        second => second,
    }
}
