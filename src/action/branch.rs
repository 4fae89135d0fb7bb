//! `color: branch`: where the config file sends the branch of this run.

use std::path::Path;

use super::context::Context;
use super::edge::Edge;
use super::place::File;
use crate::config::kinds::{listed, shown};
use crate::plan::wanted::WantedColor;

/// The color of this run's branch, or what is wrong.
pub(crate) fn color(edge: &mut Edge<'_>, file: &File) -> Option<WantedColor> {
    if !file.known {
        return None;
    }
    let path = &file.path;
    if file.config.branches.is_empty() {
        edge.problem(
            "color",
            format!("`branch` needs `branches` in `{path}`, such as `branches: {{ main: idle }}`"),
        );
        return None;
    }
    let branch =
        of_run(edge).map_err(|what| edge.problem("color", format!("`branch` can't be used: {what}"))).ok()?;
    let found = best(&branch, &file.config.branches);
    if found.is_none() {
        let patterns = listed(file.config.branches.iter().map(|(pattern, _)| pattern.as_str()));
        let what = format!(
            "no pattern of `branches` in `{path}` fits the branch {}, only {patterns}",
            shown(&branch)
        );
        edge.problem("color", what);
    }
    found
}

/// The branch of this run: that of the pull request, or the one that was pushed or chosen.
fn of_run(edge: &Edge<'_>) -> Result<String, String> {
    let context = Context::new(edge.env);
    if let Some(head) = &context.head_ref {
        own_repository(edge, &context)?;
        return Ok(head.clone());
    }
    match (context.ref_type.as_deref(), context.ref_name) {
        (Some("tag"), Some(name)) => {
            Err(format!("this run is for the tag {}, not for a branch", shown(&name)))
        }
        (_, Some(name)) => Ok(name),
        (_, None) => Err("GITHUB_REF_NAME is not set".to_owned()),
    }
}

/// A fork can call its branch `main`, so a pull request's branch counts only when it is of this repository.
fn own_repository(edge: &Edge<'_>, context: &Context) -> Result<(), String> {
    let event = edge.env.var("GITHUB_EVENT_PATH").and_then(|path| (edge.read_file)(Path::new(path)).ok());
    let event: Option<serde_json::Value> = event.and_then(|text| serde_json::from_str(&text).ok());
    let head = event.as_ref().and_then(|event| event.pointer("/pull_request/head/repo/full_name")?.as_str());
    match (head, context.repository.as_deref()) {
        (Some(head), Some(own)) if head.eq_ignore_ascii_case(own) => Ok(()),
        (Some(head), Some(own)) => Err(format!(
            "the pull request is from {}, and `branches` is for branches of `{own}`",
            shown(head)
        )),
        (None, _) | (_, None) => {
            Err("the event does not say which repository the pull request is from".to_owned())
        }
    }
}

/// The color of the most specific pattern that fits: one without `*` first, then the one with the most other
/// characters, then the first in the file.
fn best(branch: &str, patterns: &[(String, WantedColor)]) -> Option<WantedColor> {
    let weight = |pattern: &str| (!pattern.contains('*'), pattern.chars().filter(|c| *c != '*').count());
    let mut best: Option<&(String, WantedColor)> = None;
    for entry in patterns.iter().filter(|(pattern, _)| fits(branch, pattern)) {
        if best.is_none_or(|best| weight(&entry.0) > weight(&best.0)) {
            best = Some(entry);
        }
    }
    best.map(|(_, color)| *color)
}

/// Whether a branch fits a pattern: `*` stands for anything but `/`, `**` for anything, as in a workflow's `branches`.
fn fits(branch: &str, pattern: &str) -> bool {
    let branch: Vec<char> = branch.chars().collect();
    // reached[i]: what was read of the pattern so far can stand for the first i characters of the branch.
    let mut reached = vec![false; branch.len() + 1];
    reached[0] = true;
    let mut pattern = pattern.chars().peekable();
    while let Some(sign) = pattern.next() {
        if sign != '*' {
            for i in (0..branch.len()).rev() {
                reached[i + 1] = reached[i] && branch[i] == sign;
            }
            reached[0] = false;
            continue;
        }
        let over_slash = pattern.next_if_eq(&'*').is_some();
        for i in 0..branch.len() {
            reached[i + 1] |= reached[i] && (over_slash || branch[i] != '/');
        }
    }
    reached[branch.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::color::Color;
    use proptest::prelude::*;

    #[test]
    fn patterns_fit_as_in_workflows() {
        let table = [
            ("main", "main", true),
            ("main2", "main", false),
            ("release/1.2", "release/*", true),
            ("release/1/2", "release/*", false),
            ("release/1/2", "release/**", true),
            ("a/b", "*", false),
            ("a/b", "**", true),
            ("fix-1-web", "fix-*-web", true),
            ("fix-web", "fix-*-web", false),
            ("", "*", true),
        ];
        for (branch, pattern, fit) in table {
            assert_eq!(fits(branch, pattern), fit, "{branch} {pattern}");
        }
    }

    #[test]
    fn the_most_specific_pattern_wins() {
        let entry = |pattern: &str, color| (pattern.to_owned(), color);
        let (blue, green) = (WantedColor::Color(Color::Blue), WantedColor::Color(Color::Green));
        let patterns = [
            entry("**", WantedColor::Idle),
            entry("release/*", blue),
            entry("release/1*", green),
            entry("release/10", blue),
        ];
        assert_eq!(best("main", &patterns), Some(WantedColor::Idle));
        assert_eq!(best("release/2", &patterns), Some(blue));
        assert_eq!(best("release/12", &patterns), Some(green));
        assert_eq!(best("release/10", &patterns), Some(blue));
        assert_eq!(best("x", &[entry("x*", blue), entry("*x", green)]), Some(blue));
        assert_eq!(best("main", &patterns[1..]), None);
    }

    proptest! {
        #[test]
        fn a_branch_fits_itself_and_every_widening(branch in "[a-z/]{0,12}", at in 0_usize..12) {
            let at = at.min(branch.len());
            prop_assert!(fits(&branch, &branch));
            let widened = format!("{}**{}", &branch[..at], &branch[at..]);
            prop_assert!(fits(&branch, &widened));
        }
    }
}
