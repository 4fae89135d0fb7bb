//! The parts that only a comment has: a table with a column for each color, and the commands.

use std::cmp::Ordering;

use super::CommentRun;
use crate::plan::color::{Color, PRESETS, ServiceColor, Split};
use crate::plan::overview::{ColorView, Movable, Move, Overview};
use crate::plan::snapshot::Rollout;
use crate::report::links;
use crate::report::markdown::{code_block, inline_code, markdown_link, table_cell};
use crate::report::names::{one_line, short_commit, short_image};
use crate::report::ways::takes_input;
use crate::report::words;

/// Most characters of one name in a cell.
const LONGEST: usize = 28;

/// Digits of a digest.
const DIGITS: usize = 6;

/// A fact of a color: its name and its reader.
type FactRow = (&'static str, fn(&ColorView) -> String);

/// The rows. A row without a value for any color is left out.
const FACTS: [FactRow; 9] = [
    ("users", render_users),
    ("version", |view| inline_code(&truncate_name(&view.revision))),
    // The tasks' version, if other than the wanted version.
    ("runs", |view| view.runs.as_deref().map(|runs| inline_code(&truncate_name(runs))).unwrap_or_default()),
    ("image", render_image),
    ("commit", |view| {
        view.commit.as_deref().map(|commit| inline_code(&short_commit(commit))).unwrap_or_default()
    }),
    ("tasks", |view| format!("{} of {}", view.running, view.desired)),
    ("healthy", |view| {
        view.healthy.map_or_else(unknown_text, |(healthy, all)| format!("{healthy} of {all}"))
    }),
    ("state", rollout_text),
    ("test", |view| view.test_url.as_deref().map(|url| markdown_link("open", url)).unwrap_or_default()),
];

/// The colors side by side, a row for each fact: short cells, so that a phone shows them.
pub(crate) fn compact_table(overview: &Overview) -> String {
    let views = &overview.colors;
    let head = views.iter().map(|view| {
        let name = markdown_link(view.color.word(), &links::service_page(&overview.place, &view.service));
        format!(" {} {name} |", color_symbol(view.color))
    });
    let gone = overview.missing.iter().map(|(color, _)| format!(" {} {color} |", color_symbol(*color)));
    let width = views.len() + overview.missing.len();
    if width == 0 {
        return String::new();
    }
    let mut out = format!("| |{}\n|---|{}\n", head.chain(gone).collect::<String>(), "---|".repeat(width));
    for (name, fact) in FACTS {
        let cells: Vec<String> = views.iter().map(fact).collect();
        if cells.iter().all(String::is_empty) {
            continue;
        }
        let known = cells.iter().map(|text| if text.is_empty() { table_cell("") } else { text.clone() });
        let gone = overview
            .missing
            .iter()
            .map(|_| if name == "version" { "missing".to_owned() } else { table_cell("") });
        let row: String = known.chain(gone).map(|text| format!(" {text} |")).collect();
        out.push_str(&format!("| {name} |{row}\n"));
    }
    out.push('\n');
    out
}

/// A color's symbol, always followed by the color's word.
fn color_symbol(color: ServiceColor) -> &'static str {
    match color {
        ServiceColor::Blue => "🔵",
        ServiceColor::Green => "🟢",
        ServiceColor::Develop => "🟣",
    }
}

/// The share of the users.
fn render_users(view: &ColorView) -> String {
    match (view.percent, view.color) {
        (Some(percent), _) => format!("{percent} %"),
        (None, ServiceColor::Develop) => String::new(),
        (None, ServiceColor::Blue | ServiceColor::Green) => unknown_text(),
    }
}

