//! The release strip: the configured and the observed split, the step, and the health of both colors, in three lines.
//!
//! Log, summary and comment show the same lines. Names from outside are between backticks.

use std::time::Duration;

use super::names::{clock_time, in_backticks};
use super::words::{format_count, format_rate};
use crate::event::{CountsLook, Event, Report};
use crate::plan::aws_error::AwsResult;
use crate::plan::color::{Color, Split};
use crate::plan::compare::{ColorPair, Comparison, Minute, NotJudged, Verdict};
use crate::plan::overview::Overview;
use crate::plan::step::Wait;
use crate::plan::time::Time;
use crate::plan::traffic::TrafficPlan;

/// Squares of the strip.
const SQUARES: u32 = 10;

/// Most rules that the strip names.
const MOST_RULES: usize = 3;

/// Bakes below this time are shown in seconds.
const IN_SECONDS: Duration = Duration::from_secs(120);

/// The state of a run for the strip, from its events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strip {
    /// The split of the production rules.
    split: SplitState,
    /// The planned change of traffic.
    plan: Option<Box<TrafficPlan>>,
    /// The step that holds users.
    held: Option<HeldStep>,
    /// The last comparison of the colors.
    compared: Option<AwsResult<Comparison>>,
    /// Requests since the current step began. None before a whole minute.
    seen: Option<ColorPair<u64>>,
}

/// The split of the production rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum SplitState {
    /// All rules hold this split.
    Known(Split),
    /// The rules hold different splits. Each rule has its name.
    Apart(Vec<(String, Split)>),
    /// The split is unknown.
    #[default]
    Unknown,
}

/// A step that holds users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldStep {
    /// Number of the step and of all steps, both counted from 1. None if the plan is unknown.
    pub(crate) step: Option<(usize, usize)>,
    /// The split.
    pub(crate) split: Split,
    /// Start of the step.
    pub(crate) began: Time,
    /// Length of the bake.
    pub(crate) length: Duration,
    /// The rest of the step.
    pub(crate) rest: StepRest,
}

/// The rest of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepRest {
    /// The bake lasts this long, and ends at this time.
    Bake(Duration, Time),
    /// The bake is over. The load balancer's counts are complete at this time.
    Counts(Time),
    /// The next split waits for healthy targets.
    Capacity,
}

impl Strip {
    /// The strip at the end of a run: after a change of traffic with the requests at the final weights, otherwise with
    /// those of the last 15 minutes.
    pub(crate) fn of_report(report: &Report) -> Strip {
        let overview = report.overview.as_ref();
        let compared = overview.and_then(|overview| overview.compared.clone());
        let comparison = compared.as_ref().and_then(|read| read.as_ref().ok());
        let seen = comparison.map(|it| if report.traffic.is_some() { requests_of(it) } else { it.recent });
        Strip {
            split: report.split.map_or_else(|| overview.map(split_of).unwrap_or_default(), SplitState::Known),
            plan: report.traffic.clone(),
            held: None,
            seen: seen.filter(|seen| seen.blue > 0 || seen.green > 0),
            compared,
        }
    }

    /// Notes an event.
    pub(crate) fn note(&mut self, event: &Event, now: Time) {
        match event {
            Event::Seen(overview) => self.split = split_of(overview),
            Event::TrafficPlan(plan) => self.plan = Some(plan.clone()),
            Event::Compared(look) => self.compared(look),
            Event::Moved(split) => {
                (self.split, self.held, self.seen) = (SplitState::Known(*split), None, None)
            }
            Event::RunFailure { .. } => self.held = None,
            Event::Waiting { wait, .. } => self.wait(wait, now),
            _ => {}
        }
    }

    /// The step that holds users now.
    pub(crate) fn held(&self) -> Option<&HeldStep> {
        self.held.as_ref()
    }

    /// Ends the step that holds users.
    pub(crate) fn release(&mut self) {
        self.held = None;
    }

    /// Notes a look at the load balancer's counts.
    fn compared(&mut self, look: &CountsLook) {
        self.compared = Some(look.read.clone());
        let began = self.held.as_ref().map(|held| held.began);
        self.seen = began.and_then(|began| requests_since(&look.minutes, began));
    }

    /// Notes a wait.
    fn wait(&mut self, wait: &Wait, now: Time) {
        match wait {
            Wait::Bake { split, left, .. } => self.bake(*split, *left, now),
            Wait::Counts { left, .. } => self.rest(StepRest::Counts(now.after(*left))),
            Wait::Capacity(_) => self.rest(StepRest::Capacity),
            _ => {}
        }
    }

