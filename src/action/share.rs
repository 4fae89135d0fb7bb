//! How users are shared between the colors: the inputs `traffic` and `steps`.

use super::edge::Edge;
use crate::config::kinds::{listed, shown};
use crate::plan::color::{PRESETS, Split};
use crate::plan::near::nearest;

/// The split of the input `traffic`: a preset, or `BLUE/GREEN` in percent.
pub(super) fn split(value: &str) -> Result<Split, String> {
    if let Some((_, split)) = PRESETS.into_iter().find(|(name, _)| *name == value) {
        return Ok(split);
    }
    if value == "develop" || value.split('/').count() > 2 {
        return Err(format!(
            "{} is not for users: only blue and green take production traffic, {}",
            shown(value),
            forms()
        ));
    }
    match value.split_once('/') {
        Some((blue, green)) => weights(value, blue, green),
        None => {
            let near = nearest(value, PRESETS.map(|(name, _)| name));
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            Err(format!("{} is not a split: {}{near}", shown(value), forms()))
        }
    }
}

/// What the input `traffic` can say.
fn forms() -> String {
    format!("write {} or `BLUE/GREEN` such as `95/5`", listed(PRESETS.map(|(name, _)| name)))
}

/// Two weights in percent; each is checked before their sum.
fn weights(value: &str, blue: &str, green: &str) -> Result<Split, String> {
    let weight = |text: &str| percent(text).map_err(|what| format!("{what} in {}", shown(value)));
    let (blue, green) = (weight(blue)?, weight(green)?);
    if blue + green == 100 {
        return Ok(Split { blue, green });
    }
    let same = (0..=100).find(|share| {
        let whole = Split { blue: *share, green: 100 - share };
        whole.same_ratio(Split { blue, green })
    });
    let same = same.map_or(String::new(), |share| format!("; the same ratio is `{share}/{}`", 100 - share));
    Err(format!("the weights in {} sum to {}, not to 100{same}", shown(value), blue + green))
}

/// A share of the users, 0–100; what is wrong names the text.
fn percent(text: &str) -> Result<u32, String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(text) {
        let number = text.parse().ok().filter(|number| *number <= 100);
        return number.ok_or_else(|| format!("{} is more than 100", shown(text)));
    }
    let number = text.strip_prefix('-');
    let (sign, rest) = (number.is_some(), number.unwrap_or(text));
    Err(match rest.split_once('.') {
        None if sign && digits(rest) => format!("{} is negative: 0 to 100 is expected", shown(text)),
        Some((whole, part)) if digits(whole) && digits(part) => {
            format!("{} is not a whole number", shown(text))
        }
        None if rest.strip_suffix('%').is_some_and(digits) => format!("write {} without `%`", shown(text)),
        Some(_) | None if text.is_empty() => "a weight is missing".to_owned(),
        Some(_) | None => format!("{} is not a number", shown(text)),
    })
}

/// The shares of the input `steps`, checked against each other and against the split in the end. Which color gains
/// users is the live state's to say, so a share is beyond the end only if it is so for both.
pub(super) fn steps(edge: &mut Edge<'_>, to: Option<Split>) -> Vec<u32> {
    let before = edge.problems.len();
    let found = edge.list("steps", |reader, node| reader.whole(node, 1, 100), step).unwrap_or_default();
    if edge.problems.len() > before {
        return found;
    }
    for what in disorder(&found, to) {
        edge.problem("steps", what);
    }
    found
}

/// One share of the input `steps`.
fn step(text: &str) -> Result<u32, String> {
    match percent(text) {
        Ok(0) => Err("`0` is not a step: 1 to 100 is expected".to_owned()),
        Ok(share) => Ok(share),
        Err(what) => Err(format!("{what}: write shares in percent, such as `20, 50, 80`")),
    }
}

/// What is wrong with the shares together.
fn disorder(steps: &[u32], to: Option<Split>) -> Vec<String> {
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
