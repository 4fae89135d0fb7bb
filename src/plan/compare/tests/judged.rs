//! Verdicts, case by case.

use super::*;

/// The verdict on green after these minutes of (blue's requests, failures, green's requests, failures) at blue-80.
fn at_blue_80(minutes: &[(u64, u64, u64, u64)]) -> Verdict {
    compare(&evidence(&told(minutes), (80, 20))).verdict
}

/// The minutes, the first at number 0.
fn told(minutes: &[(u64, u64, u64, u64)]) -> Vec<Minute> {
    let minute = |(number, it): (usize, &(u64, u64, u64, u64))| {
        minute(number as u64, counts(it.0, it.1), counts(it.2, it.3))
    };
    minutes.iter().enumerate().map(minute).collect()
}

/// Green is worse by its failures.
const GREEN_FAILS: Verdict = Verdict::Worse { color: Color::Green, signal: Signal::Failures };

#[test]
fn a_color_that_fails_one_request_in_fifty_is_worse() {
    assert_eq!(at_blue_80(&[(2870, 3, 718, 15); 6]), GREEN_FAILS);
    let blue = at_blue_80(&[(2870, 60, 718, 0); 6]);
    assert_eq!(blue, Verdict::Worse { color: Color::Blue, signal: Signal::Failures });
}

#[test]
fn equal_colors_show_no_difference_and_the_rate_that_would_have_been_found() {
    let equal = at_blue_80(&[(17_220, 17, 4_310, 4)]);
    let Verdict::NoDifference { enough } = equal else { panic!("{equal:?}") };
    assert_eq!(at_blue_80(&[(17_220, 17, 4_310, enough)]), GREEN_FAILS);
    assert_ne!(at_blue_80(&[(17_220, 17, 4_310, enough - 1)]), GREEN_FAILS);
}

#[test]
fn too_few_requests_are_no_verdict() {
    assert_eq!(at_blue_80(&[(164, 0, 41, 0)]), Verdict::TooFew { enough: 6 });
    assert_eq!(at_blue_80(&[(164, 0, 41, 5)]), Verdict::TooFew { enough: 6 });
    assert_eq!(at_blue_80(&[(164, 0, 41, 6)]), GREEN_FAILS);
    assert_eq!(at_blue_80(&[]), Verdict::TooFew { enough: 6 });
    assert_eq!(at_blue_80(&[(400, 0, 0, 0), (0, 0, 0, 0)]), Verdict::TooFew { enough: 6 });
}

#[test]
fn if_both_fail_the_new_version_is_not_the_cause() {
    assert_eq!(at_blue_80(&[(1000, 310, 250, 75)]), Verdict::BothFail);
    assert_eq!(at_blue_80(&[(1000, 100, 250, 200)]), GREEN_FAILS, "it fails far more often");
}

#[test]
fn a_difference_below_the_tolerance_makes_no_color_worse() {
    let many = [(80_000_000, 80_000, 20_000_000, 40_000)];
    assert!(matches!(at_blue_80(&many), Verdict::NoDifference { .. }), "0.1 points apart");
    let tolerant = |tolerance| compare(&Evidence { tolerance, ..evidence(&told(&many), (80, 20)) }).verdict;
    assert_eq!(tolerant(100), GREEN_FAILS);
    assert!(matches!(tolerant(101), Verdict::NoDifference { enough: 40_200 }), "{:?}", tolerant(101));
}

#[test]
fn two_failures_make_no_color_worse() {
    let of =
        |failed| compare(&evidence(&[minute(0, counts(9_990, 0), counts(10, failed))], (999, 1))).verdict;
    assert_eq!(of(2), Verdict::TooFew { enough: 3 });
    assert_eq!(of(3), GREEN_FAILS);
}

#[test]
fn failed_connections_count_as_failures_and_only_once() {
    let green = Counts { requests: 41, failed: 3, refused: 3, client_errors: 0 };
    let mixed = compare(&evidence(&[minute(0, counts(164, 0), green)], (80, 20)));
    assert_eq!(mixed.verdict, GREEN_FAILS);
    assert_eq!(Counts { refused: 900, ..green }.failures(), 41);
}

#[test]
fn client_errors_count_from_five_points() {
    let of = |client_errors| {
        let green = Counts { requests: 10_000, client_errors, ..Counts::default() };
        compare(&evidence(&[minute(0, counts(40_000, 0), green)], (80, 20))).verdict
    };
    assert!(matches!(of(499), Verdict::NoDifference { .. }));
    assert_eq!(of(500), Verdict::Worse { color: Color::Green, signal: Signal::ClientErrors });
}

