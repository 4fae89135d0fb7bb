//! `color: branch`: the color for the branch of this run, from the config file.

use std::path::Path;

use serde_json::Value;

use super::context::{Context, first_line};
use super::input_reader::InputReader;
use super::place::File;
use crate::config::kinds::{list_values, quote_value};
use crate::plan::suggestion;
use crate::plan::wanted::WantedColor;

/// The color of this run's branch, or a noted problem.
pub(crate) fn branch_color(edge: &mut InputReader<'_>, file: &File) -> Option<WantedColor> {
    if !file.known {
        return None;
    }
    let path = &file.path;
    if file.config.branches.is_empty() {
        edge.problem(
            "color",
            format!("`branch` needs `branches` in `{path}`, such as `branches: {{ main: idle }}`"),
        );
        return None;
    }
    let found = of_run(edge).map_err(|what| edge.problem("color", format!("`branch` can't be used: {what}")));
    let run = found.ok()?;
    let color = most_specific_color(&run, &file.config.branches);
    match color {
        Some(_) if run.kind == RefKind::Unclear => edge.warning("color", unclear_name(&run.name)),
        Some(_) => {}
        None => edge.problem("color", no_matching_pattern(&run, file)),
    }
    color
}

/// The warning about a name that may be a tag's.
fn unclear_name(name: &str) -> String {
    let name = quote_value(name);
    format!(
        "`branch` takes {name} for a branch, but the event `workflow_run` names a tag in the same way. If tags can start that workflow, a tag {name} gets the branch's color: limit it with `on: push: branches: ['**']`"
    )
}

/// The kind of a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefKind {
    /// A branch.
    Branch,
    /// A tag.
    Tag,
    /// A branch or a tag: the event does not say. Counts as a branch, with a warning.
    Unclear,
}

/// The branch or tag of a run.
struct Ref {
    /// The kind.
    kind: RefKind,
    /// The short name.
    name: String,
}

impl Ref {
    /// The full name in git's form, which differs for branches and tags.
    fn full(&self) -> String {
        full_ref_pattern(&self.name, if self.is_tag() { "refs/tags/" } else { "refs/heads/" })
    }

    /// True for a tag.
    fn is_tag(&self) -> bool {
        self.kind == RefKind::Tag
    }
}

/// A name or pattern with its root; without a root, this root is added.
fn full_ref_pattern(name: &str, root: &str) -> String {
    if name.starts_with("refs/") { name.to_owned() } else { format!("{root}{name}") }
}

/// Events whose run has the ref that the event is about, or the default branch on purpose. Any other run has the
/// default branch too, whatever the event is about.
/// Source: <https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows>
const OF_OWN_REF: [&str; 9] = [
    "push",
    "create",
    "release",
    "workflow_dispatch",
    "repository_dispatch",
    "schedule",
    "merge_group",
    "deployment",
    "deployment_status",
];

/// The source of an event: the branch that the event is about, and its repository.
struct Source {
    /// The noun for users.
    noun: &'static str,
    /// JSON pointer to the branch.
    branch: &'static str,
    /// JSON pointer to the full name of the branch's repository.
    repository: &'static str,
}

/// The source of a pull request.
const PULL_REQUEST: Source = Source {
    noun: "pull request",
    branch: "/pull_request/head/ref",
    repository: "/pull_request/head/repo/full_name",
};

/// The source of the workflow run that started this run. A run for a tag has the tag's name in `head_branch`.
const WORKFLOW_RUN: Source = Source {
    noun: "workflow run",
    branch: "/workflow_run/head_branch",
    repository: "/workflow_run/head_repository/full_name",
};