/// The image's name and tag with the digests of the tasks: `web:v2 @34d24b`. At most two digests.
fn render_image(view: &ColorView) -> String {
    let name = view.image.as_deref().map(|image| truncate_name(&short_image_name(image)));
    let sum = |digest: &String| {
        let sum = digest.rsplit(':').next().unwrap_or_default();
        format!("@{}", sum.chars().take(DIGITS).collect::<String>())
    };
    let parts: Vec<String> = name.into_iter().chain(view.digests.iter().take(2).map(sum)).collect();
    if parts.is_empty() { String::new() } else { inline_code(&parts.join(" ")) }
}

/// The newest deployment's state; empty if complete.
fn rollout_text(view: &ColorView) -> String {
    match view.rollout {
        Some(Rollout::InProgress) => "deploying".to_owned(),
        Some(Rollout::Failed) => "last deployment failed".to_owned(),
        Some(Rollout::Unknown) => "deployment not known".to_owned(),
        Some(Rollout::Completed) | None => String::new(),
    }
}

/// The word for an unknown value.
fn unknown_text() -> String {
    "not known".to_owned()
}

/// An image's name and tag, without its digest.
fn short_image_name(image: &str) -> String {
    let whole = short_image(image);
    let name = whole.rsplit('/').next().unwrap_or_default();
    name.split('@').next().unwrap_or_default().to_owned()
}

/// A name that fits a cell.
fn truncate_name(name: &str) -> String {
    let name = one_line(name);
    if name.chars().count() <= LONGEST {
        return name;
    }
    name.chars().take(LONGEST).chain(['…']).collect()
}

/// The commands that are possible now, to be pasted; none if no workflow is known to be startable by hand.
///
/// A workflow without an input `command` starts the command of this run and no other.
pub(crate) fn start_commands(overview: &Overview, own: &str, run: &CommentRun) -> String {
    let Some(button) = &run.button else { return String::new() };
    let takes = |input: &str| takes_input(button, input);
    let repository = run.repository.as_deref().map(|name| format!(" -R {name}")).unwrap_or_default();
    let line = |(command, input, value): (&str, &str, &str)| {
        let values = [("command", command), (input, value)].into_iter().filter(|(input, _)| takes(input));
        let values: String = values.map(|(input, value)| format!(" -f {input}={value}")).collect();
        format!("gh workflow run {}{repository}{values}", button.file)
    };
    let startable =
        |(command, input, _): &(&str, &str, &str)| takes(input) && (takes("command") || *command == own);
    let lines: Vec<String> = startable_commands(overview).into_iter().filter(startable).map(line).collect();
    if lines.is_empty() { String::new() } else { code_block("sh", &lines) + "\n" }
}

/// The possible commands: command, input and the input's value.
fn startable_commands(overview: &Overview) -> Vec<(&'static str, &'static str, &'static str)> {
    let deploys = overview.deployable.iter().filter(|(_, valid)| valid.is_ok());
    let mut all: Vec<_> = deploys.map(|(color, _)| ("deploy", "color", color.word())).collect();
    all.extend(reachable_presets(overview).into_iter().map(|preset| ("redirect-traffic", "traffic", preset)));
    for command in [Move::Promote, Move::Rollback] {
        let to = overview.movable.iter().filter(|to| to.command == command && to.valid.is_ok());
        all.extend(to.map(|to| (words::command_name(command), "color", to.color.word())));
    }
    all
}

/// The presets that are possible now: a preset that gives more users to a color which can take all of them.
fn reachable_presets(overview: &Overview) -> Vec<&'static str> {
    let Some(Ok(now)) = &overview.split else { return Vec::new() };
    let can = |color| {
        let to = |to: &&Movable| to.command == Move::Redirect && to.color == color;
        overview.movable.iter().find(to).is_some_and(|to| to.valid.is_ok())
    };
    let gains = |split: Split| match (split.blue * now.green).cmp(&(now.blue * split.green)) {
        Ordering::Less => can(Color::Green),
        Ordering::Greater => can(Color::Blue),
        Ordering::Equal => false,
    };
    PRESETS.into_iter().filter(|(_, split)| gains(*split)).map(|(preset, _)| preset).collect()
}
