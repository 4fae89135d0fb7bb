//! `status-json` as machines read it.

use super::*;
use crate::plan::color::Color as Which;
use crate::plan::trouble::TroubleKind;
use crate::plan::wiring::Tangle;
use crate::report::fixtures::{ACCOUNT, overview, trouble};

/// The JSON, indented for the reader.
fn pretty(overview: &Overview) -> String {
    let value: serde_json::Value = serde_json::from_str(&json(overview)).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn the_json_of_a_whole_overview() {
    let mut two = overview();
    two.colors.truncate(2);
    insta::assert_snapshot!(pretty(&two));
}

#[test]
fn the_json_of_what_could_not_be_read_is_null() {
    let mut seen = overview();
    (seen.split, seen.rules, seen.production_url) = (None, Vec::new(), None);
    seen.colors.truncate(1);
    for view in &mut seen.colors {
        (view.image, view.commit, view.healthy, view.percent) = (None, None, None, None);
        (view.test_url, view.rollout) = (None, Some(Rollout::Unknown));
        view.digests.clear();
    }
    seen.missing = vec![(Which::Green, "web-green".to_owned())];
    seen.unread = vec![trouble(TroubleKind::Denied, "AccessDeniedException", "not for machines")];
    insta::assert_snapshot!(pretty(&seen));
}

#[test]
fn rules_that_disagree_are_in_the_json() {
    let split = Split { blue: 80, green: 20 };
    let mut seen = overview();
    seen.rules = vec![("HTTPS:443 rule 10".to_owned(), split)];
    seen.split = Some(Err(Tangle::Disagree(seen.rules.clone())));
    let value: serde_json::Value = serde_json::from_str(&json(&seen)).unwrap();
    assert_eq!(value["traffic"], serde_json::Value::Null);
    assert_eq!(value["rules"][0]["blue"], 80);
    insta::assert_snapshot!(value["traffic_problem"].as_str().unwrap(), @"The production rules hold different splits: `HTTPS:443 rule 10` has 80 % blue, 20 % green. All of them have to hold the same.");
}

#[test]
fn the_json_is_one_line_and_does_not_name_the_account_by_itself() {
    let mut seen = overview();
    seen.colors.clear();
    let text = json(&seen);
    assert!(!text.contains('\n') && !text.contains(ACCOUNT), "{text}");
}
