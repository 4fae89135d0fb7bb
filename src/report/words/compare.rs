//! The verdict of a comparison in one sentence.

use super::render_aws_error;
use crate::plan::aws_error::AwsResult;
use crate::plan::color::Color;
use crate::plan::compare::{Comparison, Counts, NotJudged, Signal, Verdict};

/// Numbers in words, from 0.
const NUMBERS: [&str; 13] =
    ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"];

/// The verdict, or the reason that there is none.
pub(crate) fn verdict_text(read: &AwsResult<Comparison>) -> String {
    match read {
        Ok(comparison) => verdict_sentence(comparison),
        Err(trouble) => {
            let failure = render_aws_error(trouble);
            format!("The colors are not compared. {}\n{}", failure.what, failure.hint)
        }
    }
}

/// The verdict.
pub(super) fn verdict_sentence(comparison: &Comparison) -> String {
    let color = comparison.tested;
    let (own, other) = comparison.counts.facing(color);
    match comparison.verdict {
        Verdict::Worse { color, signal } => worse_sentence(comparison, color, signal),
        Verdict::BothFail => format!(
            "Both fail: blue {}, green {}. The new version is not the cause. Users stay.",
            failure_rate(comparison.counts.blue),
            failure_rate(comparison.counts.green)
        ),
        Verdict::NoDifference { enough } => format!(
            "No difference found: {color} {}, {} {}. A failure rate of {} would have been found.",
            failures_of(*own),
            color.other(),
            failures_of(*other),
            rate_rounded_up(enough, own.requests)
        ),
        Verdict::TooFew { enough } => format!(
            "Too few requests to tell: {color} received {}. {}",
            format_count(own.requests),
            enough_sentence(enough, color, other.failures())
        ),
        Verdict::NotJudged(reason) => not_judged(comparison, reason),
    }
}

/// The sentence about a worse color, without its consequence.
fn worse_sentence(comparison: &Comparison, color: Color, signal: Signal) -> String {
    let (own, other) = comparison.counts.facing(color);
    let (verb, count): (&str, fn(Counts) -> u64) = match signal {
        Signal::Failures => ("fails", Counts::failures),
        Signal::ClientErrors => ("answers 4xx to", |counts| counts.client_errors),
    };
    let share = |counts: Counts| format_rate(count(counts), counts.requests);
    let of = |counts: Counts| format!("{} of {}", format_count(count(counts)), format_count(counts.requests));
    format!(
        "{} {verb} {} of requests ({}), {} {} ({}), in the same {}. If both were equal, fewer than 1 in 1,000 releases would look like this.",
        capitalized(color.word()),
        share(*own),
        of(*own),
        color.other(),
        share(*other),
        of(*other),
        same_minutes(comparison.minutes),
    )
}

/// The failures that would have been enough.
fn enough_sentence(enough: u64, color: Color, others: u64) -> String {
    let number = usize::try_from(enough).ok().and_then(|index| NUMBERS.get(index).copied());
    let number = number.map_or_else(|| format_count(enough), str::to_owned);
    match others {
        0 => format!("{number} failures of {color} alone would have been enough."),
        _ => format!(
            "{number} failures of {color} would have been enough next to {} of {}.",
            format_count(others),
            color.other()
        ),
    }
}

/// Reason not to judge.
fn not_judged(comparison: &Comparison, reason: NotJudged) -> String {
    let why = match reason {
        NotJudged::Sticky => {
            "Stickiness of the target groups is on, so one client counts many times.".to_owned()
        }
        NotJudged::RulesDisagree => "The production rules disagree.".to_owned(),
        NotJudged::Deploying => "A deployment of a color is in progress.".to_owned(),
        NotJudged::NoSplit => "Only one color has users.".to_owned(),
        NotJudged::OtherRequests => {
            let share = comparison.configured.map_or(0, |split| split.percent().1);
            let (blue, green) = (comparison.recent.blue, comparison.recent.green);
            let seen = format_rate(green, blue.saturating_add(green));
            format!(
                "Green received {seen} of requests at a weight of {share} %: the weights changed just now, or other clients reach a color, for example through a test port."
            )
        }
    };
    format!("Not judged. {why}")
}

/// The minutes of the table.
pub(crate) fn minutes_text(comparison: &Comparison) -> String {
    let left_out = match comparison.left_out {
        0 => String::new(),
        count => format!(", {} with another split not judged", same_minutes(count)),
    };
    format!("{}{left_out}", same_minutes(comparison.minutes))
}

/// `6 minutes`.
fn same_minutes(count: usize) -> String {
    if count == 1 { "minute".to_owned() } else { format!("{count} minutes") }
}

/// `91 of 4,310`.
fn failures_of(counts: Counts) -> String {
    format!("{} of {}", format_count(counts.failures()), format_count(counts.requests))
}

/// `2.1 %`.
fn failure_rate(counts: Counts) -> String {
    format_rate(counts.failures(), counts.requests)
}

/// A count with commas: `17,220`.
pub(crate) fn format_count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share in percent: `31 %`, `2.1 %`, `0.04 %`, `0 %`.
pub(crate) fn format_rate(count: u64, of: u64) -> String {
    percent_text(if of == 0 { 0.0 } else { count as f64 * 100.0 / of as f64 })
}

/// The same, rounded up: a smaller rate would not have been found.
fn rate_rounded_up(count: u64, of: u64) -> String {
    let percent = if of == 0 { 0.0 } else { count as f64 * 100.0 / of as f64 };
    let unit = if percent >= 0.1 { 10.0 } else { 1_000.0 };
    percent_text((percent * unit).ceil() / unit)
}

/// A number of percent with few digits.
fn percent_text(percent: f64) -> String {
    let digits = match percent {
        0.0 => 0,
        10.0.. => 0,
        0.1.. => 1,
        0.01.. => 2,
        _ => 3,
    };
    let text = format!("{percent:.digits$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short} %")
}

/// The word with a capital letter.
fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
