//! When a run looks at the counts, and how long it holds a step for them.

use super::super::watch::{Due, Watch};
use super::*;
use crate::plan::step::{End, Next, Wait};

/// Blue-80.
const SPLIT: Split = Split { blue: 80, green: 20 };

/// So many seconds after a whole minute.
fn second(number: u64) -> Time {
    minute_start(0).after(Duration::from_secs(number))
}

/// A bake with so many seconds left.
fn bake(left: u64) -> Next {
    Next::Wait(Wait::Bake { split: SPLIT, left: Duration::from_secs(left), no_data: Vec::new() })
}

/// The run wants to go on.
fn go_on() -> Next {
    Next::Done(End::Good { changed: true, healthy: 2 })
}

/// A look, and the seconds for which the step is held.
fn due(look: bool, hold: Option<u64>) -> Due {
    let wait = |left| Wait::Counts { split: SPLIT, left: Duration::from_secs(left) };
    Due { look, hold: hold.map(wait) }
}

#[test]
fn a_bake_has_one_look_a_minute_and_a_last_one_when_its_minutes_are_complete() {
    let mut watch = Watch::default();
    let back = CompareMode::Back;
    for (next, at, expected) in [
        (bake(300), 30, due(false, None)),
        (bake(295), 35, due(false, None)),
        (bake(240), 90, due(true, None)),
        (bake(235), 95, due(false, None)),
        (bake(170), 160, due(true, None)),
        (go_on(), 330, due(true, Some(90))),
        (go_on(), 335, due(false, Some(85))),
        (go_on(), 395, due(true, Some(25))),
        (go_on(), 420, due(true, None)),
        (go_on(), 425, due(false, None)),
    ] {
        assert_eq!(watch.due(&next, back, second(at)), expected, "at {at}");
    }
}

#[test]
fn a_step_without_a_whole_minute_or_without_requests_is_not_held() {
    let mut watch = Watch::default();
    watch.due(&bake(59), CompareMode::Back, second(1));
    assert_eq!(watch.due(&go_on(), CompareMode::Back, second(60)), due(false, None));
    watch.due(&bake(300), CompareMode::Back, second(0));
    assert_eq!(watch.due(&go_on(), CompareMode::Back, second(300)), due(true, Some(120)));
    let quiet = [minute(1, counts(100, 0), counts(0, 0)), minute(2, counts(100, 0), counts(0, 0))];
    assert!(!watch.had_requests(&quiet, Color::Green) && watch.had_requests(&quiet, Color::Blue));
    watch.release();
    assert_eq!(watch.due(&go_on(), CompareMode::Back, second(305)), due(false, None));
}

#[test]
fn a_run_that_only_watches_is_never_held_and_off_never_looks() {
    let mut watch = Watch::default();
    watch.due(&bake(300), CompareMode::Watch, second(0));
    assert_eq!(watch.due(&bake(200), CompareMode::Watch, second(100)), due(true, None));
    assert_eq!(watch.due(&go_on(), CompareMode::Watch, second(300)), due(false, None));
    let mut off = Watch::default();
    off.due(&bake(300), CompareMode::Off, second(0));
    assert_eq!(off.due(&bake(200), CompareMode::Off, second(100)), due(false, None));
}

#[test]
fn a_step_during_the_bake_passes_and_the_next_split_is_a_bake_of_its_own() {
    let mut watch = Watch::default();
    watch.due(&bake(300), CompareMode::Back, second(0));
    assert_eq!(watch.due(&go_on(), CompareMode::Back, second(100)), due(false, None));
    let next =
        Wait::Bake { split: Split { blue: 50, green: 50 }, left: Duration::from_secs(300), no_data: vec![] };
    let next = Next::Wait(next);
    assert_eq!(watch.due(&next, CompareMode::Back, second(310)), due(false, None));
    assert_eq!(watch.due(&next, CompareMode::Back, second(371)), due(true, None));
}
