//! Tables of a promote: which phases, and what is copied.

use std::time::Duration;

use serde_json::json;

use super::{Goal, Phase, copied, mutable, phases};
use crate::plan::admit::Hindrance;
use crate::plan::color::{Color, Split};
use crate::plan::definition::{Content, same_content};
use crate::plan::sample::{arn, content, snapshot};
use crate::plan::snapshot::{Container, Revision, Rollout, Scalable, Service, Snapshot, Task};
use crate::plan::step::Refusal;
use crate::plan::traffic::Wish;
use crate::plan::verdict::Limits;
use crate::plan::wanted::{Mode, Promotion};

/// A promote of blue in this mode, all else as by default.
pub(super) fn goal(mode: Mode) -> Goal {
    let traffic = Wish {
        to: Split { blue: 100, green: 0 },
        steps: Vec::new(),
        bake: Duration::from_secs(300),
        alarms: Vec::new(),
        scale_up: true,
        force: false,
        adopt: false,
        expect: None,
        settle: Duration::from_secs(120),
    };
    Goal {
        promotion: Promotion {
            color: Color::Blue,
            mode,
            idle_count: 1,
            max_drain: Duration::from_secs(600),
            per_color: Vec::new(),
            expect: None,
            traffic,
        },
        listener: None,
        managed: None,
        bounds: None,
        limits: Limits::with_timeout(Duration::from_secs(600)),
        restore_on_cancel: false,
    }
}

/// The phases in short words.
fn told(seen: &Snapshot, goal: &Goal) -> Vec<String> {
    let short = |phase: &Phase| match phase {
        Phase::Move(goal) if goal.finish.is_some() => format!("{} and settle", goal.wish.to),
        Phase::Move(goal) => goal.wish.to.to_string(),
        Phase::Deploy(goal, service) => format!("deploy to {} ({service})", goal.color),
    };
    phases(seen, goal).unwrap().iter().map(short).collect()
}

/// Blue runs v1, green runs v2.
fn world() -> Snapshot {
    let mut seen = snapshot();
    let green = seen.services.iter_mut().find(|service| service.color == Color::Green).unwrap();
    green.definition.as_mut().unwrap().as_mut().unwrap().content = content("web-green", "v2");
    seen
}

/// The service of a color.
fn service(seen: &mut Snapshot, color: Color) -> &mut Service {
    seen.services.iter_mut().find(|service| service.color == color).unwrap()
}

#[test]
fn the_color_without_users_never_gets_more_tasks_than_production() {
    let with = |seen: &Snapshot, idle| {
        let mut goal = goal(Mode::Swap);
        goal.promotion.idle_count = idle;
        phases(seen, &goal).map(|phases| phases.len())
    };
    let mut seen = world();
    assert_eq!(with(&seen, 2).ok(), Some(1), "both have 2");
    let refusal = Refusal::IdleAbove { color: Color::Green, idle: 3, production: 2 };
    assert_eq!(with(&seen, 3), Err(Hindrance::Refuse(refusal)));
    let scaling = Scalable {
        min: 1,
        max: 4,
        in_suspended: false,
        out_suspended: false,
        scheduled_suspended: false,
    };
    service(&mut seen, Color::Blue).scaling = Some(Ok(Some(scaling)));
    assert_eq!(with(&seen, 4).ok(), Some(1), "MaxCapacity says how far production can grow");
    assert!(with(&seen, 5).is_err());
    let mut none = world();
    service(&mut none, Color::Blue).desired = 0;
    service(&mut none, Color::Green).desired = 0;
    assert_eq!(with(&none, 1).ok(), Some(1), "what else is wrong with it is said by the change of traffic");
}

#[test]
fn a_swap_is_one_phase_and_a_copy_three() {
    assert_eq!(told(&world(), &goal(Mode::Swap)), ["blue and settle"]);
    assert_eq!(told(&world(), &goal(Mode::Copy)), ["green", "deploy to blue (web-blue)", "blue and settle"]);
}

