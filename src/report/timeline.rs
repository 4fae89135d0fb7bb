//! The timeline of a run for the summary: a chart of its phases, and the weights, requests and failures of each minute.

use std::time::Duration;

use super::markdown::folded;
use super::names::clock_time;
use super::words::format_count;
use crate::event::Event;
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::compare::{Minute, MinuteOfColor};
use crate::plan::step::{Purpose, Step, Wait};
use crate::plan::time::Time;

/// Most bars of the chart; the last ones are kept, with the end of the run.
const MOST_BARS: usize = 40;

/// Most minutes of the table; the last ones are kept.
const MOST_MINUTES: usize = 60;

/// The phases of a run with their times, from its events.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    /// The phases, each until the start of the next.
    phases: Vec<(Phase, Time)>,
    /// The splits of users, each until the next.
    splits: Vec<(Split, Time)>,
    /// The minutes that the last look at the load balancer's counts read.
    minutes: Vec<Minute>,
    /// The end.
    ended: Option<Time>,
}

/// A phase of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The run reads AWS, checks and plans.
    Look,
    /// A color gets a version.
    Deploy(ServiceColor),
    /// The probes of a color.
    Probe(ServiceColor),
    /// The run waits for healthy targets of a color.
    Capacity(Color),
    /// Users at this split.
    Users(Split),
    /// The run watches a color that has got all users.
    Settle(Color),
    /// The run waits for clients that stay on a color.
    Drain(Color),
    /// The run restores the earlier state.
    Back,
}

impl Timeline {
    /// Notes an event.
    pub(crate) fn note(&mut self, event: &Event, now: Time) {
        match event {
            Event::Started { .. } => self.begin(Phase::Look, now),
            Event::Seen(overview) => {
                if let Some(split) = overview.known_split() {
                    self.users_at(split, now);
                }
            }
            Event::Moved(split) => self.users_at(*split, now),
            Event::Step(step) => self.step(step, now),
            Event::Waiting { wait, .. } => self.wait(wait, now),
            Event::RunFailure { .. } => self.begin(Phase::Back, now),
            Event::Compared(look) if !look.minutes.is_empty() => self.minutes.clone_from(&look.minutes),
            Event::Ended(_) => self.ended = Some(now),
            _ => {}
        }
    }

    /// Begins a phase, unless the run is in it, or on its way back.
    fn begin(&mut self, phase: Phase, now: Time) {
        let current = self.phases.last().map(|(phase, _)| *phase);
        if current != Some(phase) && current != Some(Phase::Back) {
            self.phases.push((phase, now));
        }
    }

    /// Notes the split of users.
    fn users_at(&mut self, split: Split, now: Time) {
        if self.splits.last().is_none_or(|(last, _)| *last != split) {
            self.splits.push((split, now));
        }
    }

    /// Notes a step.
    fn step(&mut self, step: &Step, now: Time) {
        match step {
            Step::Update(update) if update.rolls() => self.begin(Phase::Deploy(update.color), now),
            Step::Probe(color) => self.begin(Phase::Probe(*color), now),
            Step::Weights(weights) if weights.purpose != Purpose::Restore => {
                self.begin(Phase::Users(weights.after), now)
            }
            _ => {}
        }
    }

    /// Notes a wait.
    fn wait(&mut self, wait: &Wait, now: Time) {
        match wait {
            Wait::Bake { split, .. } | Wait::Counts { split, .. } => {
                self.users_at(*split, now);
                self.begin(Phase::Users(*split), now);
            }
            Wait::Capacity(capacity) => self.begin(Phase::Capacity(capacity.color), now),
            Wait::Settle { color, .. } => self.begin(Phase::Settle(*color), now),
            Wait::Drain { color, .. } => self.begin(Phase::Drain(*color), now),
            Wait::Rollback { .. } | Wait::Restore { .. } => self.begin(Phase::Back, now),
            _ => {}
        }
    }

    /// The timeline as a part of the summary. Empty for a run that only looked.
    pub(super) fn section(&self) -> String {
        folded("Timeline", &(self.chart() + &self.minute_table()))
    }

