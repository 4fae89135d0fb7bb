//! The split of users between the colors: the inputs `traffic` and `steps`.

use super::input_reader::InputReader;
use crate::config::kinds::{list_values, quote_value};
use crate::plan::color::{PRESETS, Split};
use crate::plan::suggestion::nearest_word;

/// The split of the input `traffic`: a preset, or `BLUE/GREEN` in percent.
pub(super) fn parse_split(value: &str) -> Result<Split, String> {
    if let Some((_, split)) = PRESETS.into_iter().find(|(name, _)| *name == value) {
        return Ok(split);
    }
    if value == "develop" || value.split('/').count() > 2 {
        return Err(format!(
            "{} is not for users: only blue and green take production traffic, {}",
            quote_value(value),
            accepted_forms()
        ));
    }
    match value.split_once('/') {
        Some((blue, green)) => parse_weights(value, blue, green),
        None => {
            let suggestion = nearest_word(value, PRESETS.map(|(name, _)| name));
            let suggestion =
                suggestion.map_or(String::new(), |suggestion| format!("; did you mean `{suggestion}`?"));
            Err(format!("{} is not a split: {}{suggestion}", quote_value(value), accepted_forms()))
        }
    }
}

/// Allowed values of the input `traffic`.
fn accepted_forms() -> String {
    format!("write {} or `BLUE/GREEN` such as `95/5`", list_values(PRESETS.map(|(name, _)| name)))
}

/// Two weights in percent; each is checked before their sum.
fn parse_weights(value: &str, blue: &str, green: &str) -> Result<Split, String> {
    let weight = |text: &str| parse_percent(text).map_err(|what| format!("{what} in {}", quote_value(value)));
    let (blue, green) = (weight(blue)?, weight(green)?);
    if blue + green == 100 {
        return Ok(Split { blue, green });
    }
    let same = (0..=100).find(|share| {
        let whole = Split { blue: *share, green: 100 - share };
        whole.same_ratio(Split { blue, green })
    });
    let same = same.map_or(String::new(), |share| format!("; the same ratio is `{share}/{}`", 100 - share));
    Err(format!("the weights in {} sum to {}, not to 100{same}", quote_value(value), blue + green))
}

/// A share of the users, 0–100; a problem quotes the text.
fn parse_percent(text: &str) -> Result<u32, String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(text) {
        let number = text.parse().ok().filter(|number| *number <= 100);
        return number.ok_or_else(|| format!("{} is more than 100", quote_value(text)));
    }
    let number = text.strip_prefix('-');
    let (sign, rest) = (number.is_some(), number.unwrap_or(text));
    Err(match rest.split_once('.') {
        None if sign && digits(rest) => format!("{} is negative: 0 to 100 is expected", quote_value(text)),
        Some((whole, part)) if digits(whole) && digits(part) => {
            format!("{} is not a whole number", quote_value(text))
        }
        None if rest.strip_suffix('%').is_some_and(digits) => {
            format!("write {} without `%`", quote_value(text))
        }
        Some(_) | None if text.is_empty() => "a weight is missing".to_owned(),
        Some(_) | None => format!("{} is not a number", quote_value(text)),
    })
}

/// The shares of the input `steps`, checked against each other and against the final split. The color that gains users
/// is known only from AWS, so a share is refused only if too large for both colors.
pub(super) fn read_steps(edge: &mut InputReader<'_>, to: Option<Split>) -> Vec<u32> {
    let before = edge.problems.len();
    let found = edge.list("steps", |reader, node| reader.whole(node, 1, 100), parse_step).unwrap_or_default();
    if edge.problems.len() > before {
        return found;
    }
    for what in step_problems(&found, to) {
        edge.problem("steps", what);
    }
    found
}

/// A share in the input `steps`.
fn parse_step(text: &str) -> Result<u32, String> {
    match parse_percent(text) {
        Ok(0) => Err("`0` is not a step: 1 to 100 is expected".to_owned()),
        Ok(share) => Ok(share),
        Err(what) => Err(format!("{what}: write shares in percent, such as `20, 50, 80`")),
    }
}

/// Problems between the shares.
fn step_problems(steps: &[u32], to: Option<Split>) -> Vec<String> {
    let pairs = steps.windows(2).filter_map(|pair| {
        let (first, second) = (pair[0], pair[1]);
        match second.cmp(&first) {
            std::cmp::Ordering::Greater => None,
            std::cmp::Ordering::Equal => Some(format!("`{second}` is there twice")),
            std::cmp::Ordering::Less => Some(format!("`{second}` comes after `{first}`: the shares ascend")),
        }
    });
    let most = to.map_or(100, |to| to.blue.max(to.green));
    let beyond = steps
        .iter()
        .filter(|step| **step > most)
        .map(|step| format!("`{step}` is beyond the end: no color has more than {most} % there"));
    pairs.chain(beyond).collect()
}

#[cfg(test)]
#[path = "share_tests.rs"]
mod tests;
