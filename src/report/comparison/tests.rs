//! Snapshots of the comparison, in each form.

use std::time::Duration;

use super::*;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::{Color, Split};
use crate::plan::compare::ColorPair;
use crate::report::fixtures::trouble;

/// Blue-80 with these requests and failures, in 6 minutes.
fn compared(blue: (u64, u64), green: (u64, u64), verdict: Verdict) -> Comparison {
    let counts = |(requests, failed)| Counts { requests, failed, refused: 0, client_errors: requests / 100 };
    let ms = Duration::from_millis;
    let latency = |p50: u64| Some(Latency { p50: ms(p50), p95: ms(p50 * 4), p99: ms(p50 * 9) });
    Comparison {
        tested: Color::Green,
        configured: Some(Split { blue: 80, green: 20 }),
        minutes: 6,
        left_out: 0,
        recent: ColorPair { blue: blue.0, green: green.0 },
        counts: ColorPair { blue: counts(blue), green: counts(green) },
        latency: ColorPair { blue: latency(30), green: latency(33) },
        verdict,
    }
}

/// Green fails one request in fifty.
fn worse() -> Comparison {
    let verdict = Verdict::Worse { color: Color::Green, signal: Signal::Failures };
    compared((17_220, 17), (4_310, 91), verdict)
}

/// The sentence.
fn sentence(comparison: Comparison) -> String {
    words::verdict_text(&Ok(comparison))
}

#[test]
fn each_verdict_is_one_sentence() {
    insta::assert_snapshot!(sentence(worse()), @"Green fails 2.1 % of requests (91 of 4,310), blue 0.1 % (17 of 17,220), in the same 6 minutes. If both were equal, fewer than 1 in 1,000 releases would look like this.");
    insta::assert_snapshot!(sentence(compared((17_220, 17), (4_310, 4), Verdict::NoDifference { enough: 21 })), @"No difference found: green 4 of 4,310, blue 17 of 17,220. A failure rate of 0.5 % would have been found.");
    insta::assert_snapshot!(sentence(compared((164, 0), (41, 0), Verdict::TooFew { enough: 6 })), @"Too few requests to tell: green received 41. Six failures of green alone would have been enough.");
    insta::assert_snapshot!(sentence(compared((164, 2), (41, 0), Verdict::TooFew { enough: 13 })), @"Too few requests to tell: green received 41. 13 failures of green would have been enough next to 2 of blue.");
    insta::assert_snapshot!(sentence(compared((1_000, 310), (250, 75), Verdict::BothFail)), @"Both fail: blue 31 %, green 30 %. The new version is not the cause. Users stay.");
    let blue = Verdict::Worse { color: Color::Blue, signal: Signal::ClientErrors };
    insta::assert_snapshot!(sentence(Comparison { minutes: 1, ..compared((17_220, 17), (4_310, 0), blue) }), @"Blue answers 4xx to 1 % of requests (172 of 17,220), green 1 % (43 of 4,310), in the same minute. If both were equal, fewer than 1 in 1,000 releases would look like this.");
}

#[test]
fn each_reason_not_to_judge_is_said() {
    for (reason, said) in [
        (
            NotJudged::Sticky,
            "Not judged. Stickiness of the target groups is on, so one client counts many times.",
        ),
        (NotJudged::RulesDisagree, "Not judged. The production rules disagree."),
        (NotJudged::Deploying, "Not judged. A deployment of a color is in progress."),
        (NotJudged::NoSplit, "Not judged. Only one color has users."),
        (
            NotJudged::OtherRequests,
            "Not judged. Green received 38 % of requests at a weight of 20 %: the weights changed just now, or other clients reach a color, for example through a test port.",
        ),
    ] {
        assert_eq!(sentence(compared((80, 0), (50, 0), Verdict::NotJudged(reason))), said);
    }
}

