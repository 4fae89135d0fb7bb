//! The good answers to a health check.

use serde_json::{Value, json};

use super::input::validation;
use crate::wire::ApiError;

/// `Matcher.HttpCode`: codes and ranges such as `200,202` or `200-299`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matcher {
    /// As given.
    text: String,
    /// First and last code of each range.
    ranges: Vec<(u16, u16)>,
}

impl Matcher {
    /// Reads codes from 200 to 499, the range for application load balancers (API_Matcher).
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let wrong = || {
            validation(format!("Health check matcher HTTP code '{text}' must be within '200-499' inclusive"))
        };
        let mut ranges = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let code = |text: &str| text.trim().parse::<u16>().ok().filter(|code| (200..=499).contains(code));
            let (first, last) = (code(first).ok_or_else(wrong)?, code(last).ok_or_else(wrong)?);
            ranges.push((first, last));
        }
        Ok(Self { text: text.to_owned(), ranges })
    }

    /// True if an answer's status is good.
    pub(super) fn accepts(&self, status: u16) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }

    /// The matcher as DescribeTargetGroups returns it.
    pub(super) fn describe(&self) -> Value {
        json!({"HttpCode": self.text})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_ranges_match() {
        let matcher = Matcher::parse("200-204,301").expect("valid");
        let good: Vec<u16> =
            [199, 200, 204, 205, 301, 500].into_iter().filter(|code| matcher.accepts(*code)).collect();
        assert_eq!(good, [200, 204, 301]);
        for wrong in ["", "abc", "100", "200-600", "200,"] {
            assert!(Matcher::parse(wrong).is_err(), "{wrong}");
        }
    }
}
