//! The inputs of `promote`, as types.

use std::time::Duration;

use super::deploy::MOST_TASKS;
use super::input_reader::InputReader;
use super::place::File;
use super::traffic;
use super::variables;
use crate::config::kinds::{self, quote_value, show_duration};
use crate::plan::color::{Color, Split};
use crate::plan::wanted::{Mode, Promotion};

/// The words of the input `mode`.
const MODES: [(&str, Mode); 2] = [("swap", Mode::Swap), ("copy", Mode::Copy)];

/// Reads the inputs of `promote`.
pub(super) fn read_promote_inputs(edge: &mut InputReader<'_>, file: &File) -> Option<Promotion> {
    let color = edge.parsed("color", parse_proven_color);
    let mode = edge.parsed("mode", |value| kinds::one_of(value, &MODES));
    let idle_count = read_idle_count(edge, file);
    let max_drain =
        edge.parsed("max-drain", |value| kinds::duration_within(value, Duration::ZERO, traffic::DAY));
    let variable = |text: &str| parse_variable_name(text);
    let per_color = edge.list("per-color", |reader, node| reader.parsed(node, variable), variable);
    // Also without a valid color, to report problems of the other inputs, which apply to both colors.
    let traffic = traffic::read_traffic_inputs(edge, file, Some(Split::all_on(color.unwrap_or(Color::Blue))));
    let expect = traffic::read_expected_definition(edge);
    if mode == Some(Mode::Swap) && per_color.is_some() {
        edge.warning("per-color", "`mode: swap` does not use it, ignored");
    }
    if let (Some(max_drain), Some(wish)) = (max_drain, &traffic) {
        let time = max_drain.saturating_add(wish.settle);
        let (settle, drain, sum) =
            (show_duration(wish.settle), show_duration(max_drain), show_duration(time));
        let told = format!("`settle` of {settle} and `max-drain` of {drain} may take {sum}");
        traffic::warn_if_outlives(edge, "max-drain", time, &told);
    }
    if idle_count == Some(0) {
        edge.warning(
            "idle-count",
            "`0` leaves the color without users no task: a rollback has to start tasks first, and a Route 53 alias that evaluates target health takes a load balancer with an empty target group for unhealthy",
        );
    }
    Some(Promotion {
        color: color?,
        mode: mode?,
        idle_count: idle_count?,
        max_drain: max_drain?,
        per_color: per_color.unwrap_or_default(),
        expect,
        traffic: traffic?,
    })
}

/// Tasks that the idle color keeps: 1, or MinCapacity if the config sets the scaling. 0 only if the input says so.
fn read_idle_count(edge: &mut InputReader<'_>, file: &File) -> Option<u32> {
    let scaling = file.app.as_ref().and_then(|(_, app)| app.scaling.as_ref());
    let least = scaling.map_or(1, |scaling| scaling.idle_min.max(1));
    if edge.value("idle-count").is_none() {
        return Some(least);
    }
    let count = edge.parsed("idle-count", idle_count)?;
    if (1..least).contains(&count) {
        let what = format!(
            "{count} is less than `idle-min` {least} of the config's `scaling`: the color without users gets {count} as its MinCapacity too"
        );
        edge.warning("idle-count", what);
    }
    Some(count)
}

/// The tested color. Never guessed: the idle color can change between the approval and this run.
fn parse_proven_color(value: &str) -> Result<Color, String> {
    match value {
        "idle" | "branch" => Err(format!(
            "{} would be a guess: write the color that was proven, `blue` or `green`, such as `${{{{ steps.deploy.outputs.color }}}}`",
            quote_value(value)
        )),
        value => traffic::parse_color(value),
    }
}

/// A count of tasks, at least 0.
fn idle_count(value: &str) -> Result<u32, String> {
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    let count = value.parse().ok().filter(|count| digits && *count <= MOST_TASKS);
    count.ok_or_else(|| format!("{} is not a count: write 0 to {MOST_TASKS}", quote_value(value)))
}

/// The name of an environment variable.
fn parse_variable_name(value: &str) -> Result<String, String> {
    if variables::is_name(value) {
        return Ok(value.to_owned());
    }
    Err(format!("{} is not the name of a variable: it has no `=` and no spaces", quote_value(value)))
}

#[cfg(test)]
#[path = "promote_tests.rs"]
mod tests;
