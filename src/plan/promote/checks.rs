//! Refusals of a promote before the first write.

use super::Goal;
use super::copy::variable_names;
use crate::plan::color::Color;
use crate::plan::definition::{Content, ImageRef, container_images, unusable_images};
use crate::plan::snapshot::{Revision, Rollout, Service, Snapshot, Task};
use crate::plan::step::Refusal;
use crate::plan::suggestion::nearest_word;
use crate::plan::wanted::{Mode, Promotion};
use crate::plan::wiring::{adopting_of_snapshot, apart_of_snapshot};

/// Refuses an idle count above the highest count of production.
pub(super) fn check_size(snapshot: &Snapshot, goal: &Goal) -> Result<(), Refusal> {
    let most = |service: &Service| match (&goal.managed, &service.scaling) {
        (Some(managed), _) => managed.max,
        (None, Some(Ok(Some(scaling)))) => scaling.max,
        (None, _) => service.desired,
    };
    let production = snapshot.production().map(|(_, service)| most(service)).max().unwrap_or_default().max(1);
    let (color, idle) = (goal.promotion.color.other(), goal.promotion.idle_count);
    if idle > production { Err(Refusal::IdleAbove { color, idle, production }) } else { Ok(()) }
}

/// Refuses to change a color while a rule outside the split sends users there (invariant 39). No split moves such
/// users, so that color neither shrinks nor gets a new version. A copy changes both colors. With `adopt` the rules
/// become part of the split.
pub(super) fn check_user_rules(snapshot: &Snapshot, goal: &Goal) -> Result<(), Refusal> {
    let Promotion { color, mode, traffic, .. } = &goal.promotion;
    let reading = if traffic.adopt { adopting_of_snapshot } else { apart_of_snapshot };
    let Some(Ok(wiring)) = reading(snapshot, goal.listener.as_ref()) else { return Ok(()) };
    let colors = match mode {
        Mode::Swap => vec![color.other()],
        Mode::Copy => vec![color.other(), *color],
    };
    let found = colors.into_iter().map(|color| (color, wiring.user_rules_of(color)));
    match found.into_iter().find(|(_, rules)| !rules.is_empty()) {
        Some((color, rules)) => Err(Refusal::UserRules { color, rules, split: wiring.split() }),
        None => Ok(()),
    }
}

/// Refuses unless the tested color runs the approved task definition.
pub(super) fn check_approved((color, tested): (Color, &Service), goal: &Goal) -> Result<(), Refusal> {
    let Some(expected) = &goal.promotion.expect else { return Ok(()) };
    let found = &tested.task_definition;
    if found == expected || found.rsplit('/').next() == Some(expected) {
        return Ok(());
    }
    Err(Refusal::OtherTaskDefinition { color, found: found.clone(), expected: expected.clone() })
}

/// Refuses to copy while the tested color's deployment is under way or failed: a copy takes only a version that runs.
pub(super) fn check_proven(tested: &Service) -> Result<(), Refusal> {
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

/// Refuses per-color variables that no container of either color has. A misspelt name would keep nothing, and the color
/// would get the other color's value.
pub(super) fn check_variable_names(
    tested: &Content,
    own: &Content,
    per_color: &[String],
) -> Result<(), Refusal> {
    let known: Vec<&str> = [tested, own].into_iter().flat_map(variable_names).collect();
    let unknown = per_color.iter().filter(|name| !known.contains(&name.as_str()));
    let found: Vec<(String, Option<String>)> = unknown
        .map(|name| (name.clone(), nearest_word(name, known.iter().copied()).map(str::to_owned)))
        .collect();
    if found.is_empty() { Ok(()) } else { Err(Refusal::NoVariable(found)) }
}

/// Images are checked as those of a deploy are: production gets no placeholder.
pub(super) fn usable(color: Color, content: &Content) -> Result<(), Refusal> {
    let problems = unusable_images(content);
    if problems.is_empty() { Ok(()) } else { Err(Refusal::Images { color, problems }) }
}

/// Refuses to replace production's images by digest with tags. The tested color's tasks give the digests. Without a
/// task, a tag may be the same image or another.
pub(super) fn check_known_images(
    (color, tested, revision): (Color, &Service, &Revision),
    own: &Content,
    content: &Content,
) -> Result<(), Refusal> {
    let runs = |task: &Task| task.task_definition == revision.arn && task.status == "RUNNING";
    if tested.tasks.iter().flatten().flatten().any(runs) {
        return Ok(());
    }
    let pinned = |image: &str| ImageRef::parse(image).is_ok_and(|image| image.is_pinned());
    let of_own = container_images(own);
    let kept = |container: &str| of_own.iter().any(|(name, image)| name == container && pinned(image));
    let untold: Vec<String> = container_images(content)
        .into_iter()
        .filter(|(container, image)| kept(container) && !pinned(image))
        .map(|(_, image)| image)
        .collect();
    if untold.is_empty() { Ok(()) } else { Err(Refusal::NoDigest { color, images: untold }) }
}
