//! Sends events to the log, and the end of a run to log, summary and outputs.

use std::cell::RefCell;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use crate::action::commands::{self, Annotations, Level};
use crate::action::context::Context;
use crate::action::env::Environment;
use crate::action::files;
use crate::clock;
use crate::event::{Event, Report};
use crate::feedback::Posted;
use crate::plan::time::Time;
use crate::report::line::{self, Line};
use crate::report::log;
use crate::report::{outputs, posting, summary, words};

/// Tells the user.
pub(crate) struct Reporter<'a> {
    /// Where the file commands are.
    env: &'a Environment,
    /// Whether the log has colors.
    color: bool,
    /// When the run began.
    began: Time,
    /// Counts annotations.
    annotations: RefCell<Annotations>,
    /// Renders events.
    log: RefCell<log::Log>,
    /// Who else is told of each event.
    listener: RefCell<Option<Listener>>,
}

/// Is told of each event as it happens.
type Listener = Box<dyn Fn(&Event)>;

impl<'a> Reporter<'a> {
    /// A reporter for a run that begins now.
    pub(crate) fn new(env: &'a Environment, context: &Context, began: Time) -> Self {
        let color = !context.no_color;
        Reporter {
            env,
            color,
            began,
            annotations: RefCell::default(),
            log: RefCell::default(),
            listener: RefCell::default(),
        }
    }

    /// Has the runner hide the credentials, before anything else is printed.
    pub(crate) fn mask_credentials(&self) {
        for name in
            ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "INPUT_TOKEN"]
        {
            mask(self.env.var(name).unwrap_or_default());
        }
    }

    /// Tells each event to somebody else, too.
    pub(crate) fn also_tell(&self, listener: impl Fn(&Event) + 'static) {
        *self.listener.borrow_mut() = Some(Box::new(listener));
    }

    /// One more line of the log, in words of ours.
    pub(crate) fn remark(&self, text: &str) {
        self.line(&Line::own(line::Level::Dim, text));
    }

    /// Ends what is told of GitHub: where the comment is, and the one notice of what was not posted.
    pub(crate) fn posted(&self, posted: &Posted, fork: bool) {
        if let Some(url) = &posted.comment_url
            && let Err(error) = files::set_output(self.env, "comment-url", url)
        {
            self.file_trouble("the outputs", &error);
        }
        if posted.no_pull_request {
            self.remark(posting::NO_PULL_REQUEST);
        }
        let Some(notice) = posting::notice(posted, fork) else { return };
        print(&self.annotations.borrow_mut().next(Level::Notice, "ECS Blue/Green", &notice));
        if let Err(error) = files::append_summary(self.env, &posting::note(&notice)) {
            self.file_trouble("the job summary", &error);
        }
    }

    /// Renders an event into the log.
    pub(crate) fn emit(&self, event: &Event) {
        if let Some(listener) = &*self.listener.borrow() {
            listener(event);
        }
        if let Event::Warning(warning) = event {
            let text = words::warning(warning);
            print(&self.annotations.borrow_mut().next(Level::Warning, "ECS Blue/Green", &text));
            return;
        }
        let lines = self.log.borrow_mut().lines(event);
        for line in lines {
            self.line(&line);
        }
    }

    /// Prints one line of the log. A line with text from outside can't be read as a command of the runner.
    fn line(&self, line: &Line) {
        match line.level {
            line::Level::GroupStart => print(&commands::group(&commands::clean(&line.text))),
            line::Level::GroupEnd => print(commands::endgroup()),
            line::Level::Plain
            | line::Level::Good
            | line::Level::Warn
            | line::Level::Bad
            | line::Level::Dim => {
                let safe = Line { text: commands::harmless(&line.text), ..line.clone() };
                print(&line::paint(&safe, self.color));
            }
        }
    }

    /// A file of the runner that can't be written is told, and stops nothing.
    pub(crate) fn file_trouble(&self, what: &str, error: &io::Error) {
        let text = words::file_trouble(what, &error.to_string());
        print(&self.annotations.borrow_mut().next(Level::Warning, "ECS Blue/Green", &text));
    }

    /// Ends the run: the last lines, one titled error, the summary, the outputs, the exit code.
    pub(crate) fn end(&self, mut report: Report) -> ExitCode {
        report.duration = clock::now().since(self.began);
        if report.outcome.exit_code() != 0 && words::failure(&report).is_none() {
            let failure = words::internal(&words::broken_at(None));
            report.reason = report.reason.or(Some(failure.reason));
            report.failure = Some(failure);
        }
        let outcome = report.outcome;
        self.emit(&Event::Ended(Box::new(report.clone())));
        if let Some(failure) = words::failure(&report) {
            let message = format!("{}\n{}", failure.what, failure.hint);
            print(&self.annotations.borrow_mut().next(Level::Error, &words::title(&report), &message));
        }
        if let Err(error) = files::append_summary(self.env, &summary::summary(&report)) {
            self.file_trouble("the job summary", &error);
        }
        for (name, value) in outputs::outputs(&report) {
            if let Err(error) = files::set_output(self.env, name, &value) {
                self.file_trouble("the outputs", &error);
                break;
            }
        }
        ExitCode::from(outcome.exit_code())
    }
}

/// Has the runner hide a value from here on.
pub(crate) fn mask(value: &str) {
    if let Some(line) = commands::mask(value) {
        print(&line);
    }
}

/// A line that the runner shows only to a job with debug logging.
pub(crate) fn debug(text: &str) {
    print(&commands::debug(text));
}

/// Where the lines of a run go.
pub type Log = Arc<Mutex<dyn Write + Send>>;

tokio::task_local! {
    /// Where the lines of this run go.
    static LOG: Log;
}

/// Sends the lines of a run there.
pub(crate) async fn logging<T>(log: Log, run: impl Future<Output = T>) -> T {
    LOG.scope(log, run).await
}

/// Prints a line: to the log of the run, or to standard output before a run and after its end. A closed pipe is no reason
/// to stop in the middle of a deploy.
fn print(line: &str) {
    let to = |out: &mut dyn Write| writeln!(out, "{line}").and_then(|()| out.flush());
    let of_run = |log: &Log| to(&mut *log.lock().unwrap_or_else(PoisonError::into_inner));
    let _ = LOG.try_with(of_run).unwrap_or_else(|_| to(&mut io::stdout().lock()));
}