#[test]
fn two_signals_need_twice_the_evidence() {
    // 3 failures of green alone give a ratio of 1,160 at 95/5: enough for one signal, too little for two.
    let of = |client_errors| {
        let green = Counts { requests: 100, failed: 3, refused: 0, client_errors };
        let blue = Counts { requests: 1_900, client_errors: 190, ..Counts::default() };
        compare(&evidence(&[minute(0, blue, green)], (95, 5))).verdict
    };
    assert_eq!(of(10), GREEN_FAILS);
    assert!(!matches!(of(5), Verdict::Worse { .. }), "4xx differ by 5 points, too");
}

#[test]
fn invariant_45_only_complete_minutes_of_these_versions_count() {
    let bad = told(&[(400, 0, 100, 50), (400, 0, 100, 0), (400, 0, 100, 0), (400, 0, 100, 50)]);
    let of = |since: Time, now: Time| compare(&Evidence { since, now, ..evidence(&bad, (80, 20)) });
    assert_eq!(of(minute_start(0), after_minutes(1)).verdict, GREEN_FAILS);
    let later = of(minute_start(0).after(Duration::from_millis(1)), after_minutes(3));
    assert_eq!((later.minutes, later.counts.green.failed), (2, 0), "minute 0 began before the version ran");
    let newest = of(minute_start(1), Time(after_minutes(4).0 - 1));
    assert_eq!((newest.minutes, newest.counts.green.failed), (2, 0), "minute 3 may still grow");
    assert_eq!(of(minute_start(1), after_minutes(4)).minutes, 3);
}

#[test]
fn invariant_45_minutes_of_one_color_do_not_count() {
    let some = told(&[(400, 0, 100, 0), (400, 90, 0, 0), (0, 0, 100, 90), (400, 0, 100, 0)]);
    let all = compare(&evidence(&some, (80, 20)));
    assert_eq!((all.minutes, all.left_out), (2, 0));
    assert_eq!((all.counts.blue.failed, all.counts.green.failed), (0, 0));
}

#[test]
fn invariant_45_minutes_of_another_split_do_not_count() {
    let mixed = told(&[(500, 0, 500, 90), (400, 0, 100, 0), (410, 0, 90, 0)]);
    let all = compare(&evidence(&mixed, (80, 20)));
    assert_eq!((all.minutes, all.left_out, all.counts.green.failed), (2, 1, 0));
    let other = compare(&evidence(&mixed[..1], (80, 20)));
    assert_eq!(other.verdict, Verdict::NotJudged(NotJudged::OtherRequests));
    assert_eq!((other.minutes, other.left_out), (0, 1));
}

#[test]
fn invariant_45_requests_past_the_split_are_found_over_many_minutes() {
    // Ten requests a minute through green's test port: too few to show in one minute.
    let tested = |count| vec![(80, 0, 30, 0); count];
    assert!(matches!(at_blue_80(&tested(1)), Verdict::TooFew { .. }));
    assert_eq!(at_blue_80(&tested(20)), Verdict::NotJudged(NotJudged::OtherRequests));
}

#[test]
fn invariant_45_sticky_disagreeing_and_single_routes_are_shown_but_not_judged() {
    let bad = told(&[(400, 0, 100, 100)]);
    let split = Split { blue: 80, green: 20 };
    for (routing, reason, configured) in [
        (Routing::Sticky(split), NotJudged::Sticky, Some(split)),
        (Routing::Deploying(split), NotJudged::Deploying, Some(split)),
        (Routing::Apart, NotJudged::RulesDisagree, None),
        (
            Routing::Split(Split { blue: 100, green: 0 }),
            NotJudged::NoSplit,
            Some(Split { blue: 100, green: 0 }),
        ),
    ] {
        let all = compare(&Evidence { routing, ..evidence(&bad, (80, 20)) });
        assert_eq!((all.verdict, all.configured), (Verdict::NotJudged(reason), configured));
    }
    let sticky = compare(&Evidence { routing: Routing::Sticky(split), ..evidence(&bad, (80, 20)) });
    assert_eq!(sticky.counts.green, counts(100, 100), "it is shown all the same");
}

#[test]
fn response_times_are_those_of_the_median_minute_and_never_judged() {
    let ms = |p50: u64| {
        let of = Duration::from_millis;
        Some(Latency { p50: of(p50), p95: of(10 * p50), p99: of(100 * p50) })
    };
    let mut minutes = told(&[(400, 0, 100, 0); 3]);
    for (minute, [blue, green]) in minutes.iter_mut().zip([[2, 900], [1, 800], [90, 700]]) {
        minute.colors.blue.latency = ms(blue);
        minute.colors.green.latency = ms(green);
    }
    let all = compare(&evidence(&minutes, (80, 20)));
    assert_eq!((all.latency.blue, all.latency.green), (ms(2), ms(800)));
    assert!(matches!(all.verdict, Verdict::NoDifference { .. } | Verdict::TooFew { .. }));
}
