//! `status`: reads everything once and shows it. What may not be read is named, not fatal.

use super::session::{Interrupted, Session};
use crate::event::{Event, Report};
use crate::failure::{Outcome, Reason};
use crate::plan::look::Look;
use crate::plan::overview::overview;
use crate::plan::step::{Failing, Refusal};

/// Runs the command to its report.
pub(crate) async fn status(session: &Session<'_>) -> Report {
    let mut report = Report::new("status");
    let seen = match session.unless_signalled(false, session.look(Look::WHOLE)).await {
        Interrupted::No(seen) => seen,
        Interrupted::Yes => {
            report.outcome = Outcome::Cancelled;
            report.reason = Some(Reason::Cancelled);
            report.failing = Some(Failing::Cancelled);
            return report;
        }
    };
    match seen {
        Ok(snapshot) => {
            let seen = overview(&snapshot, session.settings.place.listener.as_ref());
            session.reporter.emit(&Event::Seen(Box::new(seen.clone())));
            report.outcome = Outcome::Succeeded;
            report.overview = Some(seen);
        }
        Err(trouble) => {
            let refusal = Refusal::Unread(trouble);
            report.outcome = Outcome::Failed;
            report.reason = Some(Reason::of_refusal(&refusal));
            report.refusal = Some(refusal);
        }
    }
    report
}
