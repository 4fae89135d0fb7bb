//! Events as lines of the job log: one line for each change of state, a group for each phase.

mod end;
mod traffic;

use self::end::end_lines;
use super::about::{About, TrafficFacts, color_services, moves_users};
use super::findings::finding_lines;
use super::going_live::going_live_lines;
use super::line::{Level, Line};
use super::names::{format_elapsed, format_shares, in_backticks, one_line, short_arn};
use super::strip::Strip;
use super::{links, status, words};
use crate::event::{Answered, Event, LogLink, Planned};
use crate::failure::Failure;
use crate::plan::cause::Cause;
use crate::plan::color::{ServiceColor, Split};
use crate::plan::step::{RunFailure, Step, Wait};
use crate::plan::time::Time;
use crate::plan::traffic::TrafficPlan;

/// A part of the run with its own group in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LogSection {
    /// Reading the current state.
    ReadScope,
    /// One step.
    Step,
    /// Following the deployment.
    Follow,
    /// Restoring the earlier state.
    Back,
    /// Waiting for healthy targets.
    Capacity,
    /// Holding users at a step.
    Bake,
    /// Watching after all users have been moved.
    Settle,
    /// Waiting for clients kept by stickiness.
    Drain,
}

/// The log's memory from line to line: the open group, and the run's subject.
#[derive(Debug, Default)]
pub(crate) struct LogRenderer {
    /// The open group.
    open: Option<LogSection>,
    /// The run's subject, from the events so far.
    about: About,
    /// True if the command is `status`, whose overview is the result itself.
    is_status: bool,
    /// True if the command is `promote`, which deploys too.
    is_promote: bool,
    /// True if the cause of a failure was logged already.
    told_cause: bool,
    /// The release strip.
    strip: Strip,
}

impl LogRenderer {
    /// The lines of an event.
    pub(crate) fn lines(&mut self, event: &Event, now: Time) -> Vec<Line> {
        let held = self.strip.held().map(|held| held.split);
        self.strip.note(event, now);
        let mut lines = self.event_lines(event);
        let is_next = self.strip.held().is_some_and(|next| held != Some(next.split));
        if is_next || matches!(event, Event::Compared(_)) {
            lines.extend(strip_lines(&self.strip));
        }
        lines
    }

    /// The lines of an event, without the strip.
    fn event_lines(&mut self, event: &Event) -> Vec<Line> {
        match event {
            Event::Started { command, cluster, region } => self.started(command, cluster, region),
            Event::SignedIn { .. } => Vec::new(),
            Event::Warning(warning) => {
                Line::foreign(Level::Warn, &format!("warning: {}", words::render_warning(warning)))
            }
            Event::RollbackUnchecked(color) => {
                vec![Line::own(Level::Dim, words::rollback_unchecked(*color))]
            }
            Event::Seen(overview) => {
                self.about.services = color_services(overview);
                let mut lines = status::status_lines(overview);
                lines.extend(self.close());
                lines
            }
            Event::Examined(findings) => finding_lines(findings),
            Event::Unsimulated(error) => Line::foreign(Level::Dim, &words::not_simulated(error)),
            Event::Plan(planned) => self.plan(planned),
            Event::TrafficPlan(traffic_plan) => self.moving(traffic_plan),
            Event::Moved(split) => self.outside(vec![moved_line(*split)]),
            Event::Adopted { id } => Line::foreign(
                Level::Plain,
                &format!(
                    "a deployment of the same content is under way already; following {}",
                    in_backticks(id)
                ),
            ),
            Event::Recounted(count) => {
                Line::foreign(Level::Warn, &words::render_recount(*count, &self.about))
            }
            Event::Step(step) => self.step(step),
            Event::Probing { url, rule } => {
                let text =
                    format!("probe {}, which the rule {} answers", in_backticks(url), in_backticks(rule));
                Line::foreign(Level::Plain, &text)
            }
            Event::Answered(answer) => answer_lines(answer),
            Event::Waiting { wait, elapsed: time, heartbeat } => {
                let mut lines = self.phase_of(wait);
                lines.extend(self.waiting(wait, &format_elapsed(*time), *heartbeat));
                lines
            }
            Event::TaskFailed { color, cause, logs } => self.task_failed(*color, cause, logs),
            Event::HeldUp { trouble, elapsed: time, tries } => {
                let text = format!("{} {}", format_elapsed(*time), words::held_up(trouble, *tries));
                Line::foreign(Level::Warn, &text)
            }
            Event::RunFailure { failing, cause, logs } => self.run_failed(failing, cause, logs),
            Event::GoingLive(going_live) => going_live_lines(going_live),
            Event::Compared(look) if look.is_new => {
                Line::foreign(Level::Plain, &words::verdict_text(&look.read))
            }
            Event::Compared(_) => Vec::new(),
            Event::Signal { name } => {
                self.outside(vec![Line::own(Level::Warn, format!("{name} came: the run is cancelled"))])
            }
            Event::Ended(report) => self.outside(end_lines(report, self.told_cause)),
        }
    }

