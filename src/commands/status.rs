//! `status`: reads everything once and shows it. What may not be read is named, not fatal.

use super::outside::Interrupted;
use super::session::Session;
use crate::event::{Event, Report};
use crate::failure::Outcome;
use crate::plan::look::Look;
use crate::plan::overview::{misscaled, needs_history};
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Refusal;
use crate::plan::trouble::Read;

/// Runs the command to its report.
pub(crate) async fn status(session: &Session<'_>) -> Report {
    let mut report = Report::new("status");
    let scaling = session.settings.scaling;
    let look = Look { scaling: true, scalers: scaling.is_some(), ..Look::WHOLE };
    let Interrupted::No(seen) = looked(session, look).await else {
        report.cancel();
        return report;
    };
    match seen {
        Ok(snapshot) => {
            let listener = session.settings.place.listener.as_ref();
            let mut seen = session.overview(&snapshot);
            seen.drift.extend(scaling.iter().flat_map(|managed| misscaled(&snapshot, listener, managed)));
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

/// A look. A second one if the first shows a target without a task, which may have begun between two of its reads, or if
/// only the service deployments tell a deployment from a change of the count.
async fn looked(session: &Session<'_>, look: Look) -> Interrupted<Read<Snapshot>> {
    let first = session.look(look).await;
    let unsure = session.foreign.borrow().is_unsure();
    let closer = matches!(&first, Interrupted::No(Ok(seen)) if needs_history(seen));
    if !unsure && !closer {
        return first;
    }
    if unsure {
        session.pause(false).await;
    }
    let look = Look { causes: closer, ..look };
    match session.look(look).await {
        Interrupted::No(Err(_)) => first,
        second => second,
    }
}