/// The branch or tag of this run: the source branch of a pull request or of the workflow run that started this run, or
/// the pushed or selected ref.
fn of_run(edge: &InputReader<'_>) -> Result<Ref, String> {
    let context = Context::new(edge.env);
    let event = context.event_name.as_deref().unwrap_or_default();
    if event == "workflow_run" {
        let kind = kind_of_workflow_run(&read_event(edge));
        return of_event(edge, &context, &WORKFLOW_RUN).map(|name| Ref { kind, name });
    }
    as_it_is(edge, "GITHUB_HEAD_REF", context.head_ref.as_deref())?;
    if let Some(head) = &context.head_ref {
        own_repository(&read_event(edge), &context, &PULL_REQUEST)?;
        return Ok(Ref { kind: RefKind::Branch, name: head.clone() });
    }
    if event.starts_with("pull_request") {
        let name = of_event(edge, &context, &PULL_REQUEST)?;
        return Ok(Ref { kind: RefKind::Branch, name });
    }
    if !event.is_empty() && !OF_OWN_REF.contains(&event) {
        return Err(format!(
            "a run for the event {} has the default branch, whatever the event is about: name the color",
            quote_value(event)
        ));
    }
    as_it_is(edge, "GITHUB_REF_NAME", context.ref_name.as_deref())?;
    let kind = if context.ref_type.as_deref() == Some("tag") { RefKind::Tag } else { RefKind::Branch };
    context.ref_name.map(|name| Ref { kind, name }).ok_or_else(|| "GITHUB_REF_NAME is not set".to_owned())
}

/// The kind of the ref that a workflow run was for, by the event that started that run: a release has a tag, and only
/// these other events can have one.
fn kind_of_workflow_run(event: &Value) -> RefKind {
    match event.pointer("/workflow_run/event").and_then(Value::as_str).unwrap_or_default() {
        "release" => RefKind::Tag,
        "" | "push" | "create" | "workflow_dispatch" | "deployment" | "deployment_status" => RefKind::Unclear,
        _ => RefKind::Branch,
    }
}

/// The branch that the event names, if it is a branch of this repository.
fn of_event(edge: &InputReader<'_>, context: &Context, source: &Source) -> Result<String, String> {
    let event = read_event(edge);
    own_repository(&event, context, source)?;
    let name = event.pointer(source.branch).and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() {
        return Err(format!("the event does not name the branch of the {}", source.noun));
    }
    if first_line(name) != name || name.trim() != name {
        return Err(hidden("the event", first_line(name).trim()));
    }
    Ok(name.to_owned())
}

