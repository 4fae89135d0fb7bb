//! `status-json` as machines read it.

use super::*;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::ServiceColor as Which;
use crate::plan::color::Split;
use crate::plan::wiring::RoutingError;
use crate::report::fixtures::{ACCOUNT, drifted, overview, trouble};

/// The JSON, indented for the reader.
fn pretty(overview: &Overview) -> String {
    let value: serde_json::Value = serde_json::from_str(&status_json(overview)).unwrap();
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
    seen.unread = vec![trouble(AwsErrorKind::Denied, "AccessDeniedException", "not for machines")];
    insta::assert_snapshot!(pretty(&seen));
}

#[test]
fn invariant_32_a_code_that_repeats_a_value_is_hidden_in_the_json() {
    crate::report::secrets::register_secrets(["Zq-planted-code"]);
    let mut seen = overview();
    seen.unread = vec![trouble(AwsErrorKind::Denied, "No Zq-planted-code here", "not for machines")];
    let value: serde_json::Value = serde_json::from_str(&status_json(&seen)).unwrap();
    assert_eq!(value["unread"][0]["code"], "No *** here");
}

#[test]
fn rules_that_disagree_are_in_the_json() {
    let split = Split { blue: 80, green: 20 };
    let mut seen = overview();
    seen.rules = vec![("HTTPS:443 rule 10".to_owned(), split)];
    seen.split = Some(Err(RoutingError::Disagree(seen.rules.clone())));
    let value: serde_json::Value = serde_json::from_str(&status_json(&seen)).unwrap();
    assert_eq!(value["traffic"], serde_json::Value::Null);
    assert_eq!(value["rules"][0]["blue"], 80);
    insta::assert_snapshot!(value["traffic_problem"].as_str().unwrap(), @"The production rules hold different splits: `HTTPS:443 rule 10` has 80 % blue, 20 % green. All of them have to hold the same.");
}

#[test]
fn the_json_is_one_line_and_does_not_name_the_account_by_itself() {
    let mut seen = overview();
    seen.colors.clear();
    let text = status_json(&seen);
    assert!(!text.contains('\n') && !text.contains(ACCOUNT), "{text}");
}

#[test]
fn bounds_drift_and_the_commands_that_move_users_are_lines() {
    let told: Vec<String> = status_lines(&drifted()).into_iter().map(|line| line.text).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    traffic: blue (100 % blue, 0 % green), https://shop-alb.example
      HTTPS:443 default: 100 % blue, 0 % green
      HTTPS:443 rule 10: 100 % blue, 0 % green
    blue: 100 %, `web:7`, 2 of 2 running, 2 of 2 targets healthy
      service web-blue, image shop/web:v7, sha256:0a1b2c3d0a1b, commit a1b2c3d, MinCapacity 2, MaxCapacity 10, scale-in suspended, test at http://shop-alb.example:807
    green: 0 %, `web:8`, 2 of 2 running, 2 of 2 targets healthy
      service web-green, image shop/web:v8, sha256:0a1b2c3d0a1b, commit a1b2c3d, MinCapacity 1, MaxCapacity 2, test at http://shop-alb.example:808
    develop: `web:9`, 2 of 2 running, 2 of 2 targets healthy
      service web-develop, image shop/web:v9, sha256:0a1b2c3d0a1b, commit a1b2c3d, test at http://shop-alb.example:809
    drift: green serves 50 % of the users, and its MaxCapacity 2 is lower than 5, that share of the largest MaxCapacity (10): it can't grow as its users may need. Raise it to at least 5 where it is defined.
    drift: Both colors serve users, and scale-in of `web-green` (green) is not suspended: it can shrink below what its share needs. `redirect-traffic` to the split that is held suspends it.
    deploy to blue: not now, it serves users; `allow-live: true` would allow it
    deploy to green: possible now
    deploy to develop: not now, a deployment is in progress
    redirect-traffic, rollback to blue: not now, it has all users already
    promote to blue: possible now
    redirect-traffic, rollback, promote to green: not now, none of its targets is healthy
    ");
}

#[test]
fn bounds_drift_and_the_commands_that_move_users_are_in_the_json() {
    let value: serde_json::Value = serde_json::from_str(&status_json(&drifted())).unwrap();
    let green = &value["colors"][1];
    assert_eq!((green["min_capacity"].as_u64(), green["max_capacity"].as_u64()), (Some(1), Some(2)));
    assert_eq!(green["scale_in_suspended"], false);
    assert_eq!(value["colors"][2]["max_capacity"], serde_json::Value::Null);
    assert_eq!(value["drift"].as_array().unwrap().len(), 2);
    let moves = |command: &serde_json::Value| command["command"] != "deploy";
    let told: Vec<String> = value["commands"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| moves(one))
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    {"command":"redirect-traffic","color":"blue","valid":false,"reason":"all-there","message":"it has all users already"}
    {"command":"rollback","color":"blue","valid":false,"reason":"all-there","message":"it has all users already"}
    {"command":"promote","color":"blue","valid":true,"reason":null,"message":null}
    {"command":"redirect-traffic","color":"green","valid":false,"reason":"not-enough-targets","message":"none of its targets is healthy"}
    {"command":"rollback","color":"green","valid":false,"reason":"not-enough-targets","message":"none of its targets is healthy"}
    {"command":"promote","color":"green","valid":false,"reason":"not-enough-targets","message":"none of its targets is healthy"}
    "#);
}
