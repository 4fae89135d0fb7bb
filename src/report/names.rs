//! Short forms of long names, times, and foreign text made fit for one line.

use std::time::Duration;

use crate::plan::arn::Arn;
use crate::plan::color::Split;
use crate::plan::definition::ImageRef;
use crate::plan::time::Time;

/// Most characters of one foreign text; more would not help the reader.
const LONGEST: usize = 600;

/// Replaces an account id in a text that must show none.
const ACCOUNT: &str = "ACCOUNT_ID";

/// `family:revision` of a task definition's ARN, the resource of any other ARN, or the unchanged text.
pub(crate) fn short_arn(text: &str) -> &str {
    match Arn::parse(text) {
        Some(arn) => arn.resource.strip_prefix("task-definition/").unwrap_or(arn.resource),
        None => text,
    }
}

/// An image without its registry, and without its digest if the image has a tag.
pub(crate) fn short_image(text: &str) -> String {
    let Ok(image) = ImageRef::parse(text) else { return one_line(text) };
    match (&image.tag, &image.digest) {
        (Some(tag), _) => format!("{}:{tag}", image.repository),
        (None, Some(digest)) => format!("{}@{}", image.repository, short_digest(digest)),
        (None, None) => image.repository,
    }
}

/// The first 12 digits of a digest: `sha256:0a1b2c3d4e5f`.
pub(crate) fn short_digest(digest: &str) -> String {
    match digest.split_once(':') {
        Some((kind, sum)) => format!("{kind}:{}", sum.chars().take(12).collect::<String>()),
        None => digest.chars().take(12).collect(),
    }
}

/// The first 7 characters of a commit.
pub(crate) fn short_commit(commit: &str) -> String {
    commit.chars().take(7).collect()
}

/// The time of day in UTC, such as `14:05:30`.
pub(crate) fn clock_time(time: Time) -> String {
    let seconds = time.0 / 1_000;
    format!("{:02}:{:02}:{:02}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}

/// `45s`, `3m 05s`, `1h 02m`.
pub(crate) fn format_duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h {minutes:02}m"),
    }
}

/// `[ 12s]`, `[3m05s]`: the start of a log line.
pub(crate) fn format_elapsed(time: Duration) -> String {
    format!("[{:>4}]", format_duration(time).replace(' ', ""))
}

/// `1 task`, `3 tasks`.
pub(crate) fn count_noun(number: u32, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// `80 % blue, 20 % green`.
pub(crate) fn format_shares(split: Split) -> String {
    let (blue, green) = split.percent();
    format!("{blue} % blue, {green} % green")
}

/// `blue -> blue-80`; the weights, if two different splits read the same.
pub(crate) fn format_change(before: Split, after: Split) -> String {
    let told = |split: Split| format!("weights {} and {}", split.blue, split.green);
    let (from, to) = (before.to_string(), after.to_string());
    if from != to || before.same_ratio(after) {
        return format!("{from} -> {to}");
    }
    format!("{} -> {}", told(before), told(after))
}

/// Foreign text on one line, cut at `LONGEST` characters: no control characters, no marks that change the reading
/// direction.
pub(crate) fn one_line(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let plain: String = text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    truncate_name(&words.join(" "), LONGEST)
}

/// The text, or the beginning with `…`.
fn truncate_name(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest).chain(['…']).collect()
}

/// A foreign name between backticks. Backticks inside the name become `'`.
pub(crate) fn in_backticks(text: &str) -> String {
    format!("`{}`", one_line(text).replace('`', "'"))
}

/// Text for a shell: unchanged if safe, else in single quotes.
pub(crate) fn shell_quote(text: &str) -> String {
    let text = one_line(text);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:@%+=,".contains(&b);
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A list in words: `a`, `a and b`, `a, b and c`.
pub(crate) fn join_with_and(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The text without account ids: the known id, and every separate number of 12 digits.
pub(crate) fn without_accounts(text: &str, known: Option<&str>) -> String {
    let known = known.filter(|account| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()));
    let text = match known {
        Some(account) => text.replace(account, ACCOUNT),
        None => text.to_owned(),
    };
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        let is_account = word.len() == 12 && word.bytes().all(|b| b.is_ascii_digit());
        out.push_str(if is_account { ACCOUNT } else { &word });
        out.push(c);
        word.clear();
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_short() {
        let web = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7";
        assert_eq!(short_arn(web), "web:7");
        assert_eq!(
            short_arn("arn:aws:ecs:eu-west-1:123456789012:service/shop/web-blue"),
            "service/shop/web-blue"
        );
        assert_eq!(short_arn("(new revision)"), "(new revision)");
        let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web";
        let digest = format!("sha256:{}", "0a1b2c3d".repeat(8));
        assert_eq!(short_image(&format!("{host}:v2@{digest}")), "shop/web:v2");
        assert_eq!(short_image(&format!("{host}@{digest}")), "shop/web@sha256:0a1b2c3d0a1b");
        assert_eq!(short_image("not an image"), "not an image");
        assert_eq!(short_digest(&digest), "sha256:0a1b2c3d0a1b");
    }

    #[test]
    fn a_change_that_percentages_do_not_show_is_told_in_weights() {
        let split = |blue, green| Split { blue, green };
        assert_eq!(format_change(split(4, 1), split(0, 1)), "blue-80 -> green");
        assert_eq!(format_change(split(1, 2), split(33, 67)), "weights 1 and 2 -> weights 33 and 67");
        assert_eq!(format_change(split(1, 2), split(2, 4)), "33/67 -> 33/67");
    }

    #[test]
    fn times_read_at_a_glance() {
        let table = [
            (4, "4s", "[  4s]"),
            (12, "12s", "[ 12s]"),
            (185, "3m 05s", "[3m05s]"),
            (3720, "1h 02m", "[1h02m]"),
        ];
        for (seconds, long, short) in table {
            assert_eq!(format_duration(Duration::from_secs(seconds)), long);
            assert_eq!(format_elapsed(Duration::from_secs(seconds)), short);
        }
    }

    #[test]
    fn invariant_32_accounts_are_taken_out_and_other_numbers_stay() {
        let text = "arn:aws:iam::123456789012:role/x web-210987654321 1234567890123 a123456789012";
        let told = "arn:aws:iam::ACCOUNT_ID:role/x web-ACCOUNT_ID 1234567890123 a123456789012";
        assert_eq!(without_accounts(text, None), told);
        assert_eq!(without_accounts("x111122223333y", Some("111122223333")), "xACCOUNT_IDy");
    }

    proptest! {
        #[test]
        fn a_line_stays_a_line(text in "(?s).{0,900}") {
            let line = one_line(&text);
            prop_assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
            prop_assert!(line.chars().count() <= LONGEST + 1);
            prop_assert_eq!(in_backticks(&text).matches('`').count(), 2);
        }
    }
}
