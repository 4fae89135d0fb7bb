//! From the environment to a session, and from a report to the exit code.

mod sign_in;

use std::cell::RefCell;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use self::sign_in::{caller_identity, proxies, sign_in, wrong_account};
use super::confirm::PATIENCE;
use super::doctor::{diagnose_sign_in, run_doctor};
use super::feedback::{self, Feedback, PostState};
use super::outside::{Interrupted, Outside};
use super::post::{finish_run, not_understood, unread_report};
use super::promote::run_promote;
use super::redirect::{roll_back, run_redirect};
use super::session::Session;
use super::state::{self, Found, Phase, State};
use super::{deploy::run_deploy, status::run_status};
use crate::action::context::Context;
use crate::action::env::{Entry, Environment};
use crate::action::files;
use crate::action::github::RunEvent;
use crate::action::settings::{Command, Settings, read_inputs};
use crate::aws::{Access, Attempt, Means, Names};
use crate::clock::{self, Clock};
use crate::config::definition_file::read_definition_file;
use crate::event::{Event, Report, Warning};
use crate::failure::Failure;
use crate::http;
use crate::plan::definition::Content;
use crate::plan::doctor::principal_arn;
use crate::plan::problem::Problem;
use crate::plan::snapshot::Place;
use crate::plan::step::Refusal;
use crate::plan::wanted::{DefinitionSource, Text};
use crate::report::{secrets, words};
use crate::reporter::{self, Log, Reporter, mask_value, print_debug};
use crate::signals::Signals;

/// Everything that a run gets from the machine.
pub struct Machine {
    /// The variables, the folder, and which step it is.
    pub environment: Environment,
    /// Time and waiting.
    pub clock: Arc<dyn Clock>,
    /// The destination of its lines.
    pub log: Log,
    /// The means to reach AWS.
    pub aws: Means,
}

/// The step that this machine is to run, until its end or a signal. The run stays on this thread: it needs a runtime of
/// one thread, or a set of local tasks.
pub async fn step(machine: &Machine, signals: Signals) -> ExitCode {
    clock::go_by(machine.clock.clone());
    secrets::forget();
    let step = async {
        match machine.environment.entry() {
            Entry::Main => main_step(machine, signals).await,
            Entry::Post => post_step(machine, signals).await,
        }
    };
    reporter::logging(machine.log.clone(), step).await
}

/// The main step, from the inputs to the exit code.
async fn main_step(machine: &Machine, signals: Signals) -> ExitCode {
    let env = &machine.environment;
    let (mut context, event) = run_surroundings(env);
    let read = read_inputs(env, &|path: &Path| files::read_text(env, path));
    if let Ok((settings, _)) = &read {
        feedback::find_head(env, settings, &mut context, &event).await;
    }
    let reporter = Reporter::new(env, &context, clock::now());
    reporter.mask_credentials();
    let (settings, warnings) = match read {
        Ok(read) => read,
        Err(problems) => return reporter.end(bad_input(problems)),
    };
    let command = settings.command.name();
    hide_inputs(env, &settings);
    let http = http_client(&context);
    let told = (&reporter, &context, &event);
    let feedback = Feedback::start(env, &settings, told, signals.clone(), http.as_ref().ok());
    emit_started(&reporter, &settings, command);
    for warning in warnings {
        reporter.emit(&Event::Warning(Warning::Text(warning.to_string())));
    }
    let reads = matches!(settings.command, Command::Status | Command::Doctor(_));
    let writes = !settings.plan_only && !reads;
    feedback.begin(writes.then_some(command));
    let session = open_session(machine, &settings, (&reporter, &context), signals, http).await;
    let report = match &session {
        Err(report) if matches!(settings.command, Command::Doctor(_)) => {
            diagnose_sign_in(&reporter, &settings, (**report).clone())
        }
        Err(report) => Report { command, ..(**report).clone() },
        Ok(session) => match &settings.command {
            Command::Deploy(wish) => run_deploy(session, wish).await,
            Command::Redirect(wish) => run_redirect(session, wish).await,
            Command::Rollback(asked) => roll_back(session, asked).await,
            Command::Promote(promotion) => run_promote(session, promotion).await,
            Command::Status => run_status(session).await,
            Command::Doctor(facts) => run_doctor(session, facts).await,
        },
    };
    let code = reporter.end(report);
    feedback.finish().await;
    if let Ok(session) = &session {
        session.close_ended();
    }
    code
}