    /// Sets the rest of the current step.
    fn rest(&mut self, rest: StepRest) {
        if let Some(held) = &mut self.held {
            held.rest = rest;
        }
    }

    /// Notes the bake of a step.
    fn bake(&mut self, split: Split, left: Duration, now: Time) {
        self.split = SplitState::Known(split);
        let rest = StepRest::Bake(left, now.after(left));
        if let Some(held) = self.held.as_mut().filter(|held| held.split == split) {
            held.rest = rest;
            return;
        }
        let at = self.plan.as_ref().and_then(|plan| step_at(plan, split));
        let length = self
            .plan
            .as_ref()
            .zip(at)
            .map_or(left, |(plan, at)| plan.bakes.get(at).map_or(left, |(_, bake)| (*bake).max(left)));
        let step = self.plan.as_ref().zip(at).map(|(plan, at)| (at + 1, plan.bakes.len()));
        self.held = Some(HeldStep { step, split, began: now, length, rest });
        (self.compared, self.seen) = (None, None);
    }

    /// The lines: the split, the step, and the health of both colors. The last two only if there is something to show.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = [Some(self.split_line()), self.step_line(), self.health_line()];
        lines.into_iter().flatten().collect()
    }

    /// `🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green · seen 19 % (212 requests)`.
    fn split_line(&self) -> String {
        let split = match &self.split {
            SplitState::Known(split) => *split,
            SplitState::Apart(rules) => return format!("{} {}", empty_squares(), rules_text(rules)),
            SplitState::Unknown => return format!("{} split not known", empty_squares()),
        };
        match split.color_of_all() {
            Some(color) => format!("{} all users on {color}", squares(split)),
            None if split.blue == 0 => format!("{} no users on either color", empty_squares()),
            None => {
                let color = self.gaining(split);
                format!("{} set {} % {color}{}", squares(split), split.share(color), self.seen_text(color))
            }
        }
    }

    /// The color whose share the strip shows: the one that gains users, otherwise the one with fewer users.
    fn gaining(&self, split: Split) -> Color {
        let fewer = if split.green <= split.blue { Color::Green } else { Color::Blue };
        self.plan.as_ref().map_or(fewer, |plan| plan.receiver)
    }

    /// ` · seen 19 % (212 requests)`. Empty if the load balancer's counts were not read.
    fn seen_text(&self, color: Color) -> String {
        let comparison = match &self.compared {
            None => return String::new(),
            Some(Err(_)) => return " · seen: not known, the counts could not be read".to_owned(),
            Some(Ok(comparison)) => comparison,
        };
        let sticky = match comparison.verdict {
            Verdict::NotJudged(NotJudged::Sticky) => ", sticky clients",
            _ => "",
        };
        let Some((own, other)) = self.seen.as_ref().map(|seen| seen.facing(color)) else {
            return " · no whole minute seen yet".to_owned();
        };
        match own.saturating_add(*other) {
            0 => " · no requests seen".to_owned(),
            1 => format!(" · seen {} (1 request{sticky})", seen_share(*own, 1)),
            all => format!(" · seen {} ({} requests{sticky})", seen_share(*own, all), format_count(all)),
        }
    }

    /// `step 1 of 3 · 4 of 10 min · next 50 % at 02:31 UTC`. None if no step holds users.
    fn step_line(&self) -> Option<String> {
        let held = self.held.as_ref()?;
        let step = held.step.map(|(at, all)| format!("step {at} of {all} · ")).unwrap_or_default();
        let next = self.next_share(held).map_or("next step".to_owned(), |share| format!("next {share} %"));
        let short = held.length < IN_SECONDS;
        Some(match held.rest {
            StepRest::Bake(left, end) => {
                let past = progress(held.length.saturating_sub(left), held.length);
                format!("{step}{past} · {next} at {}", time_text(end, short))
            }
            StepRest::Counts(end) => {
                let past = progress(held.length, held.length);
                format!("{step}{past} · {next} with complete counts at {}", time_text(end, short))
            }
            StepRest::Capacity => {
                format!(
                    "{step}{} · {next} once enough targets are healthy",
                    progress(held.length, held.length)
                )
            }
        })
    }

    /// The share of the gaining color after this step.
    fn next_share(&self, held: &HeldStep) -> Option<u32> {
        let plan = self.plan.as_ref()?;
        let (at, _) = held.step?;
        Some(plan.bakes.get(at).map_or_else(|| plan.to.share(plan.receiver), |(share, _)| *share))
    }

    /// `5xx 0.1 % | 0.1 % · p95 120 | 131 ms`: blue first. None without requests of both colors in the same minutes.
    fn health_line(&self) -> Option<String> {
        let comparison = self.compared.as_ref()?.as_ref().ok().filter(|it| it.minutes > 0)?;
        let ColorPair { blue, green } = comparison.counts;
        let rates = [blue, green].map(|counts| format_rate(counts.failures(), counts.requests));
        let p95 = |latency: Option<crate::plan::compare::Latency>| {
            latency.map_or("–".to_owned(), |it| it.p95.as_millis().to_string())
        };
        let (slow_blue, slow_green) = (p95(comparison.latency.blue), p95(comparison.latency.green));
        Some(format!("5xx {} · p95 {slow_blue} | {slow_green} ms", rates.join(" | ")))
    }
}

