//! Sends events to the log, and the end of a run to log, summary and outputs.

use std::cell::RefCell;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use crate::action::commands::{self, AnnotationLevel, Annotations};
use crate::action::context::Context;
use crate::action::env::Environment;
use crate::action::files;
use crate::clock;
use crate::event::{Event, Report};
use crate::feedback::Posted;
use crate::plan::time::Time;
use crate::report::line::{self, Line};
use crate::report::log;
use crate::report::timeline::Timeline;
use crate::report::{github_texts, outputs, summary, words};

/// Reports events to the user.
pub(crate) struct Reporter<'a> {
    /// The process environment, with the paths of the runner's files.
    env: &'a Environment,
    /// True if the log has colors.
    color: bool,
    /// Begin of the run.
    began: Time,
    /// The page of the run.
    run_url: Option<String>,
    /// Counts annotations.
    annotations: RefCell<Annotations>,
    /// Renders events.
    log: RefCell<log::LogRenderer>,
    /// The phases of the run, for the summary.
    timeline: RefCell<Timeline>,
    /// Another receiver of each event.
    listener: RefCell<Option<Listener>>,
}

/// A receiver of each event as it happens.
type Listener = Box<dyn Fn(&Event)>;

impl<'a> Reporter<'a> {
    /// A reporter for a run that begins now.
    pub(crate) fn new(env: &'a Environment, context: &Context, began: Time) -> Self {
        let color = !context.no_color;
        Reporter {
            env,
            color,
            began,
            run_url: context.run_url(),
            annotations: RefCell::default(),
            log: RefCell::default(),
            timeline: RefCell::default(),
            listener: RefCell::default(),
        }
    }

    /// Masks the credentials in the runner's log, before anything else is printed.
    pub(crate) fn mask_credentials(&self) {
        for name in
            ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "INPUT_TOKEN"]
        {
            mask_value(self.env.var(name).unwrap_or_default());
        }
    }

    /// Sends each event to a second receiver, too.
    pub(crate) fn also_tell(&self, listener: impl Fn(&Event) + 'static) {
        *self.listener.borrow_mut() = Some(Box::new(listener));
    }

    /// An extra line of the log, with the action's own words.
    pub(crate) fn remark(&self, text: &str) {
        self.line(&Line::own(line::Level::Dim, text));
    }

    /// Ends the report about GitHub: the comment's URL, and one notice about unposted parts.
    pub(crate) fn posted(&self, posted: &Posted, fork: bool) {
        if let Some(url) = &posted.comment_url
            && let Err(error) = files::set_output(self.env, "comment-url", url)
        {
            self.file_trouble("the outputs", &error);
        }
        if posted.no_pull_request {
            self.remark(github_texts::NO_PULL_REQUEST);
        }
        let Some(notice) = github_texts::unposted_notice(posted, fork) else { return };
        print_line(&self.annotations.borrow_mut().next(AnnotationLevel::Notice, "ECS Blue/Green", &notice));
        if let Err(error) = files::append_summary(self.env, &github_texts::notice_paragraph(&notice)) {
            self.file_trouble("the job summary", &error);
        }
    }

    /// Renders an event into the log.
    pub(crate) fn emit(&self, event: &Event) {
        if let Some(listener) = &*self.listener.borrow() {
            listener(event);
        }
        if let Event::Warning(warning) = event {
            let text = words::render_warning(warning);
            print_line(&self.annotations.borrow_mut().next(
                AnnotationLevel::Warning,
                "ECS Blue/Green",
                &text,
            ));
            return;
        }
        let now = clock::now();
        self.timeline.borrow_mut().note(event, now);
        let lines = self.log.borrow_mut().lines(event, now);
        for line in lines {
            self.line(&line);
        }
    }

    /// Prints a line of the log. The runner can't take a line with foreign text for a command.
    fn line(&self, line: &Line) {
        match line.level {
            line::Level::GroupStart => {
                print_line(&commands::group_command(&commands::strip_control_chars(&line.text)))
            }
            line::Level::GroupEnd => print_line(commands::endgroup_command()),
            line::Level::Plain
            | line::Level::Good
            | line::Level::Warn
            | line::Level::Bad
            | line::Level::Dim => {
                let safe = Line { text: commands::without_commands(&line.text), ..line.clone() };
                print_line(&line::paint_line(&safe, self.color));
            }
        }
    }

    /// Warns about an unwritable file of the runner; the run goes on.
    pub(crate) fn file_trouble(&self, what: &str, error: &io::Error) {
        let text = words::file_trouble(what, &error.to_string());
        print_line(&self.annotations.borrow_mut().next(AnnotationLevel::Warning, "ECS Blue/Green", &text));
    }

    /// Ends the run: the last lines, one titled error, the summary, the outputs, the exit code.
    pub(crate) fn end(&self, mut report: Report) -> ExitCode {
        report.duration = clock::now().since(self.began);
        if report.outcome.exit_code() != 0 && words::end_failure(&report).is_none() {
            let failure = words::internal_failure(&words::broken_at(None));
            report.reason = report.reason.or(Some(failure.reason));
            report.failure = Some(failure);
        }
        let outcome = report.outcome;
        self.emit(&Event::Ended(Box::new(report.clone())));
        if let Some(failure) = words::end_failure(&report) {
            let message = format!("{}\n{}", failure.what, failure.hint);
            print_line(&self.annotations.borrow_mut().next(
                AnnotationLevel::Error,
                &words::error_title(&report),
                &message,
            ));
        }
        if let Err(error) =
            files::append_summary(self.env, &summary::render_summary(&report, &self.timeline.borrow()))
        {
            self.file_trouble("the job summary", &error);
        }
        for (name, value) in outputs::action_outputs(&report, self.run_url.as_deref()) {
            if let Err(error) = files::set_output(self.env, name, &value) {
                self.file_trouble("the outputs", &error);
                break;
            }
        }
        ExitCode::from(outcome.exit_code())
    }
}

/// Masks a value in the runner's log from here on.
pub(crate) fn mask_value(value: &str) {
    if let Some(line) = commands::mask_command(value) {
        print_line(&line);
    }
}

/// A line that the runner shows only to a job with debug logging.
pub(crate) fn print_debug(text: &str) {
    print_line(&commands::debug_command(text));
}

/// The destination of a run's lines.
pub type Log = Arc<Mutex<dyn Write + Send>>;

tokio::task_local! {
    /// The destination of this run's lines.
    static LOG: Log;
}

/// Sends the lines of a run there.
pub(crate) async fn logging<T>(log: Log, run: impl Future<Output = T>) -> T {
    LOG.scope(log, run).await
}

/// Prints a line: to the log of the run, or to standard output before a run and after its end. A closed pipe is no reason
/// to stop in the middle of a deploy.
fn print_line(line: &str) {
    let to = |out: &mut dyn Write| writeln!(out, "{line}").and_then(|()| out.flush());
    let of_run = |log: &Log| to(&mut *log.lock().unwrap_or_else(PoisonError::into_inner));
    let _ = LOG.try_with(of_run).unwrap_or_else(|_| to(&mut io::stdout().lock()));
}
