//! The inputs `compare` and `compare-tolerance`.

use super::input_reader::InputReader;
use super::inputs::CommandName;
use crate::config::kinds::{self, quote_value};
use crate::plan::compare::{CompareMode, CompareSettings};

/// The words of the input `compare`.
const MODES: [(&str, CompareMode); 3] =
    [("back", CompareMode::Back), ("watch", CompareMode::Watch), ("off", CompareMode::Off)];

/// Thousandths in a percentage point.
const POINT: u32 = 1_000;

/// Reads both inputs. Without `compare`, a run with steps sends users back, and any other run only watches.
pub(super) fn read_compare_inputs(edge: &mut InputReader<'_>, has_steps: bool) -> Option<CompareSettings> {
    if matches!(edge.command, CommandName::Deploy | CommandName::Doctor) {
        return Some(CompareSettings::OFF);
    }
    let default = if has_steps { CompareMode::Back } else { CompareMode::Watch };
    let mode = match edge.value("compare") {
        Some(_) => edge.parsed("compare", |value| kinds::one_of(value, &MODES)),
        None => Some(default),
    };
    if mode == Some(CompareMode::Back) && !has_steps {
        edge.problem(
            "compare",
            "`back` needs `steps`: without steps, no bake is watched. Write `watch` or `off`",
        );
    }
    let tolerance = edge.parsed("compare-tolerance", parse_points);
    Some(CompareSettings { mode: mode?, tolerance: tolerance? })
}

/// Percentage points from 0 to 100, with up to three decimals, in thousandths.
fn parse_points(value: &str) -> Result<u32, String> {
    let wrong = || {
        format!(
            "{} is not a number from 0 to 100 with up to three decimals, such as `0.2`",
            quote_value(value)
        )
    };
    let (whole, part) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str, most: usize| {
        let good = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        good.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (Some(whole), Some(_)) = (digits(whole, 3), digits(part, 3)) else { return Err(wrong()) };
    let part = format!("{part:0<3}").parse::<u32>().unwrap_or_default();
    let points = whole * POINT + part;
    if points <= 100 * POINT { Ok(points) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_in_thousandths() {
        for (value, points) in
            [("0.2", 200), ("0", 0), ("1", 1_000), ("0.05", 50), ("12.345", 12_345), ("100", 100_000)]
        {
            assert_eq!(parse_points(value), Ok(points), "{value}");
        }
        for value in ["", ".", ".5", "1.", "-1", "0.0001", "100.001", "0,2", "2 %", "1e3", "+1", "1.+5"] {
            assert!(parse_points(value).is_err(), "{value}");
        }
    }
}