#[test]
fn the_log_has_the_colors_and_the_verdict() {
    insta::assert_snapshot!(comparison_lines(&Ok(worse())).join("\n"), @r#"
    blue: configured 80 %, observed 80 %, requests 17,220, failures 17 (0.1 %), 4xx 172, p50 / p95 / p99 30 / 120 / 270 ms
    green: configured 20 %, observed 20 %, requests 4,310, failures 91 (2.1 %), 4xx 43, p50 / p95 / p99 33 / 132 / 297 ms
    Green fails 2.1 % of requests (91 of 4,310), blue 0.1 % (17 of 17,220), in the same 6 minutes. If both were equal, fewer than 1 in 1,000 releases would look like this.
    "#);
}

#[test]
fn the_summary_has_the_colors_side_by_side() {
    insta::assert_snapshot!(comparison_section(&Ok(worse())), @r#"
    Green fails 2.1 % of requests (91 of 4,310), blue 0.1 % (17 of 17,220), in the same 6 minutes. If both were equal, fewer than 1 in 1,000 releases would look like this.

    | 6 minutes | blue | green |
    |---|---|---|
    | configured | 80 % | 20 % |
    | observed | 80 % | 20 % |
    | requests | 17,220 | 4,310 |
    | failures | 17 (0.1 %) | 91 (2.1 %) |
    | 4xx | 172 | 43 |
    | p50 / p95 / p99 | 30 / 120 / 270 ms | 33 / 132 / 297 ms |
    "#);
    let few =
        Comparison { minutes: 0, left_out: 2, ..compared((0, 0), (0, 0), Verdict::TooFew { enough: 6 }) };
    let nothing = comparison_section(&Ok(few.clone()));
    assert!(!nothing.contains('|'), "no table without a request: {nothing}");
    let recent = ColorPair { blue: 30, green: 10 };
    let few = Comparison { configured: None, recent, latency: ColorPair::default(), ..few };
    insta::assert_snapshot!(comparison_section(&Ok(few)), @r#"
    Too few requests to tell: green received 0. Six failures of green alone would have been enough.

    | 0 minutes, 2 minutes with another split not judged | blue | green |
    |---|---|---|
    | configured | – | – |
    | observed | 75 % | 25 % |
    | requests | 0 | 0 |
    | failures | 0 (0 %) | 0 (0 %) |
    | 4xx | 0 | 0 |
    | p50 / p95 / p99 | – | – |
    "#);
}

#[test]
fn a_denied_read_names_the_line_to_add() {
    let denied =
        trouble(AwsErrorKind::Denied, "AccessDenied", "not authorized to perform: cloudwatch:GetMetricData");
    let denied = crate::plan::aws_error::AwsError { action: "cloudwatch:GetMetricData", ..denied };
    insta::assert_snapshot!(words::verdict_text(&Err(denied)), @r#"
    The colors are not compared. AWS denied `cloudwatch:GetMetricData` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` (AccessDenied): not authorized to perform: cloudwatch:GetMetricData.
    Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "cloudwatch:GetMetricData", "Resource": "*" }
    "#);
}

#[test]
fn the_output_has_every_number() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&comparison_json(&Ok(worse()))).unwrap(), @r#"
    {
      "verdict": "worse",
      "worse": "green",
      "signal": "failures",
      "reason": null,
      "enough": null,
      "tested": "green",
      "minutes": 6,
      "minutes_left_out": 0,
      "configured": {
        "blue": 80,
        "green": 20
      },
      "observed": {
        "blue": 80,
        "green": 20
      },
      "blue": {
        "requests": 17220,
        "failures": 17,
        "client_errors": 172,
        "p50_ms": 30,
        "p95_ms": 120,
        "p99_ms": 270
      },
      "green": {
        "requests": 4310,
        "failures": 91,
        "client_errors": 43,
        "p50_ms": 33,
        "p95_ms": 132,
        "p99_ms": 297
      },
      "sentence": "Green fails 2.1 % of requests (91 of 4,310), blue 0.1 % (17 of 17,220), in the same 6 minutes. If both were equal, fewer than 1 in 1,000 releases would look like this."
    }
    "#);
}
