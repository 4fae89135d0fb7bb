//! The chart and the table, from the events of a run.

use super::*;
use crate::event::CountsLook;
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::cause::Cause;
use crate::plan::color::{Color, ServiceColor};
use crate::plan::compare::{ColorPair, Counts};
use crate::plan::step::RunFailure;
use crate::report::fixtures::{BLUE_80, overview, report, trouble};

/// The start of the tests: 02:27 UTC.
const START: Time = Time(1_700_015_220_000);

/// The time so many seconds after the start.
fn at(seconds: u64) -> Time {
    START.after(Duration::from_secs(seconds))
}

/// The timeline of events, each with its second.
fn timeline(events: Vec<(u64, Event)>) -> Timeline {
    let mut timeline = Timeline::default();
    events.iter().for_each(|(second, event)| timeline.note(event, at(*second)));
    timeline
}

/// The first event.
fn started() -> Event {
    let (cluster, region) = ("shop".to_owned(), "eu-west-1".to_owned());
    Event::Started { command: "redirect-traffic", cluster, region }
}

/// A wait.
fn waits(wait: Wait) -> Event {
    Event::Waiting { wait, elapsed: Duration::ZERO, heartbeat: false }
}

/// A bake at this split.
fn bake(split: Split) -> Event {
    waits(Wait::Bake { split, left: Duration::from_secs(60), no_data: Vec::new() })
}

/// The end.
fn ended() -> Event {
    Event::Ended(Box::new(report()))
}

/// A look at one minute for each start, in seconds after the start of the run.
fn counts(starts: &[u64]) -> Event {
    let of = |requests, failed| MinuteOfColor {
        counts: Some(Counts { requests, failed, refused: 0, client_errors: 0 }),
        latency: None,
    };
    let minute = |second: &u64| Minute {
        start: at(*second),
        colors: ColorPair { blue: of(1_200 + second, 1), green: MinuteOfColor::default() },
    };
    let read: AwsResult<_> = Err(trouble(AwsErrorKind::Throttled, "", ""));
    Event::Compared(Box::new(CountsLook {
        read,
        minutes: starts.iter().map(minute).collect(),
        is_new: false,
    }))
}

#[test]
fn a_run_in_steps_is_a_chart_and_a_table() {
    let split = Split { blue: 50, green: 50 };
    let line = timeline(vec![
        (0, started()),
        (2, Event::Seen(Box::new(overview()))),
        (3, Event::Step(Step::Probe(ServiceColor::Green))),
        (5, bake(BLUE_80)),
        (30, bake(BLUE_80)),
        (90, bake(split)),
        (150, counts(&[60, 0, 120])),
        (160, waits(Wait::Settle { color: Color::Green, left: Duration::from_secs(30) })),
        (190, ended()),
    ]);
    insta::assert_snapshot!(line.section(), @"
    <details><summary>Timeline</summary>

    ```mermaid
    gantt
        title Time since the start
        dateFormat HH:mm:ss
        axisFormat %H:%M:%S
        look and plan :done, 00:00:00, 00:00:03
        probe green :done, 00:00:03, 00:00:05
        80 % blue, 20 % green :done, 00:00:05, 00:01:30
        50 % blue, 50 % green :done, 00:01:30, 00:02:40
        watch green :done, 00:02:40, 00:03:10
    ```

    | minute (UTC) | set for green | blue: requests | failed | green: requests | failed |
    |---|---|---|---|---|---|
    | 02:27 | 0 % → 20 % | 1,200 | 1 | – | – |
    | 02:28 | 20 % → 50 % | 1,260 | 1 | – | – |
    | 02:29 | 50 % | 1,320 | 1 | – | – |

    </details>
    ");
}

#[test]
fn a_run_that_goes_back_shows_that_to_its_end() {
    let failing =
        || Event::RunFailure { failing: RunFailure::Cancelled, cause: Cause::default(), logs: Vec::new() };
    let line = timeline(vec![
        (0, started()),
        (4, bake(BLUE_80)),
        (64, failing()),
        (70, waits(Wait::Restore { running: 1, desired: 2 })),
        (80, bake(BLUE_80)),
        (100, ended()),
    ]);
    let bars: Vec<_> = line.chart().lines().skip(5).map(str::to_owned).collect();
    let expected = [
        "    look and plan :done, 00:00:00, 00:00:04",
        "    80 % blue, 20 % green :done, 00:00:04, 00:01:04",
        "    go back :crit, 00:01:04, 00:01:40",
        "```",
        "",
    ];
    assert_eq!(bars, expected);
}

#[test]
fn a_run_that_only_looked_has_no_timeline() {
    let refused = timeline(vec![(0, started()), (8, ended())]);
    assert_eq!((refused.section(), Timeline::default().section()), (String::new(), String::new()));
    let instant = timeline(vec![(0, started()), (0, bake(BLUE_80)), (0, ended())]);
    assert_eq!(instant.section(), "", "no phase took a second");
}

#[test]
fn a_long_run_keeps_its_last_minutes_and_bars() {
    let minutes: Vec<u64> = (0..100).map(|minute| minute * 60).collect();
    let mut events = vec![(0, started()), (1, counts(&minutes))];
    for second in 2..102 {
        let share = u32::try_from(second % 2).expect("a bit") + 1;
        events.push((second, bake(Split { blue: 100 - share, green: share })));
    }
    events.push((9_999, ended()));
    let line = timeline(events);
    let chart = line.chart();
    assert_eq!(chart.matches(" :done").count(), MOST_BARS);
    assert!(chart.ends_with(", 02:46:39\n```\n\n") && !chart.contains("look and plan"), "{chart}");
    let table = line.minute_table();
    assert_eq!(table.trim_end().lines().count(), 2 + MOST_MINUTES);
    assert!(!table.contains("| 02:27 |"), "the first minutes are left out");
}

#[test]
fn minutes_before_the_run_are_no_part_of_it() {
    let before = Event::Compared(Box::new(CountsLook {
        read: Err(trouble(AwsErrorKind::Throttled, "", "")),
        minutes: vec![Minute { start: START.before(Duration::from_secs(60)), colors: ColorPair::default() }],
        is_new: false,
    }));
    let line = timeline(vec![(0, started()), (1, before), (2, ended())]);
    assert_eq!(line.minute_table(), "");
}
