//! The headlines, in each form.

use super::*;
use crate::failure::Reason;
use crate::plan::color::ServiceColor;
use crate::plan::step::{EndStateReason, RunFailure};
use crate::plan::verdict::DeploymentFailure;
use crate::plan::wiring::RoutingError;
use crate::report::fixtures::{BLUE, BLUE_80, crash, failed, moved, not_moved, report};

/// All users on green.
const GREEN: Split = Split { blue: 0, green: 100 };

/// The headline without its mark.
fn title(report: &Report) -> String {
    end_title(report).trim_start_matches("### ").trim_end().to_owned()
}

/// A report with this split.
fn at(split: Split, mut report: Report) -> Report {
    report.split = Some(split);
    if let Some(overview) = &mut report.overview {
        overview.split = Some(Ok(split));
        overview.rules.iter_mut().for_each(|(_, held)| *held = split);
    }
    report
}

#[test]
fn a_deploy_says_who_has_users() {
    assert_eq!(title(&report()), "✅ Ready on green. Users are still on blue.");
    let unchanged = Report { outcome: Outcome::Unchanged, left: Left::Untouched, ..report() };
    assert_eq!(title(&unchanged), "✅ Ready on green, nothing changed. Users are still on blue.");
    assert_eq!(title(&at(GREEN, report())), "✅ Deployed to green, which has users. All users are on green.");
    let some = at(BLUE_80, report());
    assert_eq!(title(&some), "✅ Deployed to green, which has users. Users: 80 % on blue, 20 % on green.");
    let mut outside = report();
    outside.overview.as_mut().unwrap().outside = vec![Color::Green];
    assert_eq!(title(&outside), "✅ Deployed to green, which has users. Users are still on blue.");
    let develop = Report { color: Some(ServiceColor::Develop), ..report() };
    assert_eq!(title(&develop), "✅ Ready on develop. All users are on blue.");
    let crashed = failed(RunFailure::Deployment(DeploymentFailure::CircuitBreaker), crash());
    assert_eq!(title(&crashed), "❌ Failed: deploy to green (circuit-breaker). Users are still on blue.");
}

#[test]
fn a_change_of_traffic_says_who_has_users() {
    assert_eq!(title(&moved()), "✅ Redirected to blue-80. Users: 80 % on blue, 20 % on green.");
    let to_green = |command| {
        let mut report = at(GREEN, Report { command, ..moved() });
        report.traffic.as_mut().unwrap().to = GREEN;
        report
    };
    assert_eq!(title(&to_green("promote")), "✅ Promoted to green. All users are on green.");
    assert_eq!(title(&to_green("rollback")), "✅ Rolled back to green. All users are on green.");
    let unchanged = Report { outcome: Outcome::Unchanged, left: Left::Untouched, ..to_green("rollback") };
    assert_eq!(title(&unchanged), "✅ Unchanged: rollback to green. All users are on green.");
    let cancelled = not_moved(RunFailure::Cancelled, Left::Changed, EndStateReason::Asked);
    let cancelled = Report { reason: Some(Reason::Cancelled), ..at(BLUE_80, cancelled) };
    assert_eq!(
        title(&cancelled),
        "🚫 Cancelled: redirect-traffic to blue-80. Users: 80 % on blue, 20 % on green."
    );
}

#[test]
fn an_unknown_state_is_never_a_guess() {
    let mut differ = report();
    differ.split = None;
    let seen = differ.overview.as_mut().unwrap();
    seen.rules[0].1 = BLUE_80;
    seen.split = Some(Err(RoutingError::Disagree(seen.rules.clone())));
    assert_eq!(title(&differ), "✅ Deployed to green, which has users. Users: the production rules differ.");
    let seen = differ.overview.as_mut().unwrap();
    seen.split = None;
    seen.rules.clear();
    assert_eq!(title(&differ), "✅ Deployed to green. Users: not known.");
    let stale = Report { stale: true, ..report() };
    assert_eq!(title(&stale), "✅ Deployed to green. At the last look all users were on blue.");
    let stale = Report { stale: true, ..moved() };
    assert_eq!(
        title(&stale),
        "✅ Redirected to blue-80. Users at the last look: 80 % on blue, 20 % on green."
    );
    let unseen = Report { overview: None, ..report() };
    assert_eq!(title(&unseen), "✅ Deployed to green");
    assert_eq!(title(&Report::new("status")), "⛔ Refused: status");
    assert_eq!(users_text(BLUE, "still "), "Users are still on blue.");
}

#[test]
fn a_status_says_who_serves_users_and_if_they_are_served() {
    let status = |split, healthy: [Option<(u32, u32)>; 2]| {
        let mut report = at(split, Report { command: "status", traffic: None, ..moved() });
        let views = report.overview.as_mut().unwrap().colors.iter_mut();
        views.zip(healthy).for_each(|(view, healthy)| view.healthy = healthy);
        title(&report)
    };
    let (two, one, none) = (Some((2, 2)), Some((1, 2)), Some((0, 2)));
    assert_eq!(status(BLUE, [two, none]), "✅ All users are on blue. 2 healthy targets serve them.");
    assert_eq!(status(BLUE, [one, None]), "✅ All users are on blue. 1 healthy target serves them.");
    assert_eq!(status(BLUE, [none, two]), "⚠️ All users are on blue. No healthy target serves them.");
    assert_eq!(status(GREEN, [two, None]), "⚠️ All users are on green. It is not known if they are served.");
    let both = "Users: 80 % on blue, 20 % on green.";
    assert_eq!(status(BLUE_80, [two, one]), format!("✅ {both} Healthy targets of both serve them."));
    assert_eq!(
        status(BLUE_80, [None, none]),
        format!("⚠️ {both} No healthy target serves the users on green.")
    );
    assert_eq!(status(BLUE_80, [two, None]), format!("⚠️ {both} It is not known if they are served."));
    let mut unknown = Report { command: "status", color: None, ..report() };
    unknown.split = None;
    assert_eq!(title(&unknown), "✅ Succeeded: status");
}
