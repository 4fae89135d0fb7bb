//! The look that a report tells of: the one that decided the end (invariant 42), or the newest there is.

use super::drive::Drive;
use super::outside::Interrupted;
use super::session::Session;
use crate::event::Report;
use crate::plan::course::Course;
use crate::plan::look::Look;
use crate::plan::overview::Overview;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Left;

/// Puts the look that decided the end into the report. Where AWS did not answer it, or a signal left no time for it,
/// that is a new look, or else the newest.
pub(super) async fn last_look<C: Course>(drive: &mut Drive<'_, C>, report: &mut Report) -> Option<Snapshot> {
    let session = drive.session;
    match drive.at_end.take() {
        Some(decided) => {
            report.see(with_rest(session.overview(&decided), report));
            Some(decided)
        }
        None => look_again(session, (drive.course.last_look(), drive.seen.take()), report).await,
    }
}

/// A new look; after a signal, or where AWS does not answer any more, the newest one. It decides nothing.
pub(super) async fn look_again(
    session: &Session<'_>,
    (look, last): (Look, Option<Snapshot>),
    report: &mut Report,
) -> Option<Snapshot> {
    let seen = match session.look(look).await {
        Interrupted::No(seen) => seen.ok(),
        Interrupted::Yes => None,
    };
    let signalled = session.signals.came().is_some();
    let whole = seen.as_ref().is_some_and(|snapshot| matches!(snapshot.balancers, Some(Ok(_))));
    let snapshot = if whole { seen.clone() } else { last.or(seen.clone()) }?;
    let mut told = with_rest(session.overview(&snapshot), report);
    if let Some(seen) = seen.filter(|_| !whole) {
        told.unread = session.overview(&seen).unread;
    }
    // After a signal the newest look is the one that showed what was put back, or that nothing had been changed.
    let settled = signalled && matches!(report.left, Left::Restored | Left::Untouched);
    if whole || settled {
        report.see(told)
    } else {
        report.see_before_the_end(told)
    }
    Some(snapshot)
}

/// With what the first look saw and this one did not look at.
fn with_rest(seen: Overview, report: &Report) -> Overview {
    match &report.overview {
        Some(before) => seen.with_rest_of(before),
        None => seen,
    }
}
