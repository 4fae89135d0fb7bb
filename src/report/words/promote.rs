//! Texts only for a promote: refusals and cautions.

use crate::plan::color::{Color, Split};
use crate::plan::problem::Problem;
use crate::plan::promote::Caution;
use crate::plan::traffic::Copying;
use crate::report::about::About;
use crate::report::names::{format_shares, in_backticks, join_with_and, one_line, short_arn};

/// The phases of a copy.
pub(super) fn render_copy_phases(copy: &Copying) -> String {
    let Copying { color, tested, away, .. } = copy;
    match away {
        true => {
            format!("all users to {tested}, {color} takes over what {tested} runs, all users back to {color}")
        }
        false => format!("{color} takes over what {tested} runs, then all users to {color}"),
    }
}

/// Commands that restore a color's version from before a copy: no color runs that version any more.
pub(super) fn version_back(copy: &Copying) -> String {
    let Copying { color, tested, before, .. } = copy;
    let before = short_arn(before);
    format!(
        "Both colors run the new version now; {color} ran {} before. To go back to it, run this action three times:\n  command: redirect-traffic\n  traffic: {tested}\nthen\n  command: deploy\n  color: {color}\n  task-definition: {before}\nthen\n  command: redirect-traffic\n  traffic: {color}",
        in_backticks(before)
    )
}

/// The split that a promote reached before its deploy was cut off.
pub(super) fn render_user_position(split: Split) -> String {
    format!(
        "\nThe promote had moved users before ({}), and they stay there. Run it again to go on.",
        format_shares(split)
    )
}

/// Images of the tested color that no registry can have.
pub(super) fn no_images(color: Color, problems: &[Problem]) -> (String, String) {
    let all: Vec<String> = problems.iter().map(|problem| one_line(&problem.to_string())).collect();
    (
        format!("The task definition of {color} can't be copied: {}.", all.join("; ")),
        format!("Deploy a version with the right images to {color} first, then promote it."),
    )
}

/// Variables in `per-color` that neither color has.
pub(super) fn no_variable(names: &[(String, Option<String>)]) -> (String, String) {
    let all: Vec<String> = names.iter().map(|(name, _)| in_backticks(name)).collect();
    let what = match all.as_slice() {
        [only] => format!(
            "`per-color` names {only}, and no container of either color has a variable or a secret of this name."
        ),
        all => format!(
            "`per-color` names {}, and no container of either color has variables or secrets of these names.",
            join_with_and(all)
        ),
    };
    let suggestion = |(name, suggestion): &(String, Option<String>)| {
        suggestion.as_ref().map(|suggestion| {
            format!("Did you mean {} instead of {}?\n", in_backticks(suggestion), in_backticks(name))
        })
    };
    let suggestion: String = names.iter().filter_map(suggestion).collect();
    (
        what,
        format!(
            "{suggestion}A name with a typo keeps nothing: the color would get the other one's value. Correct it, or leave it out."
        ),
    )
}

/// A tested color without tasks, whose image is named by a tag.
pub(super) fn no_digest(color: Color, images: &[String], about: &About) -> (String, String) {
    let all: Vec<String> = images.iter().map(|image| in_backticks(image)).collect();
    let what = format!(
        "No task of {color} runs that tells which image is behind {}, and the color that would take it over runs its own by digest: whether that is the same image can't be told.",
        join_with_and(&all)
    );
    let start = about.at(color).scale(1);
    let hint = format!(
        "If production runs what it should, as after a promote with `idle-count: 0`, there is nothing to do. To copy {color} once more, start a task there, see that it is good, and run again:\n{start}"
    );
    (what, hint)
}

/// A caution about a color before it becomes production.
pub(super) fn render_caution(caution: &Caution) -> String {
    match caution {
        Caution::LowerMax { color, most, other } => format!(
            "{color} has MaxCapacity {most}, and the other color has {other}: as production it can't grow as far. Raise it where it is defined."
        ),
        Caution::NotScaled(color) => format!(
            "{color} has no scalable target, and the other color has one: as production it does not scale automatically."
        ),
        Caution::Suspended { color, service, out, scheduled } => {
            let what = match (out, scheduled) {
                (true, true) => "Scale-out and scheduled scaling",
                (true, false) => "Scale-out",
                (false, _) => "Scheduled scaling",
            };
            let are = if *out && *scheduled { "are" } else { "is" };
            format!(
                "{what} of {} ({color}) {are} suspended, and no run takes that back.",
                in_backticks(service)
            )
        }
    }
}
