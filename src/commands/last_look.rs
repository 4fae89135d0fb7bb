//! The look for a report: the look that decided the end (invariant 42), or else the newest.

use super::drive::Drive;
use super::outside::Interrupted;
use super::session::Session;
use crate::event::Report;
use crate::plan::aws_error::AwsResult;
use crate::plan::overview::{Overview, needs_history};
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Left;

/// Puts the look that decided the end into the report. If AWS did not answer that look, or a signal left no time, a new
/// look replaces it, or else the newest.
pub(super) async fn last_look(drive: &mut Drive<'_>, report: &mut Report) -> Option<Snapshot> {
    let session = drive.session;
    match drive.at_end.take() {
        Some(decided) => {
            report.see(with_rest(session.overview(&decided), report));
            Some(decided)
        }
        None => look_again(session, (drive.operation.last_look(), drive.seen.take()), report).await,
    }
}

/// A new look; after a signal, or if AWS no longer answers, the newest look. No decision depends on this look.
pub(super) async fn look_again(
    session: &Session<'_>,
    (look, last): (ReadScope, Option<Snapshot>),
    report: &mut Report,
) -> Option<Snapshot> {
    let seen = match read_with_history(session, look).await {
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
    // After a signal, the newest look has shown the restored state, or that nothing had been changed.
    let settled = signalled && matches!(report.left, Left::Restored | Left::Untouched);
    if whole || settled {
        report.see(told)
    } else {
        report.see_before_the_end(told)
    }
    Some(snapshot)
}

/// A look, and a second with the service deployments if only they tell a deployment from a changed count.
async fn read_with_history(session: &Session<'_>, look: ReadScope) -> Interrupted<AwsResult<Snapshot>> {
    let first = session.look(look).await;
    if !matches!(&first, Interrupted::No(Ok(seen)) if needs_history(seen)) {
        return first;
    }
    match session.look(ReadScope { causes: true, ..look }).await {
        Interrupted::No(Ok(second)) => Interrupted::No(Ok(second)),
        Interrupted::No(Err(_)) | Interrupted::Yes => first,
    }
}

/// Adds the parts that the first look read and this one did not.
fn with_rest(seen: Overview, report: &Report) -> Overview {
    match &report.overview {
        Some(before) => seen.with_rest_of(before),
        None => seen,
    }
}