/// The post step's work in AWS.
enum Open {
    /// Nothing.
    Nothing,
    /// A run that was killed before it reported its end.
    Run(Box<State>),
    /// An unreadable saved state.
    Unknown,
}

impl Open {
    /// The main step's unfinished work: an end that GitHub only has to show needs nothing from AWS.
    fn of(env: &Environment, kept: &Found<PostState>) -> Open {
        match (Found::<State>::of(env.state(state::NAME)), kept) {
            (Found::Run(state), kept) => match state.phase() {
                Phase::Deploying | Phase::Restoring => Open::Run(state),
                Phase::Ended(_) if matches!(kept, Found::Run(kept) if kept.is_told()) => Open::Nothing,
                Phase::Ended(_) => Open::Run(state),
                Phase::Done => Open::Nothing,
            },
            (Found::Unknown, _) | (Found::Nothing, Found::Unknown) => Open::Unknown,
            (Found::Nothing, _) => Open::Nothing,
        }
    }
}

/// The post step: quiet if the main step ended by itself.
async fn post_step(machine: &Machine, signals: Signals) -> ExitCode {
    let env = &machine.environment;
    let kept = PostState::found(env);
    let open = Open::of(env, &kept);
    let kept = match kept {
        Found::Run(kept) if *kept != PostState::Done => Some(*kept),
        Found::Run(_) | Found::Nothing | Found::Unknown => None,
    };
    if matches!(open, Open::Nothing) && kept.is_none() {
        return ExitCode::SUCCESS;
    }
    let (mut context, event) = run_surroundings(env);
    let read = read_inputs(env, &|path: &Path| files::read_text(env, path));
    if let Ok((settings, _)) = &read {
        feedback::find_head(env, settings, &mut context, &event).await;
    }
    let reporter = Reporter::new(env, &context, clock::now());
    reporter.mask_credentials();
    let (settings, _) = match read {
        Ok(read) => read,
        Err(problems) => return reporter.end(bad_input(problems)),
    };
    hide_inputs(env, &settings);
    let http = http_client(&context);
    let told = (&reporter, &context, &event);
    let feedback = Feedback::start(env, &settings, told, signals.clone(), http.as_ref().ok());
    if matches!(open, Open::Nothing) {
        // Nothing is open in AWS, so AWS is not read.
        if let Some(kept) = kept {
            feedback.catch_up(kept).await;
        }
        return ExitCode::SUCCESS;
    }
    emit_started(&reporter, &settings, "post");
    let report = match (open_session(machine, &settings, (&reporter, &context), signals, http).await, &open) {
        (Err(report), _) => unread_report(settings.command.name(), *report),
        (Ok(session), Open::Run(left)) => finish_run(&session, left).await,
        (Ok(session), Open::Nothing | Open::Unknown) => not_understood(&session).await,
    };
    let code = reporter.end(report);
    feedback.finish().await;
    code
}

/// The runner's facts about the run, and the event that started the run.
fn run_surroundings(env: &Environment) -> (Context, RunEvent) {
    let event = RunEvent::read(env, &|path: &Path| files::read_text(env, path));
    let mut context = Context::new(env);
    context.is_about(event.head.clone(), event.branch.clone());
    context.is_fork = event.fork;
    (context, event)
}

/// The HTTP client of the run, or the error.
fn http_client(context: &Context) -> Result<reqwest::Client, String> {
    http::build_client(run_id(context))
}

/// The run's number, for names.
pub(crate) fn run_id(context: &Context) -> &str {
    context.run_id.as_deref().unwrap_or("local")
}

/// Reports the start of the run.
fn emit_started(reporter: &Reporter<'_>, settings: &Settings, command: &'static str) {
    let (cluster, region) = (settings.place.cluster.clone(), settings.region.clone());
    reporter.emit(&Event::Started { command, cluster, region });
}

/// The report of invalid inputs: all problems at once.
fn bad_input(problems: Vec<Problem>) -> Report {
    let mut report = Report::new("");
    report.problems(problems);
    report
}