/// The split that an overview shows.
fn split_of(overview: &Overview) -> SplitState {
    match &overview.split {
        Some(Ok(split)) => SplitState::Known(*split),
        Some(Err(_)) if overview.rules.len() > 1 => SplitState::Apart(overview.rules.clone()),
        Some(Err(_)) | None => SplitState::Unknown,
    }
}

/// The index of the planned step with this split.
fn step_at(plan: &TrafficPlan, split: Split) -> Option<usize> {
    let share = split.share(plan.receiver);
    plan.bakes.iter().position(|(held, _)| *held == share)
}

/// The requests of a comparison's minutes.
fn requests_of(comparison: &Comparison) -> ColorPair<u64> {
    let ColorPair { blue, green } = comparison.counts;
    ColorPair { blue: blue.requests, green: green.requests }
}

/// The requests of the minutes after a time. None if no such minute was read.
fn requests_since(minutes: &[Minute], began: Time) -> Option<ColorPair<u64>> {
    let mut sum: Option<ColorPair<u64>> = None;
    for minute in minutes.iter().filter(|minute| minute.start >= began) {
        let all = sum.get_or_insert_default();
        let requests = |of: crate::plan::compare::MinuteOfColor| of.counts.map_or(0, |it| it.requests);
        all.blue = all.blue.saturating_add(requests(minute.colors.blue));
        all.green = all.green.saturating_add(requests(minute.colors.green));
    }
    sum
}

/// Ten squares: blue's share first. A color with users has at least one square.
fn squares(split: Split) -> String {
    let (blue, green) = split.percent();
    let cells = match (blue, green) {
        (_, 0) => SQUARES,
        (0, _) => 0,
        _ => ((blue * SQUARES + 50) / 100).clamp(1, SQUARES - 1),
    };
    let run = |square: &str, number: u32| square.repeat(usize::try_from(number).unwrap_or_default());
    run("🟦", cells) + &run("🟩", SQUARES - cells)
}

/// Ten squares without a color.
fn empty_squares() -> String {
    "⬜".repeat(usize::try_from(SQUARES).unwrap_or_default())
}

/// The rules, each with green's share.
fn rules_text(rules: &[(String, Split)]) -> String {
    let one = |(name, split): &(String, Split)| {
        format!("{} % green at {}", split.share(Color::Green), in_backticks(name))
    };
    let named: Vec<String> = rules.iter().take(MOST_RULES).map(one).collect();
    let more = match rules.len().saturating_sub(MOST_RULES) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("the rules differ: {}{more}", named.join(", "))
}

/// A share of requests in whole percent. Some requests are never none, and never all.
fn seen_share(own: u64, all: u64) -> String {
    let percent = (u128::from(own) * 200 + u128::from(all)) / (2 * u128::from(all.max(1)));
    let percent = if own > 0 && own < all { percent.clamp(1, 99) } else { percent };
    format!("{percent} %")
}

/// `4 of 10 min`, `4 of 10 s`.
fn progress(past: Duration, length: Duration) -> String {
    let past = past.min(length);
    if length < IN_SECONDS {
        return format!("{} of {} s", past.as_secs(), length.as_secs());
    }
    format!("{} of {} min", past.as_secs() / 60, length.as_secs().div_ceil(60))
}

/// `02:31 UTC`, with the seconds of a short step.
fn time_text(time: Time, short: bool) -> String {
    let text = clock_time(time);
    let minutes = text.get(..5).unwrap_or_default().to_owned();
    format!("{} UTC", if short { text } else { minutes })
}

#[cfg(test)]
mod tests;
