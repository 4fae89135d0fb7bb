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
    insta::assert_snapshot!(pretty(&two), @r#"
    {
      "version": 1,
      "cluster": "shop",
      "region": "eu-west-1",
      "traffic": {
        "split": "blue",
        "live_color": "blue",
        "blue": 100,
        "green": 0
      },
      "traffic_problem": null,
      "production_url": "https://shop-alb.example",
      "rules": [
        {
          "name": "HTTPS:443 default",
          "blue": 100,
          "green": 0
        },
        {
          "name": "HTTPS:443 rule 10",
          "blue": 100,
          "green": 0
        }
      ],
      "colors": [
        {
          "color": "blue",
          "service": "web-blue",
          "task_definition": "web:7",
          "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v7",
          "digests": [
            "sha256:0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d"
          ],
          "commit": "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678",
          "running": 2,
          "desired": 2,
          "healthy": 2,
          "registered": 2,
          "percent": 100,
          "test_url": "http://shop-alb.example:807",
          "rollout": "COMPLETED"
        },
        {
          "color": "green",
          "service": "web-green",
          "task_definition": "web:8",
          "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v8",
          "digests": [
            "sha256:0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d"
          ],
          "commit": "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678",
          "running": 2,
          "desired": 2,
          "healthy": 2,
          "registered": 2,
          "percent": 0,
          "test_url": "http://shop-alb.example:808",
          "rollout": "COMPLETED"
        }
      ],
      "missing": [],
      "unread": [],
      "commands": [
        {
          "command": "deploy",
          "color": "blue",
          "valid": false,
          "reason": "live-color",
          "message": "it serves users; `allow-live: true` would allow it"
        },
        {
          "command": "deploy",
          "color": "green",
          "valid": true,
          "reason": null,
          "message": null
        },
        {
          "command": "deploy",
          "color": "develop",
          "valid": false,
          "reason": "in-flight",
          "message": "a deployment is in progress"
        }
      ]
    }
    "#);
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
    insta::assert_snapshot!(pretty(&seen), @r#"
    {
      "version": 1,
      "cluster": "shop",
      "region": "eu-west-1",
      "traffic": null,
      "traffic_problem": "The listener rules could not be read.",
      "production_url": null,
      "rules": [],
      "colors": [
        {
          "color": "blue",
          "service": "web-blue",
          "task_definition": "web:7",
          "image": null,
          "digests": [],
          "commit": null,
          "running": 2,
          "desired": 2,
          "healthy": null,
          "registered": null,
          "percent": null,
          "test_url": null,
          "rollout": "UNKNOWN"
        }
      ],
      "missing": [
        {
          "color": "green",
          "service": "web-green"
        }
      ],
      "unread": [
        {
          "action": "ecs:UpdateService",
          "resource": "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green",
          "reason": "access-denied",
          "code": "AccessDeniedException"
        }
      ],
      "commands": [
        {
          "command": "deploy",
          "color": "blue",
          "valid": false,
          "reason": "live-color",
          "message": "it serves users; `allow-live: true` would allow it"
        },
        {
          "command": "deploy",
          "color": "green",
          "valid": true,
          "reason": null,
          "message": null
        },
        {
          "command": "deploy",
          "color": "develop",
          "valid": false,
          "reason": "in-flight",
          "message": "a deployment is in progress"
        }
      ]
    }
    "#);
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
