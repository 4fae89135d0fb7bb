//! The judgement against figures computed elsewhere, a simulation, and its properties.

mod judged;
mod properties;
mod simulated;
mod table;
mod watched;

use super::*;

/// The start of minute `number`, after the deployments completed.
fn minute_start(number: u64) -> Time {
    Time((1_000_000 + number) * 60_000)
}

/// A time at which this many minutes are complete.
fn after_minutes(count: u64) -> Time {
    minute_start(count).after(Duration::from_secs(120))
}

/// Counts of requests and answers of 5xx.
fn counts(requests: u64, failed: u64) -> Counts {
    Counts { requests, failed, ..Counts::default() }
}

/// A minute with these counts of blue and green.
fn minute(number: u64, blue: Counts, green: Counts) -> Minute {
    let of =
        |counts: Counts| MinuteOfColor { counts: (counts.requests > 0).then_some(counts), latency: None };
    Minute { start: minute_start(number), colors: ColorPair { blue: of(blue), green: of(green) } }
}

/// Evidence of these minutes, all complete, about green.
fn evidence(minutes: &[Minute], split: (u32, u32)) -> Evidence<'_> {
    Evidence {
        minutes,
        now: after_minutes(minutes.len() as u64),
        since: minute_start(0),
        routing: Routing::Split(Split { blue: split.0, green: split.1 }),
        tested: Color::Green,
        tolerance: 200,
    }
}