#[test]
fn invariant_07_a_copy_that_was_done_is_not_done_twice() {
    let mut seen = world();
    let blue = service(&mut seen, Color::Blue);
    blue.definition.as_mut().unwrap().as_mut().unwrap().content = content("web-blue", "v2");
    assert_eq!(told(&seen, &goal(Mode::Copy)), ["blue and settle"]);
    service(&mut seen, Color::Blue).deployments[0].rollout = Rollout::InProgress;
    let all = ["green", "deploy to blue (web-blue)", "blue and settle"];
    assert_eq!(told(&seen, &goal(Mode::Copy)), all, "what is on its way is waited for with users elsewhere");
}

#[test]
fn what_was_approved_is_what_the_tested_color_runs() {
    let mut copy = goal(Mode::Copy);
    copy.promotion.expect = Some("web-green:1".to_owned());
    assert_eq!(told(&world(), &copy).len(), 3);
    copy.promotion.expect = Some("web-green:2".to_owned());
    let Err(Hindrance::Refuse(refusal)) = phases(&world(), &copy) else { panic!("refused") };
    let (found, expected) = (arn("web-green:1"), "web-green:2".to_owned());
    assert_eq!(refusal, Refusal::OtherTaskDefinition { color: Color::Green, found, expected });
}

/// A definition with these containers.
fn definition(family: &str, containers: serde_json::Value) -> Content {
    Content::from_described(json!({"family": family, "cpu": "256", "containerDefinitions": containers}))
        .unwrap()
}

/// A service whose tasks run these digests of the container `app`.
fn runs(digests: &[&str]) -> Service {
    let task = |digest: &&str| Task {
        task_definition: arn("web-green:2"),
        containers: vec![Container {
            name: "app".to_owned(),
            digest: Some((*digest).to_owned()),
            ..Container::default()
        }],
        ..Task::default()
    };
    let tasks = Some(Ok(digests.iter().map(task).collect()));
    Service { tasks, ..service(&mut snapshot(), Color::Green).clone() }
}

/// The revision that holds a content.
fn revision(content: Content) -> Revision {
    Revision { arn: arn("web-green:2"), content, tags: Vec::new(), active: true }
}

#[test]
fn what_was_tested_is_what_is_copied_by_digest_and_the_family_stays() {
    let tested = revision(definition("web-green", json!([{"name": "app", "image": "shop/web:v2"}])));
    let own = definition("web-blue", json!([{"name": "app", "image": "shop/web:v1"}]));
    let digest = format!("sha256:{}", "0".repeat(64));
    let copy = copied((&runs(&[&digest, &digest]), &tested), &own, &[]);
    let pinned = json!([{"name": "app", "image": format!("shop/web@{digest}")}]);
    assert!(same_content(&copy, &definition("web-blue", pinned)), "{:?}", copy.object());
    let other = format!("sha256:{}", "1".repeat(64));
    let loose = copied((&runs(&[&digest, &other]), &tested), &own, &[]);
    assert_eq!(mutable(&loose), ["shop/web:v2"], "tasks that run two digests pin nothing");
}

#[test]
fn variables_of_a_color_stay_its_own() {
    let tested = revision(definition(
        "web-green",
        json!([{"name": "app", "image": "shop/web:v2", "environment": [
            {"name": "COLOR", "value": "green"}, {"name": "ONLY_GREEN", "value": "1"}, {"name": "SHARED", "value": "2"}]}]),
    ));
    let own = definition(
        "web-blue",
        json!([{"name": "app", "image": "shop/web:v1", "environment": [{"name": "COLOR", "value": "blue"}],
            "secrets": [{"name": "KEY", "valueFrom": "arn:blue"}]}]),
    );
    let names = ["COLOR", "ONLY_GREEN", "KEY"].map(str::to_owned);
    let copy = copied((&runs(&[]), &tested), &own, &names);
    let wanted = definition(
        "web-blue",
        json!([{"name": "app", "image": "shop/web:v2",
            "environment": [{"name": "SHARED", "value": "2"}, {"name": "COLOR", "value": "blue"}],
            "secrets": [{"name": "KEY", "valueFrom": "arn:blue"}]}]),
    );
    assert!(same_content(&copy, &wanted), "{:?}", copy.object());
}
