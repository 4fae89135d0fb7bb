//! The commits that go live with a run: log lines, Markdown, JSON (`going-live`), and a few words for a description.

use serde_json::{Value, json};

use super::line::{Level, Line};
use super::markdown::{folded, inline_code, inline_text, render_message};
use super::names::{one_line, short_commit};
use super::words;
use crate::plan::going_live::{GoingLive, History, LiveChange, LiveChanges, VersionDifference};

/// Most characters of a title: twenty of the longest fit into a comment.
const MOST_TITLE: usize = 200;

/// The log lines: the sentence, and a line for each change.
pub(crate) fn going_live_lines(going_live: &GoingLive) -> Vec<Line> {
    let level = match going_live.difference.as_ref().map(VersionDifference::history) {
        Err(_) => Level::Dim,
        Ok(History::Diverged) => Level::Warn,
        // A way back takes commits back by its nature.
        Ok(History::Identical | History::Ahead | History::Behind) => Level::Plain,
    };
    let mut lines = Line::foreign(level, &words::going_live_sentence(going_live));
    for (title, changes) in lists(going_live) {
        lines.extend(Line::foreign(Level::Plain, title));
        lines.extend(changes.all.iter().take(words::MOST_NAMED).flat_map(|change| {
            Line::foreign(Level::Plain, &format!("  {} {}", plain_name(change), short_title(change)))
        }));
        let more = words::more_changes(changes, words::MOST_NAMED);
        lines.extend(more.map(|more| Line::own(Level::Plain, format!("  and {more}"))));
    }
    lines
}

/// The Markdown: the sentence, and below it the folded lists. Empty if nothing is known of two versions.
pub(crate) fn going_live_section(going_live: Option<&GoingLive>) -> String {
    let Some(going_live) = going_live else { return String::new() };
    let sentence = render_message(&words::going_live_sentence(going_live));
    let lists: String =
        lists(going_live).into_iter().map(|(title, changes)| folded_list(title, changes)).collect();
    let mark = match going_live.difference.as_ref().map(VersionDifference::history) {
        Ok(History::Diverged) => "> [!WARNING]\n> ",
        Ok(History::Behind) => "> [!NOTE]\n> ",
        Ok(History::Identical | History::Ahead) | Err(_) => "",
    };
    format!("{mark}{sentence}{lists}")
}

/// The lists that are not empty, each with its title.
fn lists(going_live: &GoingLive) -> Vec<(&'static str, &LiveChanges)> {
    let Ok(difference) = &going_live.difference else { return Vec::new() };
    let lists = [("Goes live", &difference.brings), ("Taken back", &difference.takes_back)];
    lists.into_iter().filter(|(_, changes)| !changes.all.is_empty()).collect()
}

/// A folded list with a line for each change.
fn folded_list(title: &str, changes: &LiveChanges) -> String {
    let line = |change: &LiveChange| {
        let name = match change.pull {
            Some(pull) => inline_text(&format!("#{pull}")),
            None => inline_code(&short_commit(&change.sha)),
        };
        format!("- {name} {}\n", inline_text(&short_title(change)))
    };
    let lines: String = changes.all.iter().take(words::MOST_NAMED).map(line).collect();
    let more = words::more_changes(changes, words::MOST_NAMED);
    let more = more.map(|more| format!("- and {more}\n")).unwrap_or_default();
    folded(title, &(lines + &more))
}

/// The title on one line, or its beginning.
fn short_title(change: &LiveChange) -> String {
    one_line(&change.title).chars().take(MOST_TITLE).collect()
}

/// `#41`, or a short commit, without backticks.
fn plain_name(change: &LiveChange) -> String {
    words::name_change(change).replace('`', "")
}

/// The text with a few words about the commits, if these fit into so many characters: as many names as fit.
pub(super) fn with_going_live(text: &str, going_live: Option<&GoingLive>, room: usize) -> String {
    let fits = |text: &String| text.chars().count() <= room;
    let described = |most: usize| Some(format!("{text} ({})", few_words(going_live?, most)?));
    (1..=words::MOST_NAMED).rev().filter_map(described).find(fits).unwrap_or_else(|| text.to_owned())
}

/// `brings #41, #42 and 3 more; takes back #39`. None if no commit differs, or the commits are unknown.
fn few_words(going_live: &GoingLive, most: usize) -> Option<String> {
    let difference = going_live.difference.as_ref().ok()?;
    let part = |verb: &str, changes: &LiveChanges| {
        let names = words::name_changes(changes, most).replace('`', "");
        (!changes.all.is_empty()).then(|| format!("{verb} {names}"))
    };
    let parts = [part("brings", &difference.brings), part("takes back", &difference.takes_back)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The output `going-live`.
pub(crate) fn going_live_json(going_live: &GoingLive) -> Value {
    let versions = &going_live.versions;
    let difference = going_live.difference.as_ref().ok();
    let list = |changes: fn(&VersionDifference) -> &LiveChanges| {
        difference.map(|difference| changes(difference).all.iter().map(change_json).collect::<Vec<_>>())
    };
    json!({
        "history": difference.map_or("unknown", |difference| history_word(difference.history())),
        "live": { "color": versions.live.word(), "commit": versions.live_commit },
        "next": { "color": versions.next.word(), "commit": versions.next_commit },
        "brings": list(|difference| &difference.brings),
        "takes_back": list(|difference| &difference.takes_back),
        "complete": difference.is_some_and(|it| it.brings.is_complete && it.takes_back.is_complete),
        "sentence": words::going_live_sentence(going_live),
    })
}

/// A pull request or a commit.
fn change_json(change: &LiveChange) -> Value {
    json!({ "pull_request": change.pull, "commit": change.sha, "title": short_title(change) })
}

/// A history for machines.
fn history_word(history: History) -> &'static str {
    match history {
        History::Identical => "identical",
        History::Ahead => "ahead",
        History::Behind => "behind",
        History::Diverged => "diverged",
    }
}

#[cfg(test)]
mod tests;