/// The event's JSON; null if unreadable.
fn read_event(edge: &InputReader<'_>) -> Value {
    let text = edge.env.var("GITHUB_EVENT_PATH").and_then(|path| (edge.read_file)(Path::new(path)).ok());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Git allows invisible characters in names, but the context removes such characters. Without this check, a name like
/// `main` with an invisible character would get the color of `main`.
fn as_it_is(edge: &InputReader<'_>, variable: &str, read: Option<&str>) -> Result<(), String> {
    if edge.env.holds(variable, read) {
        return Ok(());
    }
    Err(hidden(variable, read.unwrap_or_default()))
}

/// The problem text for a name that differs from its readable form.
fn hidden(place: &str, read: &str) -> String {
    let read = quote_value(read);
    format!(
        "the name in {place} looks like {read}, but it has more than 255 characters, or some that can't be seen"
    )
}

/// The problem text if no pattern fits, with the closest pattern.
fn no_matching_pattern(run: &Ref, file: &File) -> String {
    let patterns = || file.config.branches.iter().map(|(pattern, _)| pattern.as_str());
    let of_tags = |pattern: &&str| pattern.starts_with("refs/tags/");
    let kind = match run.kind {
        RefKind::Branch => "branch",
        RefKind::Tag => "tag",
        RefKind::Unclear => "branch or tag",
    };
    let what =
        format!("no pattern of `branches` in `{}` fits the {kind} {}", file.path, quote_value(&run.name));
    if run.is_tag() && !patterns().any(|pattern| of_tags(&pattern)) {
        return format!("{what}: a pattern for tags begins with `refs/tags/`, such as `refs/tags/v*: idle`");
    }
    let meant = patterns().filter(|pattern| of_tags(pattern) == run.is_tag());
    let suggestion = meant
        .filter_map(|pattern| Some((pattern_distance(run, pattern)?, pattern)))
        .min_by_key(|(far, _)| *far);
    let suggestion = match suggestion {
        Some((0, pattern)) if pattern.contains('*') => {
            format!("; `*` does not stand for `/`: write `{}` for `{pattern}`", pattern.replace('*', "**"))
        }
        Some((_, pattern)) => format!("; did you mean `{pattern}`?"),
        None => String::new(),
    };
    format!("{what}, only {}{suggestion}", list_values(patterns()))
}

/// Distance in letters between a name and the part of a pattern before the first `*`; none if too far.
fn pattern_distance(run: &Ref, pattern: &str) -> Option<usize> {
    let (name, pattern) =
        (run.full().to_lowercase(), full_ref_pattern(pattern, "refs/heads/").to_lowercase());
    let head = pattern.split('*').next().unwrap_or_default();
    let slashes = head.matches('/').count();
    let name = match head.len() < pattern.len() {
        true if head.ends_with('/') => name.split_inclusive('/').take(slashes).collect(),
        true => name.chars().take(head.chars().count()).collect(),
        false => name,
    };
    let own = head.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/").len();
    suggestion::edit_distance(&name, head, 2).filter(|far| own > 0 && *far < own)
}

/// A fork can name its branch `main`, so the branch of a pull request or workflow run counts only from this repository.
fn own_repository(event: &Value, context: &Context, source: &Source) -> Result<(), String> {
    let noun = source.noun;
    match (event.pointer(source.repository).and_then(Value::as_str), context.repository.as_deref()) {
        (Some(head), Some(own)) if head.eq_ignore_ascii_case(own) => Ok(()),
        (Some(head), Some(own)) => {
            let head = quote_value(head);
            Err(format!("the {noun} is from {head}, and `branches` is for branches of `{own}`"))
        }
        (None, _) | (_, None) => Err(format!("the event does not say which repository the {noun} is from")),
    }
}

/// The color of the most specific pattern that fits: a pattern without `*` first, then the pattern with most other
/// characters, then the first in the file. A pattern without `refs/` is for branches: a pushed tag must not get a
/// branch's color by its name.
fn most_specific_color(run: &Ref, patterns: &[(String, WantedColor)]) -> Option<WantedColor> {
    let weight = |pattern: &str| (!pattern.contains('*'), pattern.chars().filter(|c| *c != '*').count());
    let mut best: Option<&(String, WantedColor)> = None;
    let name = run.full();
    for entry in patterns
        .iter()
        .filter(|(pattern, _)| matches_pattern(&name, &full_ref_pattern(pattern, "refs/heads/")))
    {
        if best.is_none_or(|best| weight(&entry.0) > weight(&best.0)) {
            best = Some(entry);
        }
    }
    best.map(|(_, color)| *color)
}

/// True if a branch fits a pattern: `*` stands for anything but `/`, `**` for anything, as in a workflow's `branches`.
fn matches_pattern(branch: &str, pattern: &str) -> bool {
    let branch: Vec<char> = branch.chars().collect();
    // reached[i] is true if the pattern so far matches the first i characters of the branch.
    let mut reached = vec![false; branch.len() + 1];
    reached[0] = true;
    let mut pattern = pattern.chars().peekable();
    while let Some(sign) = pattern.next() {
        if sign != '*' {
            for i in (0..branch.len()).rev() {
                reached[i + 1] = reached[i] && branch[i] == sign;
            }
            reached[0] = false;
            continue;
        }
        let over_slash = pattern.next_if_eq(&'*').is_some();
        for i in 0..branch.len() {
            reached[i + 1] |= reached[i] && (over_slash || branch[i] != '/');
        }
    }
    reached[branch.len()]
}

#[cfg(test)]
#[path = "branch_tests.rs"]
mod tests;