/// Hides the values of the inputs `environment`, `secrets` and of a task definition's file, here and by the runner, before
/// the first call of AWS.
fn hide_inputs(env: &Environment, settings: &Settings) {
    let Command::Deploy(wish) = &settings.command else { return };
    let file = match &wish.definition {
        DefinitionSource::File(path) => read_definition(env, path),
        DefinitionSource::Current | DefinitionSource::Named(_) => None,
    };
    let changes = wish.environment.iter().chain(&wish.secrets);
    let given = changes.filter_map(|change| change.value.as_ref().map(Text::reveal));
    for value in given.chain(file.iter().flat_map(Content::environment_values)) {
        secrets::register_secrets([value]);
        secrets::secret_lines(value).for_each(mask_value);
    }
}

/// The content of a task definition's file. None if unusable, which the deploy reports.
fn read_definition(env: &Environment, path: &Path) -> Option<Content> {
    let text = files::read_text(env, path).ok()?;
    read_definition_file(&path.display().to_string(), &text).ok()
}

/// Writes an attempt of a call to the debug log.
fn trace_attempt(attempt: &Attempt) {
    let Attempt { service, operation, status, request, took } = attempt;
    print_debug(&words::render_attempt(
        &format!("{service} {operation}"),
        *status,
        request.as_deref(),
        *took,
    ));
}

/// The surroundings of a run: clients, and the account of the credentials.
async fn open_session<'a>(
    machine: &'a Machine,
    settings: &'a Settings,
    (reporter, context): (&'a Reporter<'a>, &'a Context),
    signals: Signals,
    http: Result<reqwest::Client, String>,
) -> Result<Session<'a>, Box<Report>> {
    let (env, run) = (&machine.environment, run_id(context));
    let http = http.map_err(|why| failed_report(words::no_http_client(&why)))?;
    words::name_proxies(proxies(env, &settings.region));
    let sign_in = sign_in(env, settings, (context, &http))?;
    let app_name = format!("ecs-blue-green-run-{run}");
    let access = Access {
        region: settings.region.clone(),
        app_name,
        sign_in,
        means: machine.aws.clone(),
        trace: context.debug.then_some(trace_attempt),
        definitions: secrets::register_definition,
    };
    let Interrupted::No(outside) = Outside::reach(&access, signals.clone()).await else {
        return Err(cancelled_report());
    };
    let caller = match outside.read(async |aws| caller_identity(aws, settings, reporter).await).await {
        Interrupted::Yes => return Err(cancelled_report()),
        Interrupted::No(caller) => caller.map_err(|trouble| {
            let mut report = Report::new("");
            report.refuse(Refusal::Unread(trouble));
            Box::new(report)
        })?,
    };
    feedback::keep_place(env, settings, &caller.account, reporter);
    reporter.emit(&Event::SignedIn { account: caller.account.clone() });
    if let Some(failure) = wrong_account(settings, &caller) {
        return Err(failed_report(failure));
    }
    let role = settings.role.as_ref().map(|role| role.arn.clone());
    let principal = role.or_else(|| principal_arn(&caller.arn));
    let name = |given: &str| given.rsplit('/').next().unwrap_or(given).to_owned();
    let place = Place {
        partition: caller.partition,
        account: caller.account,
        region: settings.region.clone(),
        cluster: name(&settings.place.cluster),
    };
    let services = settings.place.services().into_iter().map(|(color, given)| (color, name(given))).collect();
    Ok(Session {
        env,
        settings,
        context,
        outside,
        names: Names { place, services, alarms: settings.alarms().to_vec() },
        principal,
        reporter,
        signals,
        patience: match env.entry() {
            Entry::Main => settings.timeout,
            Entry::Post => settings.timeout.min(PATIENCE),
        },
        told: RefCell::default(),
        foreign: RefCell::default(),
        rules: RefCell::default(),
        saved: RefCell::default(),
    })
}

/// A failure as a report.
fn failed_report(failure: Failure) -> Box<Report> {
    let mut report = Report::new("");
    report.fail(failure);
    Box::new(report)
}

/// The report of a run that was cancelled before its start.
fn cancelled_report() -> Box<Report> {
    let mut report = Report::new("");
    report.cancel();
    Box::new(report)
}
