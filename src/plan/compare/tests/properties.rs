//! Properties of the judgement, over random minutes.

use proptest::prelude::*;

use super::*;

/// Counts of a color.
fn any_counts(most: u64) -> impl Strategy<Value = Counts> {
    (0..=most, 0..=most, 0..=most, 0..=most).prop_map(|(requests, failed, refused, client_errors)| Counts {
        requests,
        failed,
        refused,
        client_errors,
    })
}

/// Minutes with requests that often fit the split.
fn any_minutes(most: u64) -> impl Strategy<Value = Vec<Minute>> {
    let pairs = proptest::collection::vec((any_counts(most), any_counts(most)), 0..12);
    pairs.prop_map(|pairs| {
        let numbered = pairs.into_iter().enumerate();
        numbered.map(|(number, (blue, green))| minute(number as u64, blue, green)).collect()
    })
}

proptest! {
    #[test]
    fn the_order_of_the_minutes_changes_nothing(minutes in any_minutes(2_000), turn in 0_usize..12) {
        let mut other = minutes.clone();
        other.reverse();
        let len = other.len().max(1);
        other.rotate_left(turn % len);
        prop_assert_eq!(compare(&evidence(&minutes, (50, 50))), compare(&evidence(&other, (50, 50))));
    }

    #[test]
    fn a_minute_that_still_grows_changes_nothing(minutes in any_minutes(2_000), late in any_counts(2_000)) {
        let last = minutes.len() as u64;
        let look = |growing: Option<Counts>| {
            let mut all = minutes.clone();
            all.extend(growing.map(|counts| minute(last, counts, counts)));
            compare(&Evidence { now: after_minutes(last), ..evidence(&all, (50, 50)) })
        };
        prop_assert_eq!(look(None), look(Some(late)));
    }

    #[test]
    fn the_colors_are_judged_alike(minutes in any_minutes(2_000)) {
        let swapped: Vec<Minute> = minutes.iter().map(|it| Minute {
            start: it.start,
            colors: ColorPair { blue: it.colors.green, green: it.colors.blue },
        }).collect();
        let of_green = compare(&evidence(&minutes, (50, 50))).verdict;
        let of_blue = compare(&Evidence { tested: Color::Blue, ..evidence(&swapped, (50, 50)) }).verdict;
        let turned = match of_blue {
            Verdict::Worse { color: Color::Blue, signal } => Verdict::Worse { color: Color::Green, signal },
            Verdict::Worse { color: Color::Green, signal } => Verdict::Worse { color: Color::Blue, signal },
            other => other,
        };
        prop_assert_eq!(of_green, turned);
    }

    #[test]
    fn a_billion_requests_overflow_nothing(minutes in any_minutes(1_000_000_000)) {
        compare(&evidence(&minutes, (50, 50)));
    }

    #[test]
    fn enough_failures_are_enough_and_one_fewer_is_not(own in 200_u64..5_000, other in 0_u64..10) {
        let of = |failed| compare(&evidence(&[minute(0, counts(own * 4, other), counts(own, failed))], (80, 20))).verdict;
        if let Verdict::NoDifference { enough } | Verdict::TooFew { enough } = of(0) {
            prop_assume!(enough <= own);
            let worse = Verdict::Worse { color: Color::Green, signal: Signal::Failures };
            prop_assert_eq!(of(enough), worse);
            prop_assert_ne!(of(enough - 1), worse);
        }
    }
}

#[test]
fn the_largest_counts_overflow_nothing() {
    let most = Counts { requests: u64::MAX, failed: u64::MAX, refused: u64::MAX, client_errors: u64::MAX };
    for other in [most, counts(1, 0), counts(1, 1), counts(u64::MAX, 0)] {
        for (blue, green) in [(most, other), (other, most)] {
            compare(&evidence(&[minute(0, blue, green), minute(1, blue, green)], (50, 50)));
            compare(&evidence(&[minute(0, blue, green)], (999, 1)));
        }
    }
}
