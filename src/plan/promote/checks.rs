//! What a promote is refused for before its first write.

use super::copy::variables;
use super::{Goal, other};
use crate::plan::color::Color;
use crate::plan::definition::{Content, ImageRef, images, unusable_images};
use crate::plan::near::nearest;
use crate::plan::snapshot::{Revision, Rollout, Service, Snapshot, Task};
use crate::plan::step::Refusal;
use crate::plan::wanted::{Mode, Promotion};
use crate::plan::wiring::{adopting_of_snapshot, apart_of_snapshot};

/// The color without users never gets more tasks than production can have.
pub(super) fn sized(snapshot: &Snapshot, goal: &Goal) -> Result<(), Refusal> {
    let most = |service: &Service| match (&goal.managed, &service.scaling) {
        (Some(managed), _) => managed.max,
        (None, Some(Ok(Some(scaling)))) => scaling.max,
        (None, _) => service.desired,
    };
    let colors = [Color::Blue, Color::Green].into_iter().filter_map(|color| snapshot.service(color));
    let production = colors.map(most).max().unwrap_or_default().max(1);
    let (color, idle) = (other(goal.promotion.color), goal.promotion.idle_count);
    if idle > production { Err(Refusal::IdleAbove { color, idle, production }) } else { Ok(()) }
}

/// Users whom a rule outside the split sends to a color are moved by no split: that color neither shrinks nor gets a new
/// version under them (invariant 39). A copy changes both colors. With `adopt` the rules become part of the split.
pub(super) fn unruled(snapshot: &Snapshot, goal: &Goal) -> Result<(), Refusal> {
    let Promotion { color, mode, traffic, .. } = &goal.promotion;
    let reading = if traffic.adopt { adopting_of_snapshot } else { apart_of_snapshot };
    let Some(Ok(wiring)) = reading(snapshot, goal.listener.as_ref()) else { return Ok(()) };
    let colors = match mode {
        Mode::Swap => vec![other(*color)],
        Mode::Copy => vec![other(*color), *color],
    };
    let found = colors.into_iter().map(|color| (color, wiring.user_rules_of(color)));
    match found.into_iter().find(|(_, rules)| !rules.is_empty()) {
        Some((color, rules)) => Err(Refusal::UserRules { color, rules, split: wiring.split() }),
        None => Ok(()),
    }
}

/// What was approved has to run on the color that was tested.
pub(super) fn approved(tested: &Service, goal: &Goal) -> Result<(), Refusal> {
    let Some(expected) = &goal.promotion.expect else { return Ok(()) };
    let found = &tested.task_definition;
    if found == expected || found.rsplit('/').next() == Some(expected) {
        return Ok(());
    }
    Err(Refusal::OtherTaskDefinition {
        color: tested.color,
        found: found.clone(),
        expected: expected.clone(),
    })
}

/// What is copied is what runs, and not what a deployment is still bringing or could not bring.
pub(super) fn proven(tested: &Service) -> Result<(), Refusal> {
    let older = tested.deployments.iter().any(|deployment| !deployment.primary && deployment.running > 0);
    let failed = |rollout| rollout == Rollout::Failed;
    match tested.primary() {
        Some(primary) if failed(primary.rollout) || (older && primary.rollout != Rollout::Completed) => {
            Err(Refusal::InFlight {
                service: tested.name.clone(),
                id: primary.id.clone(),
                task_definition: primary.task_definition.clone(),
            })
        }
        Some(_) | None => Ok(()),
    }
}

/// Every variable that a color keeps is one that a container of either color has: a name with a typo would keep nothing,
/// and the color would get the other one's value.
pub(super) fn named(tested: &Content, own: &Content, per_color: &[String]) -> Result<(), Refusal> {
    let known: Vec<&str> = [tested, own].into_iter().flat_map(variables).collect();
    let unknown = per_color.iter().filter(|name| !known.contains(&name.as_str()));
    let found: Vec<(String, Option<String>)> =
        unknown.map(|name| (name.clone(), nearest(name, known.iter().copied()).map(str::to_owned))).collect();
    if found.is_empty() { Ok(()) } else { Err(Refusal::NoVariable(found)) }
}

/// Images are checked as those of a deploy are: production gets no placeholder.
pub(super) fn usable(color: Color, content: &Content) -> Result<(), Refusal> {
    let problems = unusable_images(content);
    if problems.is_empty() { Ok(()) } else { Err(Refusal::Images { color, problems }) }
}

/// Production's images by digest give way to digests alone. Those of the tested color are known by its tasks: without one,
/// a tag may be the same image or another.
pub(super) fn told(
    (tested, revision): (&Service, &Revision),
    own: &Content,
    content: &Content,
) -> Result<(), Refusal> {
    let runs = |task: &Task| task.task_definition == revision.arn && task.status == "RUNNING";
    if tested.tasks.iter().flatten().flatten().any(runs) {
        return Ok(());
    }
    let pinned = |image: &str| ImageRef::parse(image).is_ok_and(|image| image.is_pinned());
    let of_own = images(own);
    let kept = |container: &str| of_own.iter().any(|(name, image)| name == container && pinned(image));
    let untold: Vec<String> = images(content)
        .into_iter()
        .filter(|(container, image)| kept(container) && !pinned(image))
        .map(|(_, image)| image)
        .collect();
    if untold.is_empty() { Ok(()) } else { Err(Refusal::NoDigest { color: tested.color, images: untold }) }
}
