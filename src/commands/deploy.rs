//! `deploy`: looks, prepares the wanted content, announces the plan, drives to the end, and reports.

use super::apply::find_revision;
use super::drive::Drive;
use super::ending::report_ending;
use super::last_look::last_look;
use super::logs::add_log_tail;
use super::outside::Interrupted;
use super::prepare::{Unprepared, Wanted, prepare_content};
use super::session::{Session, Stop};
use crate::action::deploy::DeploySettings;
use crate::clock;
use crate::event::{Difference, Event, Planned, Report, Warning};
use crate::failure::Outcome;
use crate::plan::color::ServiceColor;
use crate::plan::definition::{Content, ContentChange, content_differences, same_content};
use crate::plan::deploy::{Goal, kept_count};
use crate::plan::operation::DeployOperation;
use crate::plan::overview::tagged_commit;
use crate::plan::patience::of_deploy;
use crate::plan::preconditions::{Blocker, Preconditions, Request, check_preconditions};
use crate::plan::predict::{Plan, predict_plan};
use crate::plan::read_scope::ReadScope;
use crate::plan::run::Run;
use crate::plan::scalers::unmanaged_policies;
use crate::plan::snapshot::{Revision, Service, Snapshot};
use crate::plan::step::{InitialService, Refusal};
use crate::plan::verdict::{Limits, drain_delay};
use crate::plan::wanted::WantedColor;

/// Runs the command to its report.
pub(crate) async fn run_deploy(session: &Session<'_>, wish: &DeploySettings) -> Report {
    let mut report = Report::new("deploy");
    report.color = match wish.color {
        WantedColor::Color(color) => Some(color),
        WantedColor::Idle => None,
    };
    match look_and_admit(session, wish, &mut report).await {
        Err(Stop::Signal) => report.cancel(),
        Err(Stop::AwsError(trouble)) => {
            report.refuse(Refusal::of_look(trouble, &session.names.place));
        }
        Ok((_, Err(refusal))) => report.refuse(refusal),
        Ok((snapshot, Ok(admitted))) => {
            admitted_deploy(session, wish, (&snapshot, &admitted), &mut report).await;
        }
    }
    report
}

/// The facts that were read, and the decision about starting.
type Admission = (Snapshot, Result<Preconditions, Refusal>);

/// Reads everything, shows the current state, and decides if the deploy may start. Reads that may succeed later are
/// repeated until the time-out.
async fn look_and_admit(
    session: &Session<'_>,
    wish: &DeploySettings,
    report: &mut Report,
) -> Result<Admission, Stop> {
    let asked = deploy_request(session, wish);
    let began = clock::now();
    let managed = session.settings.scaling.is_some();
    let look = ReadScope { scaling: managed, scalers: managed, ..ReadScope::WHOLE };
    loop {
        let snapshot = session.first_look(look).await?;
        let admitted = match check_preconditions(&snapshot, &asked) {
            Ok(admitted) => Ok(admitted),
            Err(Blocker::Refuse(refusal)) => Err(refusal),
            Err(Blocker::Retry(trouble)) => {
                session.hold(trouble, began).await?;
                continue;
            }
        };
        let seen = session.overview(&snapshot);
        session.reporter.emit(&Event::Seen(Box::new(seen.clone())));
        report.see(seen);
        return Ok((snapshot, admitted));
    }
}

/// The request of the deploy.
fn deploy_request(session: &Session<'_>, wish: &DeploySettings) -> Request {
    Request {
        color: wish.color,
        allow_live: wish.allow_live,
        probes: wish.probes.iter().map(|probe| probe.path.clone()).collect(),
        listener: session.settings.place.listener.clone(),
        hosts: session.settings.place.hosts.clone(),
    }
}

/// A deploy that may begin: prepares, announces, drives.
async fn admitted_deploy(
    session: &Session<'_>,
    wish: &DeploySettings,
    (snapshot, admitted): (&Snapshot, &Preconditions),
    report: &mut Report,
) {
    let Some(service) = snapshot.service(admitted.color) else { return report.refuse(Refusal::NoDevelop) };
    report.color = Some(admitted.color);
    report.service = Some(service.name.clone());
    let wanted = match prepare_content(session, wish, service).await {
        Ok(wanted) => wanted,
        Err(why) => return report_unprepared(report, why),
    };
    report.previous_task_definition = Some(service.task_definition.clone());
    emit_warnings(session, service, admitted, &wanted);
    if wish.image_left_empty {
        report.empty_image = true;
        session.reporter.emit(&Event::Warning(Warning::EmptyImage));
    }
    let named = wanted.commit.clone();
    let goal = deploy_goal(session, wish, admitted.color, wanted);
    if let Some((asked, count)) = kept_count(snapshot, &goal) {
        let kept = Warning::CountKept { color: admitted.color, asked, count };
        session.reporter.emit(&Event::Warning(kept));
    }
    if !announce_plan(session, (snapshot, service), (&goal, named), report).await
        || session.settings.plan_only
    {
        return;
    }
    let operation = DeployOperation { goal: &goal, service: &service.name, run: Run::begin(clock::now()) };
    let mut drive = Drive::new(session, operation);
    let ending = drive.run_to_end(None).await;
    report_ending(&mut drive, ending, report);
    last_look(&mut drive, report).await;
    add_log_tail(session, report).await;
}

