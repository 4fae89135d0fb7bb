//! The two colors side by side: a table, the verdict in a sentence, and JSON (`compared`).

use serde_json::{Value, json};

use super::markdown::{render_message, table_cell};
use super::words;
use crate::plan::aws_error::AwsResult;
use crate::plan::color::Color;
use crate::plan::compare::{Comparison, Counts, Latency, NotJudged, Signal, Verdict};

/// The numbers of both colors, a row each: name, blue, green.
type Row = (&'static str, String, String);

/// The numbers of both colors.
fn comparison_rows(comparison: &Comparison) -> Vec<Row> {
    let counts = comparison.counts;
    let count = |of: fn(&Counts) -> u64| {
        (words::format_count(of(&counts.blue)), words::format_count(of(&counts.green)))
    };
    let failures = |counts: Counts| {
        format!(
            "{} ({})",
            words::format_count(counts.failures()),
            words::format_rate(counts.failures(), counts.requests)
        )
    };
    let (requests, client_errors) = (count(|counts| counts.requests), count(|counts| counts.client_errors));
    let (configured, observed) = (configured_shares(comparison), observed_shares(comparison));
    let latency = comparison.latency;
    vec![
        ("configured", configured.0, configured.1),
        ("observed", observed.0, observed.1),
        ("requests", requests.0, requests.1),
        ("failures", failures(counts.blue), failures(counts.green)),
        ("4xx", client_errors.0, client_errors.1),
        ("p50 / p95 / p99", latency_text(latency.blue), latency_text(latency.green)),
    ]
}

/// The configured shares.
fn configured_shares(comparison: &Comparison) -> (String, String) {
    let shares = comparison.configured.map(|split| split.percent());
    shares.map_or(("–".to_owned(), "–".to_owned()), |(blue, green)| {
        (format!("{blue} %"), format!("{green} %"))
    })
}

/// The observed shares of the last 15 whole minutes.
fn observed_shares(comparison: &Comparison) -> (String, String) {
    match observed_percent(comparison) {
        Some(green) => (format!("{} %", 100 - green), format!("{green} %")),
        None => ("–".to_owned(), "–".to_owned()),
    }
}

/// Green's observed share in percent. None without requests.
fn observed_percent(comparison: &Comparison) -> Option<u64> {
    let (blue, green) = (u128::from(comparison.recent.blue), u128::from(comparison.recent.green));
    let percent = (green * 200 + blue + green).checked_div(2 * (blue + green))?;
    u64::try_from(percent).ok()
}

/// `12 / 120 / 180 ms`.
fn latency_text(latency: Option<Latency>) -> String {
    latency.map_or("–".to_owned(), |it| {
        format!("{} / {} / {} ms", it.p50.as_millis(), it.p95.as_millis(), it.p99.as_millis())
    })
}

/// The comparison, if there is a number to show.
fn with_numbers(read: &AwsResult<Comparison>) -> Option<&Comparison> {
    let has_requests = |it: &&Comparison| it.minutes > 0 || it.recent.blue > 0 || it.recent.green > 0;
    read.as_ref().ok().filter(has_requests)
}

/// The comparison for the log: the numbers in one line for each color, and the verdict.
pub(crate) fn comparison_lines(read: &AwsResult<Comparison>) -> Vec<String> {
    let Some(comparison) = with_numbers(read) else { return vec![words::verdict_text(read)] };
    let rows = comparison_rows(comparison);
    let line = |color: Color, value: fn(&Row) -> &String| {
        let parts = rows.iter().map(|row| format!("{} {}", row.0, value(row)));
        format!("{color}: {}", parts.collect::<Vec<_>>().join(", "))
    };
    vec![line(Color::Blue, |row| &row.1), line(Color::Green, |row| &row.2), words::verdict_text(read)]
}

/// The comparison in Markdown: the table below the verdict.
pub(crate) fn comparison_section(read: &AwsResult<Comparison>) -> String {
    let verdict = render_message(&words::verdict_text(read));
    let Some(comparison) = with_numbers(read) else { return verdict };
    let minutes = words::minutes_text(comparison);
    let mut out = format!("{verdict}| {} | blue | green |\n|---|---|---|\n", table_cell(&minutes));
    for (name, blue, green) in comparison_rows(comparison) {
        out.push_str(&format!("| {name} | {} | {} |\n", table_cell(&blue), table_cell(&green)));
    }
    out + "\n"
}

/// The output `compared`.
pub(crate) fn comparison_json(read: &AwsResult<Comparison>) -> Value {
    let Ok(comparison) = read else {
        return json!({ "verdict": "unread", "sentence": words::verdict_text(read) });
    };
    let configured = comparison.configured.map(|split| split.percent());
    let observed = observed_percent(comparison).map(|green| json!({ "blue": 100 - green, "green": green }));
    let (worse, enough, reason) = match comparison.verdict {
        Verdict::Worse { color, signal } => (Some((color, signal)), None, None),
        Verdict::NoDifference { enough } | Verdict::TooFew { enough } => (None, Some(enough), None),
        Verdict::BothFail => (None, None, None),
        Verdict::NotJudged(reason) => (None, None, Some(reason)),
    };
    json!({
        "verdict": verdict_word(comparison.verdict),
        "worse": worse.map(|(color, _)| color.word()),
        "signal": worse.map(|(_, signal)| signal_word(signal)),
        "reason": reason.map(reason_word),
        "enough": enough,
        "tested": comparison.tested.word(),
        "minutes": comparison.minutes,
        "minutes_left_out": comparison.left_out,
        "configured": configured.map(|(blue, green)| json!({ "blue": blue, "green": green })),
        "observed": observed,
        "blue": color_json(&comparison.counts.blue, comparison.latency.blue),
        "green": color_json(&comparison.counts.green, comparison.latency.green),
        "sentence": words::verdict_text(read),
    })
}

/// A verdict for machines.
fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Worse { .. } => "worse",
        Verdict::BothFail => "both-fail",
        Verdict::NoDifference { .. } => "no-difference",
        Verdict::TooFew { .. } => "too-few-requests",
        Verdict::NotJudged(_) => "not-judged",
    }
}

/// A signal for machines.
fn signal_word(signal: Signal) -> &'static str {
    match signal {
        Signal::Failures => "failures",
        Signal::ClientErrors => "4xx",
    }
}

/// A reason not to judge for machines.
fn reason_word(reason: NotJudged) -> &'static str {
    match reason {
        NotJudged::Sticky => "sticky",
        NotJudged::RulesDisagree => "rules-disagree",
        NotJudged::Deploying => "in-flight",
        NotJudged::NoSplit => "no-split",
        NotJudged::OtherRequests => "other-requests",
    }
}

/// The numbers of one color.
fn color_json(counts: &Counts, latency: Option<Latency>) -> Value {
    let ms = |of: fn(Latency) -> std::time::Duration| latency.map(|latency| of(latency).as_millis() as u64);
    json!({
        "requests": counts.requests,
        "failures": counts.failures(),
        "client_errors": counts.client_errors,
        "p50_ms": ms(|it| it.p50),
        "p95_ms": ms(|it| it.p95),
        "p99_ms": ms(|it| it.p99),
    })
}

#[cfg(test)]
mod tests;