    /// The chart. Empty if no phase after the first took a second.
    fn chart(&self) -> String {
        let ends = self.phases.iter().skip(1).map(|(_, start)| *start).chain(self.ended);
        let began = self.phases.first().map(|(_, start)| *start).unwrap_or_default();
        let times =
            self.phases.iter().zip(ends).map(|((phase, start), end)| {
                (*phase, start.since(began).as_secs(), end.since(began).as_secs())
            });
        let lines: Vec<String> = times.filter(|(_, start, end)| end > start).map(render_bar).collect();
        if lines.len() < 2 {
            return String::new();
        }
        let lines = &lines[lines.len().saturating_sub(MOST_BARS)..];
        let head =
            "gantt\n    title Time since the start\n    dateFormat HH:mm:ss\n    axisFormat %H:%M:%S\n";
        format!("```mermaid\n{head}{}```\n\n", lines.concat())
    }

    /// The table of the minutes of this run. Empty if the load balancer's counts were not read.
    fn minute_table(&self) -> String {
        let Some((_, began)) = self.phases.first() else { return String::new() };
        let minute = Duration::from_secs(60);
        let of_run = |it: &&Minute| it.start.after(minute) > *began;
        let mut minutes: Vec<&Minute> = self.minutes.iter().filter(of_run).collect();
        minutes.sort_by_key(|it| it.start);
        let rows: Vec<String> =
            minutes.iter().rev().take(MOST_MINUTES).rev().map(|it| self.row(it)).collect();
        if rows.is_empty() {
            return String::new();
        }
        let head = "| minute (UTC) | set for green | blue: requests | failed | green: requests | failed |\n";
        format!("{head}|---|---|---|---|---|---|\n{}\n", rows.concat())
    }

    /// One minute.
    fn row(&self, minute: &Minute) -> String {
        let end = minute.start.after(Duration::from_secs(60));
        let before = self.splits.iter().rev().find(|(_, at)| *at <= minute.start);
        let within = self.splits.iter().filter(|(_, at)| *at > minute.start && *at < end);
        let shares: Vec<String> = before
            .into_iter()
            .chain(within)
            .map(|(split, _)| format!("{} %", split.share(Color::Green)))
            .collect();
        let shares = if shares.is_empty() { "–".to_owned() } else { shares.join(" → ") };
        let time = clock_time(minute.start);
        let (blue, green) = (counts_text(minute.colors.blue), counts_text(minute.colors.green));
        format!("| {} | {shares} | {blue} | {green} |\n", time.get(..5).unwrap_or_default())
    }
}

/// A bar of the chart, with its start and end in seconds since the start of the run.
fn render_bar((phase, start, end): (Phase, u64, u64)) -> String {
    let kind = if phase == Phase::Back { "crit" } else { "done" };
    let time = |seconds| clock_time(Time(seconds * 1_000));
    format!("    {} :{kind}, {}, {}\n", phase_text(phase), time(start), time(end))
}

/// A phase in words, without the marks `:`, `;` and `#`, which end a name in the chart.
fn phase_text(phase: Phase) -> String {
    match phase {
        Phase::Look => "look and plan".to_owned(),
        Phase::Deploy(color) => format!("deploy to {color}"),
        Phase::Probe(color) => format!("probe {color}"),
        Phase::Capacity(color) => format!("wait for targets of {color}"),
        Phase::Users(split) => {
            let (blue, green) = split.percent();
            format!("{blue} % blue, {green} % green")
        }
        Phase::Settle(color) => format!("watch {color}"),
        Phase::Drain(color) => format!("clients that stay on {color}"),
        Phase::Back => "go back".to_owned(),
    }
}

/// Requests and failures of a color, as two cells. A dash if CloudWatch has no requests.
fn counts_text(color: MinuteOfColor) -> String {
    color.counts.map_or("– | –".to_owned(), |it| {
        format!("{} | {}", format_count(it.requests), format_count(it.failures()))
    })
}

#[cfg(test)]
mod tests;