    /// The failure of the run, before anything is restored.
    fn run_failed(&mut self, failing: &RunFailure, cause: &Cause, logs: &[LogLink]) -> Vec<Line> {
        let failure = words::render_run_failure(failing, &self.about, cause, None);
        let what = match (self.is_promote, &self.about.users) {
            (true, _) => "the promote fails",
            (false, Some(_)) => "the change of traffic fails",
            (false, None) => "the deploy fails",
        };
        let mut lines = self.outside(failure_lines(what, &failure));
        lines.extend(cause_lines(cause, logs));
        self.told_cause = true;
        lines
    }

    /// The first failed task.
    fn task_failed(&self, color: ServiceColor, cause: &Cause, logs: &[LogLink]) -> Vec<Line> {
        let mut lines = Line::foreign(Level::Warn, &words::task_failed(color, cause, &self.about));
        lines.extend(cause_lines(cause, logs));
        lines
    }

    /// The first lines.
    fn started(&mut self, command: &str, cluster: &str, region: &str) -> Vec<Line> {
        self.is_status = command == "status";
        self.is_promote = command == "promote";
        self.about.users = moves_users(command).then(TrafficFacts::default);
        self.about.cluster = Some(short_arn(cluster).trim_start_matches("cluster/").to_owned());
        self.about.region = Some(region.to_owned());
        let text = format!("{command} in cluster {}, {}", in_backticks(short_arn(cluster)), one_line(region));
        let mut lines = Line::foreign(Level::Plain, &text);
        if !self.is_status && command != "doctor" {
            lines.extend(self.begin(LogSection::ReadScope, "Look at AWS"));
        }
        lines
    }

    /// The plan, in a group of its own.
    fn plan(&mut self, planned: &Planned) -> Vec<Line> {
        self.about.color = Some(planned.color);
        self.about.service = Some(planned.service.clone());
        self.about.before = Some(short_arn(&planned.now.task_definition).to_owned());
        let mut lines = self.begin(LogSection::ReadScope, &format!("Plan for {}", self.about.name()));
        lines.extend(plan_lines(planned));
        lines.extend(self.close());
        lines
    }

    /// The plan of a change of traffic, in a group of its own.
    fn moving(&mut self, traffic_plan: &TrafficPlan) -> Vec<Line> {
        self.about.users = Some(TrafficFacts::told(traffic_plan));
        let mut lines =
            self.begin(LogSection::ReadScope, &format!("Plan: {}", words::render_split_change(traffic_plan)));
        lines.extend(traffic::plan_lines(traffic_plan));
        lines.extend(self.close());
        lines
    }

    /// A step begins.
    fn step(&mut self, step: &Step) -> Vec<Line> {
        if let Step::Weights(_) | Step::Scaling(_) = step {
            self.about.users.get_or_insert_default();
        }
        if let (Step::Update(update), None) = (step, &self.about.users) {
            self.about.color = Some(update.color);
            self.about.service = Some(update.service.clone());
        }
        self.begin(LogSection::Step, &words::render_step(step))
    }

    /// The group of a wait, begun if not open yet.
    fn phase_of(&mut self, wait: &Wait) -> Vec<Line> {
        let of_users = words::wait_title(wait).unwrap_or_default();
        let (phase, title) = match wait {
            Wait::AwsError(_)
            | Wait::UnansweredWrite(_)
            | Wait::Probe
            | Wait::Rule { .. }
            | Wait::Weights { .. }
            | Wait::Count { .. }
            | Wait::Repeat(_) => return Vec::new(),
            Wait::Deployment(_) => {
                (LogSection::Follow, format!("Follow the deployment of {}", self.about.name()))
            }
            Wait::Rollback { .. } | Wait::Restore { .. } => {
                (LogSection::Back, format!("Watch {} go back", self.about.name()))
            }
            Wait::Capacity(_) => (LogSection::Capacity, of_users),
            Wait::Bake { .. } | Wait::Counts { .. } => (LogSection::Bake, of_users),
            Wait::Settle { .. } => (LogSection::Settle, of_users),
            Wait::Drain { .. } => (LogSection::Drain, of_users),
        };
        if self.open == Some(phase) { Vec::new() } else { self.begin(phase, &title) }
    }

