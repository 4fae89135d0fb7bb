//! The posts on GitHub that follow from the events of a run.

use super::*;
use crate::event::CountsLook;
use crate::plan::cause::Cause;
use crate::plan::color::{Color, ServiceColor};
use crate::plan::compare::{ColorPair, Comparison, Minute, MinuteOfColor, Signal, Verdict};
use crate::plan::step::{EndStateReason, Left, Purpose, RunFailure, Step, TrafficFailure, Update};
use crate::report::fixtures::{
    capacity, comparison, counts, crash, not_moved, overview, planned, scaling, traffic_plan, weights,
};

/// A run that posts everything.
fn run_view(command: &'static str) -> RunView {
    let style = LabelStyle {
        prefix: String::new(),
        blue: String::new(),
        green: String::new(),
        split: String::new(),
        develop: String::new(),
        failed: String::new(),
    };
    let wish = GithubSettings {
        token: None,
        comment: true,
        labels: true,
        deployments: true,
        pull_request: None,
        app: "web".to_owned(),
        style,
        prefix: None,
        workflow: None,
    };
    let run = CommentRun { started: Some(clock::now()), ..CommentRun::default() };
    let mut view = RunView {
        run,
        wish,
        key: String::new(),
        plan_only: false,
        now: Working { command, ..Working::default() },
        before: None,
        begun: false,
        watching: false,
        held: None,
        posted: None,
        finishes: command,
    };
    assert!(view.on_event(event(Event::Seen(Box::new(overview())))).is_none());
    view
}

/// An event as a message.
fn event(event: Event) -> WorkerMessage {
    WorkerMessage::Event(Box::new(event))
}

/// The text of the comment that an event leads to, if any.
fn comment(view: &mut RunView, about: Event) -> Option<String> {
    view.on_event(event(about)).map(|(shown, _)| shown.comment.unwrap_or_default())
}

/// A wait.
fn waiting(wait: Wait) -> Event {
    Event::Waiting { wait, elapsed: Duration::ZERO, heartbeat: true }
}

/// The wait until a split has lasted.
fn settle(color: Color) -> Event {
    waiting(Wait::Settle { color, left: Duration::from_secs(60) })
}

/// An update of blue.
fn update(task_definition: Option<&str>) -> Event {
    Event::Step(Step::Update(Update {
        color: ServiceColor::Blue,
        service: "web-blue".to_owned(),
        task_definition: task_definition.map(str::to_owned),
        desired: None,
        force: false,
        purpose: Purpose::Deploy,
    }))
}

/// A step that writes weights.
fn shift() -> Event {
    Event::Step(Step::Weights(Box::new(weights(None, Purpose::Traffic))))
}

#[test]
fn a_copy_says_in_each_phase_where_users_are() {
    let (blue, green) = (Split { blue: 100, green: 0 }, Split { blue: 0, green: 100 });
    let mut view = run_view("promote");
    view.on_event(event(Event::TrafficPlan(Box::new(traffic_plan()))));
    assert!(comment(&mut view, shift()).is_some(), "the run begins to write");
    assert!(comment(&mut view, Event::Moved(green)).is_none());
    let away = comment(&mut view, settle(Color::Green)).expect("the run watches");
    assert!(away.contains(". All users are on green.\n") && away.contains("The run watches on"), "{away}");
    let deploys = comment(&mut view, update(Some("web-blue:2"))).expect("the run goes on");
    assert!(!deploys.contains("watches on") && deploys.contains("The run is under way"), "{deploys}");
    assert!(comment(&mut view, update(None)).is_none(), "once");
    assert!(comment(&mut view, shift()).is_none());
    let half = Split { blue: 50, green: 50 };
    let bake = Wait::Bake { split: half, left: Duration::from_secs(60), no_data: Vec::new() };
    let step = comment(&mut view, waiting(bake)).expect("a step holds users");
    assert!(step.contains("🟦🟦🟦🟦🟦🟩🟩🟩🟩🟩 set 50 % green\\\n0 of 60 s · next "), "{step}");
    assert!(step.contains("Users: 50 % on blue, 50 % on green."), "{step}");
    view.on_event(event(Event::Moved(blue)));
    let back = comment(&mut view, settle(Color::Blue)).expect("the run watches again");
    assert!(back.contains(". All users are on blue.\n") && back.contains("The run watches on"), "{back}");
}

#[test]
fn an_adopted_deployment_is_shown_with_its_first_failed_task() {
    let mut view = run_view("deploy");
    view.on_event(event(Event::Plan(Box::new(planned()))));
    let (shown, at) = view.on_event(event(Event::Adopted { id: "ecs-svc/8".to_owned() })).expect("it begins");
    assert_eq!(at, PostTiming::Meanwhile);
    assert!(shown.comment.is_some_and(|text| text.contains("### ⏳ Deploying")));
    assert_eq!(shown.status.map(|status| status.state), Some("pending".to_owned()));
    assert!(shown.deployment.is_some());
    let failed = comment(&mut view, task_failed()).expect("a task failed");
    assert!(failed.contains("The first task of"), "{failed}");
}

