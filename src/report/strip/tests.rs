//! The strip, in each form.

use proptest::prelude::*;

use super::*;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::compare::MinuteOfColor;
use crate::plan::wiring::RoutingError;
use crate::report::fixtures::{BLUE, BLUE_80, comparison, counts, moved, overview, traffic_plan, trouble};

/// The time of the tests: 02:27 UTC.
const NOW: Time = Time(1_700_015_220_000);

/// A time so many seconds later.
fn later(seconds: u64) -> Time {
    NOW.after(Duration::from_secs(seconds))
}

/// A look with these requests in one minute.
fn look(start: Time, blue: u64, green: u64, read: AwsResult<Comparison>) -> Event {
    let of = |requests| MinuteOfColor { counts: Some(counts(requests, 0)), latency: None };
    let minutes = vec![Minute { start, colors: ColorPair { blue: of(blue), green: of(green) } }];
    Event::Compared(Box::new(CountsLook { read, minutes, is_new: true }))
}

/// A bake at this split, with so many seconds left.
fn bake(split: Split, left: u64) -> Event {
    let wait = Wait::Bake { split, left: Duration::from_secs(left), no_data: Vec::new() };
    Event::Waiting { wait, elapsed: Duration::ZERO, heartbeat: false }
}

/// A wait.
fn waits(wait: Wait) -> Event {
    Event::Waiting { wait, elapsed: Duration::ZERO, heartbeat: false }
}

/// A strip after the plan of three steps, ten minutes each, to green.
fn planned() -> Strip {
    let ten = Duration::from_secs(600);
    let plan = TrafficPlan {
        to: Split { blue: 0, green: 100 },
        bakes: vec![(20, ten), (50, ten), (80, ten)],
        ..traffic_plan()
    };
    let mut strip = Strip::default();
    strip.note(&Event::Seen(Box::new(overview())), NOW);
    strip.note(&Event::TrafficPlan(Box::new(plan)), NOW);
    strip
}

/// The lines of a strip.
fn shown(strip: &Strip) -> String {
    strip.lines().join("\n")
}