    /// One line of waiting.
    fn waiting(&self, wait: &Wait, time: &str, heartbeat: bool) -> Vec<Line> {
        let color = self.about.color.filter(|_| self.about.users.is_none());
        let color = color.map(|color| format!("{color}: ")).unwrap_or_default();
        let still = if heartbeat { "; nothing changed" } else { "" };
        let level = match wait {
            Wait::AwsError(_) | Wait::UnansweredWrite(_) | Wait::Probe | Wait::Repeat(_) => Level::Warn,
            Wait::Deployment(_)
            | Wait::Rollback { .. }
            | Wait::Restore { .. }
            | Wait::Capacity(_)
            | Wait::Rule { .. }
            | Wait::Weights { .. }
            | Wait::Count { .. }
            | Wait::Bake { .. }
            | Wait::Counts { .. }
            | Wait::Settle { .. }
            | Wait::Drain { .. } => {
                if heartbeat {
                    Level::Dim
                } else {
                    Level::Plain
                }
            }
        };
        Line::foreign(level, &format!("{time} {color}{}{still}", words::render_wait(wait)))
    }

    /// Begins a group and ends an open group.
    fn begin(&mut self, phase: LogSection, title: &str) -> Vec<Line> {
        let mut lines = self.close();
        lines.extend(Line::foreign(Level::GroupStart, title));
        self.open = Some(phase);
        lines
    }

    /// Ends the open group.
    fn close(&mut self) -> Vec<Line> {
        self.open.take().map(|_| Line::own(Level::GroupEnd, "")).into_iter().collect()
    }

    /// Lines outside of any group.
    fn outside(&mut self, lines: Vec<Line>) -> Vec<Line> {
        let mut all = self.close();
        all.extend(lines);
        all
    }
}

/// A failure: the error in bad, the hint in plain.
fn failure_lines(label: &str, failure: &Failure) -> Vec<Line> {
    let mut lines = Line::foreign(Level::Bad, &format!("{label}: {}", failure.what));
    lines.extend(Line::foreign(Level::Plain, &failure.hint));
    lines
}

/// The release strip.
fn strip_lines(strip: &Strip) -> Vec<Line> {
    strip.lines().iter().flat_map(|line| Line::foreign(Level::Plain, line)).collect()
}

/// The arrival of all users.
fn moved_line(split: Split) -> Line {
    let text = format!("all production rules hold {split} ({}), read back from AWS", format_shares(split));
    Line::own(Level::Good, text)
}

/// The steps and the differences of a plan.
fn plan_lines(planned: &Planned) -> Vec<Line> {
    let now = short_arn(&planned.now.task_definition);
    let mut lines = Line::foreign(
        Level::Plain,
        &format!("now: {}, desired count {}", in_backticks(now), planned.now.desired),
    );
    for difference in &planned.changes {
        for text in words::diff_lines(difference) {
            let level = if text.starts_with('+') { Level::Good } else { Level::Bad };
            lines.extend(Line::foreign(level, &text));
        }
    }
    // A promote by copy logs its steps with the change of traffic that follows.
    if planned.steps.is_empty() && planned.changes.is_empty() {
        lines.push(Line::own(Level::Plain, "nothing to change; its health is confirmed"));
    }
    for (at, step) in planned.steps.iter().enumerate() {
        lines.extend(Line::foreign(Level::Plain, &format!("{}. {}", at + 1, words::render_step(step))));
    }
    lines.extend(planned.longest.map(|longest| Line::own(Level::Plain, words::job_time(longest))));
    lines
}

/// The answer of a step.
fn answer_lines(answer: &Answered) -> Vec<Line> {
    match answer {
        Answered::Found(arn) => Line::foreign(
            Level::Plain,
            &format!("{} has this content already; nothing to register", in_backticks(short_arn(arn))),
        ),
        Answered::Registered(arn) => {
            Line::foreign(Level::Good, &format!("registered {}", in_backticks(short_arn(arn))))
        }
        Answered::Updated(Some(id)) => {
            Line::foreign(Level::Good, &format!("updated; the deployment is {}", in_backticks(id)))
        }
        Answered::Updated(None) => {
            vec![Line::own(Level::Good, "updated; this change has no deployment of its own")]
        }
        Answered::ProbesPassed(1) => vec![Line::own(Level::Good, "the probe passed")],
        Answered::ProbesPassed(all) => vec![Line::own(Level::Good, format!("all {all} probes passed"))],
        Answered::AwsError(trouble) => Line::foreign(Level::Warn, &words::refused_for_now(trouble)),
    }
}

/// The findings after the first, and the links to the logs.
fn cause_lines(cause: &Cause, logs: &[LogLink]) -> Vec<Line> {
    let mut lines = Vec::new();
    for finding in cause.findings.iter().skip(1) {
        lines.extend(Line::foreign(Level::Warn, &format!("also: {}", words::render_finding(finding).0)));
    }
    for link in logs {
        let text = format!(
            "log of {} in task {}: {}",
            in_backticks(&link.container),
            one_line(&link.task),
            links::log_stream(link)
        );
        lines.extend(Line::foreign(Level::Plain, &text));
    }
    lines
}

#[cfg(test)]
mod tests;
