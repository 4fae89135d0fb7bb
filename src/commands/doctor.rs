//! `doctor`: reads everything once and compares it with what the commands need. Writes nothing, here or to GitHub.

use super::outside::Interrupted;
use super::session::Session;
use crate::action::settings::{DoctorSettings, Settings};
use crate::event::{Event, Report};
use crate::failure::{Outcome, Reason};
use crate::plan::doctor::{
    CONTEXT, Finding, SetupFacts, failed_look, find_mistakes, missing_grants, needed_grants, no_id_token,
    refused_role, sort_findings,
};
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Refusal;
use crate::report::words;
use crate::reporter::Reporter;

/// Runs the command to its report.
pub(crate) async fn run_doctor(session: &Session<'_>, own: &DoctorSettings) -> Report {
    let mut report = Report::new("doctor");
    report.place = Some(session.names.place.clone());
    let scalers = session.settings.scaling.is_some();
    let look = ReadScope {
        causes: true,
        scaling: true,
        scalers,
        alarms: !own.alarms.is_empty(),
        ..ReadScope::WHOLE
    };
    let Interrupted::No(seen) = session.look(look).await else {
        report.cancel();
        return report;
    };
    match seen {
        Ok(snapshot) => {
            let facts = facts(session, own);
            let Interrupted::No(lacking) = find_lacking_grants(session, &snapshot, &facts).await else {
                report.cancel();
                return report;
            };
            let mut found = find_mistakes(&snapshot, &facts);
            found.extend(lacking);
            sort_findings(&mut found);
            end_with(session.reporter, &mut report, found);
        }
        Err(error) => {
            let refusal = Refusal::of_look(error, &session.names.place);
            match failed_look(&refusal) {
                Some(finding) => end_with(session.reporter, &mut report, vec![finding]),
                None => {
                    report.refuse(refusal);
                    report.outcome = Outcome::Failed;
                }
            }
        }
    }
    report
}

/// The permissions that the role lacks, as IAM simulates its policies. Nothing if IAM does not simulate them for this
/// run, which is logged.
async fn find_lacking_grants(
    session: &Session<'_>,
    snapshot: &Snapshot,
    facts: &SetupFacts<'_>,
) -> Interrupted<Vec<Finding>> {
    let Some(principal) = &session.principal else { return Interrupted::No(Vec::new()) };
    let grants = needed_grants(snapshot, facts);
    let checks: Vec<(&str, &str)> =
        grants.iter().map(|grant| (grant.action, grant.resource.as_str())).collect();
    let asked = session.outside.read(async |aws| aws.simulate(principal, &checks, &CONTEXT).await);
    match asked.await {
        Interrupted::Yes => Interrupted::Yes,
        Interrupted::No(Ok(allowed)) => Interrupted::No(missing_grants(&grants, &allowed, principal)),
        Interrupted::No(Err(error)) => {
            session.reporter.emit(&Event::Unsimulated(error));
            Interrupted::No(Vec::new())
        }
    }
}

/// The report of a run that did not reach AWS. A mistake on the way to the role is a finding.
pub(crate) fn diagnose_sign_in(reporter: &Reporter<'_>, settings: &Settings, unopened: Report) -> Report {
    let mut report = Report { command: "doctor", ..unopened };
    let refused = match &report.refusal {
        Some(Refusal::Unread(error)) => refused_role(error),
        Some(_) | None => None,
    };
    let no_token =
        report.failure.as_ref().is_some_and(|failure| failure.reason == Reason::CredentialsMissing);
    let role = settings.role.as_ref().filter(|_| no_token);
    let finding = refused.or_else(|| role.map(|role| no_id_token(&role.arn)));
    if let Some(finding) = finding {
        report.refusal = None;
        end_with(reporter, &mut report, vec![finding]);
    }
    report
}

/// The facts that are not in AWS.
fn facts<'a>(session: &'a Session<'_>, own: &'a DoctorSettings) -> SetupFacts<'a> {
    let place = &session.settings.place;
    SetupFacts {
        listener: place.listener.as_ref(),
        hosts: &place.hosts,
        probes: own.probes,
        scaling: session.settings.scaling.as_ref(),
        alarms: &own.alarms,
        timeout: session.settings.timeout,
    }
}

/// Ends the run with these findings: a failure only if one of them stops a command.
fn end_with(reporter: &Reporter<'_>, report: &mut Report, findings: Vec<Finding>) {
    reporter.emit(&Event::Examined(findings.clone()));
    report.outcome = Outcome::Succeeded;
    if let Some(failure) = words::findings_failure(&findings) {
        report.fail(failure);
        report.outcome = Outcome::Failed;
    }
    report.findings = Some(findings);
}