#[test]
fn a_run_of_three_steps() {
    let mut strip = planned();
    assert_eq!(shown(&strip), "🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦 all users on blue");
    strip.note(&bake(BLUE_80, 600), later(0));
    insta::assert_snapshot!(shown(&strip), @"
    🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green
    step 1 of 3 · 0 of 10 min · next 50 % at 02:37 UTC
    ");
    strip.note(&look(later(60), 172, 40, Ok(comparison(Verdict::NoDifference { enough: 9 }))), later(240));
    strip.note(&bake(BLUE_80, 360), later(240));
    insta::assert_snapshot!(shown(&strip), @"
    🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green · seen 19 % (212 requests)
    step 1 of 3 · 4 of 10 min · next 50 % at 02:37 UTC
    5xx 0.1 % | 0.1 % · p95 120 | 131 ms
    ");
    strip.note(&waits(Wait::Counts { split: BLUE_80, left: Duration::from_secs(120) }), later(600));
    insta::assert_snapshot!(strip.lines()[1], @"step 1 of 3 · 10 of 10 min · next 50 % with complete counts at 02:39 UTC");
    strip.note(&waits(Wait::Capacity(crate::report::fixtures::capacity(Color::Green, 50, 2, 5))), later(720));
    insta::assert_snapshot!(strip.lines()[1], @"step 1 of 3 · 10 of 10 min · next 50 % once enough targets are healthy");
    strip.note(&bake(Split { blue: 20, green: 80 }, 600), later(800));
    insta::assert_snapshot!(shown(&strip), @"
    🟦🟦🟩🟩🟩🟩🟩🟩🟩🟩 set 80 % green
    step 3 of 3 · 0 of 10 min · next 100 % at 02:50 UTC
    ");
    strip.note(&Event::Moved(Split { blue: 0, green: 100 }), later(1_500));
    assert_eq!(shown(&strip), "🟩🟩🟩🟩🟩🟩🟩🟩🟩🟩 all users on green");
}

#[test]
fn minutes_before_the_step_are_not_seen() {
    let mut strip = planned();
    strip.note(&bake(BLUE_80, 600), later(0));
    let read = || Ok(comparison(Verdict::TooFew { enough: 3 }));
    strip.note(&look(NOW, 10, 0, read()), later(60));
    assert!(strip.lines()[0].ends_with("seen 0 % (10 requests)"), "{:?}", strip.lines());
    strip.note(&bake(Split { blue: 50, green: 50 }, 600), later(600));
    assert_eq!(strip.lines().len(), 2, "nothing is known of the new step: {:?}", strip.lines());
    strip.note(&look(later(540), 80, 20, read()), later(660));
    assert!(strip.lines()[0].ends_with("set 50 % green · no whole minute seen yet"), "{:?}", strip.lines());
}

#[test]
fn each_state_of_the_split_has_a_plain_form() {
    let mut seen = overview();
    let mut rules = vec![("HTTPS:443 default".to_owned(), BLUE_80), ("HTTPS:443 `10`".to_owned(), BLUE)];
    let line = |seen: &Overview| {
        let mut strip = Strip::default();
        strip.note(&Event::Seen(Box::new(seen.clone())), NOW);
        shown(&strip)
    };
    seen.split = Some(Err(RoutingError::Disagree(rules.clone())));
    seen.rules.clone_from(&rules);
    insta::assert_snapshot!(line(&seen), @"⬜⬜⬜⬜⬜⬜⬜⬜⬜⬜ the rules differ: 20 % green at `HTTPS:443 default`, 0 % green at `HTTPS:443 '10'`");
    rules.extend((0..3).map(|number| (format!("rule {number}"), BLUE)));
    seen.rules = rules;
    insta::assert_snapshot!(line(&seen), @"⬜⬜⬜⬜⬜⬜⬜⬜⬜⬜ the rules differ: 20 % green at `HTTPS:443 default`, 0 % green at `HTTPS:443 '10'`, 0 % green at `rule 0`, and 2 more");
    seen.split = None;
    insta::assert_snapshot!(line(&seen), @"⬜⬜⬜⬜⬜⬜⬜⬜⬜⬜ split not known");
    seen.split = Some(Ok(Split { blue: 0, green: 0 }));
    insta::assert_snapshot!(line(&seen), @"⬜⬜⬜⬜⬜⬜⬜⬜⬜⬜ no users on either color");
    seen.split = Some(Ok(Split { blue: 1, green: 998 }));
    insta::assert_snapshot!(line(&seen), @"🟦🟩🟩🟩🟩🟩🟩🟩🟩🟩 set 1 % blue");
    assert_eq!(shown(&Strip::default()), "⬜⬜⬜⬜⬜⬜⬜⬜⬜⬜ split not known");
}

#[test]
fn each_state_of_the_counts_has_a_plain_form() {
    let line = |blue, green, read: AwsResult<Comparison>| {
        let mut strip = planned();
        strip.note(&bake(BLUE_80, 90), NOW);
        strip.note(&look(NOW, blue, green, read), later(60));
        strip.lines()[0].split_once(" · ").map(|(_, seen)| seen.to_owned()).unwrap()
    };
    let sticky = || Ok(comparison(Verdict::NotJudged(NotJudged::Sticky)));
    let good = || Ok(comparison(Verdict::NoDifference { enough: 9 }));
    insta::assert_snapshot!(line(65, 35, sticky()), @"seen 35 % (100 requests, sticky clients)");
    insta::assert_snapshot!(line(0, 0, good()), @"no requests seen");
    insta::assert_snapshot!(line(1, 0, good()), @"seen 0 % (1 request)");
    insta::assert_snapshot!(line(9_999, 1, good()), @"seen 1 % (10,000 requests)");
    insta::assert_snapshot!(line(1, 9_999, good()), @"seen 99 % (10,000 requests)");
    let denied = || Err(trouble(AwsErrorKind::Denied, "AccessDenied", "no"));
    insta::assert_snapshot!(line(1, 1, denied()), @"seen: not known, the counts could not be read");
}

#[test]
fn a_short_step_is_shown_in_seconds_and_no_health_without_minutes() {
    let mut strip = Strip::default();
    strip.note(&bake(BLUE_80, 3), NOW);
    strip.note(&bake(BLUE_80, 1), later(2));
    let read = Comparison { minutes: 0, ..comparison(Verdict::TooFew { enough: 3 }) };
    strip.note(&look(NOW, 4, 1, Ok(read)), later(2));
    insta::assert_snapshot!(shown(&strip), @"
    🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green · seen 20 % (5 requests)
    2 of 3 s · next step at 02:27:03 UTC
    ");
}

#[test]
fn the_end_of_a_run_has_no_step() {
    let mut report = moved();
    report.overview.as_mut().unwrap().compared = Some(Ok(comparison(Verdict::NoDifference { enough: 9 })));
    insta::assert_snapshot!(shown(&Strip::of_report(&report)), @"
    🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green · seen 20 % (20,000 requests)
    5xx 0.1 % | 0.1 % · p95 120 | 131 ms
    ");
}

proptest! {
    #[test]
    fn a_color_with_users_has_a_square(blue in 0_u32..1_000, green in 0_u32..1_000) {
        let text = squares(Split { blue, green });
        let of = |square: char| text.chars().filter(|it| *it == square).count();
        prop_assert!(blue + green == 0 || of('🟦') + of('🟩') == 10);
        prop_assert!(blue + green == 0 || (of('🟦') > 0) == (blue > 0) && (of('🟩') > 0) == (green > 0), "{text}");
    }
}

#[test]
fn a_status_shows_the_requests_of_the_last_minutes() {
    let mut report = Report { command: "status", traffic: None, ..moved() };
    report.overview.as_mut().unwrap().compared = Some(Ok(comparison(Verdict::NoDifference { enough: 9 })));
    insta::assert_snapshot!(shown(&Strip::of_report(&report)), @"
    🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green · seen 50 % (2,000 requests)
    5xx 0.1 % | 0.1 % · p95 120 | 131 ms
    ");
}