/// The goal of the run: the request bound to the color found.
fn deploy_goal(session: &Session<'_>, wish: &DeploySettings, color: ServiceColor, wanted: Wanted) -> Goal {
    Goal {
        request: Request { color: WantedColor::Color(color), ..deploy_request(session, wish) },
        color,
        force: !wanted.unresolved.is_empty(),
        content: wanted.content,
        revision: wanted.revision,
        origin: None,
        desired: wish.desired_count,
        limits: Limits::with_timeout(session.settings.timeout),
        restore_on_cancel: session.settings.restore_on_cancel(),
        managed: session.settings.scaling,
    }
}

/// The report of a deploy without usable content.
fn report_unprepared(report: &mut Report, why: Unprepared) {
    match why {
        Unprepared::Problems(problems) => report.problems(problems),
        Unprepared::Failure(failure) => report.fail(failure),
        Unprepared::Stop(Stop::Signal) => report.cancel(),
        Unprepared::Stop(Stop::AwsError(trouble)) => report.refuse(Refusal::Unread(trouble)),
    }
}

/// Emits the warnings before the deploy.
fn emit_warnings(session: &Session<'_>, service: &Service, admitted: &Preconditions, wanted: &Wanted) {
    let emit = |warning| session.reporter.emit(&Event::Warning(warning));
    let (grace, timeout) = (service.setup.grace, session.settings.timeout);
    if grace >= timeout {
        emit(Warning::GraceTooLong { grace, timeout });
    }
    warn_of_drain(session, service);
    if let (Some(wiring), Some(color)) = (&admitted.wiring, service.color.production())
        && wiring.is_live(color)
    {
        let rules = wiring.user_rules_of(color);
        emit(Warning::LiveColor { color, split: wiring.split(), rules });
    }
    if session.settings.scaling.is_some() {
        warn_unmanaged_policies(session, service);
    }
    for image in &wanted.unresolved {
        emit(Warning::UnresolvedTag { image: image.clone() });
    }
}

/// Warns if old tasks of the service drain for longer than the run waits.
pub(super) fn warn_of_drain(session: &Session<'_>, service: &Service) {
    let timeout = session.settings.timeout;
    if let Some(delay) = drain_delay(service).filter(|delay| *delay >= timeout && service.running > 0) {
        session.reporter.emit(&Event::Warning(Warning::DrainTooLong { delay, timeout }));
    }
}

/// Warns about scaling policies of others.
pub(crate) fn warn_unmanaged_policies(session: &Session<'_>, service: &Service) {
    let names = unmanaged_policies(&session.names.place.cluster, service);
    if !names.is_empty() {
        let warning = Warning::ForeignPolicies { service: service.name.clone(), names };
        session.reporter.emit(&Event::Warning(warning));
    }
}

/// Announces the plan. False if the prediction ends in a refusal, which is then in the report.
async fn announce_plan(
    session: &Session<'_>,
    (snapshot, service): (&Snapshot, &Service),
    (goal, named): (&Goal, Option<String>),
    report: &mut Report,
) -> bool {
    let current = service.definition.as_ref().and_then(|read| read.as_ref().ok());
    let same = current.is_some_and(|current| same_content(&current.content, &goal.content));
    // Only for the plan: the run reads again by itself, and reports an error then.
    let found = match same {
        true => None,
        false => match session.outside.read(async |aws| find_revision(aws, &goal.content).await).await {
            Interrupted::No(found) => found.ok().flatten(),
            Interrupted::Yes => {
                report.cancel();
                return false;
            }
        },
    };
    let steps = match predict_plan(snapshot, goal, found.as_ref().map(|revision| &revision.arn), clock::now())
    {
        Plan::Refuse(refusal) => {
            report.refuse(refusal);
            return false;
        }
        Plan::Steps(steps) => steps,
        Plan::Unknown(_) => Vec::new(),
    };
    let kept = current.filter(|_| same).or(found.as_ref().filter(|_| goal.revision.is_none()));
    let commit = deployed_commit(session, (goal, named), kept);
    if let Some(refusal) = session.refusal_of_deploy(goal.color, commit, report).await {
        report.refuse(refusal);
        return false;
    }
    let changes = current.map_or(Vec::new(), |current| shown_differences(&current.content, &goal.content));
    let now = InitialService { task_definition: service.task_definition.clone(), desired: service.desired };
    let planned = Planned {
        color: goal.color,
        service: service.name.clone(),
        now,
        steps,
        changes,
        longest: Some(of_deploy(goal.limits.timeout)),
    };
    session.reporter.emit(&Event::Plan(Box::new(planned.clone())));
    report.outcome = Outcome::Planned;
    report.plan = Some(planned);
    true
}

/// The commit of the deployed version: of the kept revision with the same content, of the named revision, or of the run.
fn deployed_commit(
    session: &Session<'_>,
    (goal, named): (&Goal, Option<String>),
    kept: Option<&Revision>,
) -> Option<String> {
    let of_run = || session.context.commit().map(str::to_owned);
    let of_new = || if goal.revision.is_some() { named } else { of_run() };
    kept.map_or_else(of_new, |revision| tagged_commit(&revision.tags))
}

/// The differences, safe to show.
pub(super) fn shown_differences(before: &Content, after: &Content) -> Vec<Difference> {
    let shown = |one: ContentChange| Difference {
        path: one.path,
        before: one.before.map(|shown| shown.to_string()),
        after: one.after.map(|shown| shown.to_string()),
    };
    content_differences(before, after).into_iter().map(shown).collect()
}