/// The first task that failed.
fn task_failed() -> Event {
    Event::TaskFailed { color: ServiceColor::Green, cause: crash(), logs: Vec::new() }
}

#[test]
fn a_deploy_that_changes_nothing_shows_its_first_failed_task() {
    let mut view = run_view("deploy");
    view.on_event(event(Event::Plan(Box::new(planned()))));
    let failed = comment(&mut view, task_failed()).expect("a task failed");
    assert!(failed.contains("The first task of"), "{failed}");
    assert!(view.begun, "the end ends GitHub's deployment");
}

#[test]
fn a_comment_is_renewed_while_the_run_waits() {
    let mut view = run_view("deploy");
    let wait = || waiting(Wait::Probe);
    assert!(comment(&mut view, wait()).is_none(), "nothing was posted");
    assert!(comment(&mut view, update(Some("web-blue:2"))).is_some());
    assert!(comment(&mut view, wait()).is_none(), "just posted");
    let now = clock::now();
    view.posted = Some(Time(now.0 - 28_000));
    assert!(comment(&mut view, wait()).is_none(), "28 s later");
    view.posted = Some(Time(now.0 - 30_000));
    view.run.started = Some(Time(now.0 - 600_000));
    let text = comment(&mut view, wait()).expect("30 s later");
    assert!(text.contains("under way for 10m 00s"), "{text}");
    assert!(comment(&mut view, wait()).is_none(), "just renewed");
}

/// A bake of the step with this share of green.
fn bake(share: u32, left: u64) -> Event {
    let split = Split { blue: 100 - share, green: share };
    waiting(Wait::Bake { split, left: Duration::from_secs(left), no_data: Vec::new() })
}

/// A look at one minute's counts.
fn compared(verdict: Verdict, failed: u64) -> Event {
    let of = |requests, failed| MinuteOfColor { counts: Some(counts(requests, failed)), latency: None };
    let minutes = vec![Minute {
        start: clock::now().after(Duration::from_secs(60)),
        colors: ColorPair { blue: of(950, 1), green: of(50, failed) },
    }];
    let counts = ColorPair { blue: counts(9_500, 9), green: counts(500, failed) };
    let read = Ok(Comparison { counts, ..comparison(verdict) });
    Event::Compared(Box::new(CountsLook { read, minutes, is_new: true }))
}

/// The failure of a run whose new version is worse.
fn worse() -> RunFailure {
    let verdict = Verdict::Worse { color: Color::Green, signal: Signal::Failures };
    let counts = ColorPair { blue: counts(9_500, 9), green: counts(500, 21) };
    RunFailure::Traffic(TrafficFailure::Worse(Box::new(Comparison { counts, ..comparison(verdict) })))
}

/// A comment from its headline to the table, without its own times.
fn top(comment: &str) -> String {
    let lines = comment
        .lines()
        .skip_while(|line| !line.starts_with("### "))
        .take_while(|line| !line.starts_with("| |"));
    let text: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let is_time = |c: char| c.is_ascii_digit() || c == ':';
    text.join("\n")
        .split(" UTC")
        .map(|part| part.trim_end_matches(is_time))
        .collect::<Vec<_>>()
        .join("TIME UTC")
}

#[test]
fn a_release_in_steps_is_told_in_ten_comments() {
    let mut view = run_view("redirect-traffic");
    view.on_event(event(Event::TrafficPlan(Box::new(traffic_plan()))));
    let enough = Verdict::TooFew { enough: 12 };
    let begins = Event::Step(Step::Scaling(scaling(Some(true), Purpose::Traffic)));
    let capacity = waiting(Wait::Capacity(capacity(Color::Green, 10, 1, 2)));
    let held = Split { blue: 90, green: 10 };
    let counts = waiting(Wait::Counts { split: held, left: Duration::from_secs(90) });
    let failing = Event::RunFailure { failing: worse(), cause: Cause::default(), logs: Vec::new() };
    let end = not_moved(worse(), Left::Restored, EndStateReason::RestoredByRun);
    let story = [
        begins,
        bake(5, 300),
        compared(enough, 0),
        bake(5, 60),
        capacity,
        bake(10, 300),
        compared(Verdict::NoDifference { enough: 9 }, 1),
        counts,
        failing,
        Event::Ended(Box::new(end)),
    ];
    let mut told = Vec::new();
    for about in story {
        // A post that is 30 s old is renewed.
        view.posted = view.posted.map(|at| at.before(Duration::from_secs(30)));
        view.held = view.held.take().map(|(held, at)| (held, at.before(Duration::from_secs(30))));
        let (shown, _) = view.on_event(event(about)).expect("a post");
        told.push(top(&shown.comment.expect("a comment")));
    }
    assert_eq!(told.len(), 10);
    insta::assert_snapshot!(told.join("\n\n"));
}
