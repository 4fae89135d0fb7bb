//! The runner's file commands: outputs, state for the post step, and the job summary. Each appends to the file named by
//! a variable. Without the variable, the process is not on a runner, and nothing happens.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::Path;

use super::commands::random_token;
use super::env::Environment;

/// The largest config or task-definition file, in bytes. AWS accepts task definitions of up to 64 KiB.
const FILE_LIMIT: u64 = 1024 * 1024;
/// The largest event file, in bytes: GitHub's events have at most 25 MB.
const EVENT_LIMIT: u64 = 32 * 1024 * 1024;

/// Reads a text file of the workspace, or the event file. Opens only regular files, because a pipe or a device can
/// block a reader forever.
pub(crate) fn read_text(env: &Environment, path: &Path) -> io::Result<String> {
    let file = env.path(path);
    let kind = std::fs::metadata(&file)?;
    if kind.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    if !kind.is_file() {
        return Err(io::Error::other("it is a pipe, a socket or a device, and a file is expected"));
    }
    let of_event = env.var("GITHUB_EVENT_PATH").is_some_and(|event| Path::new(event) == path);
    let limit = if of_event { EVENT_LIMIT } else { FILE_LIMIT };
    let mut text = String::new();
    std::fs::File::open(&file)?.take(limit + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= limit) {
        return Ok(text);
    }
    Err(io::Error::other(format!("it is larger than {} MiB", limit / (1024 * 1024))))
}

/// Sets an output of the step.
pub(crate) fn set_output(env: &Environment, name: &str, value: &str) -> io::Result<()> {
    let Some(path) = env.var("GITHUB_OUTPUT") else { return Ok(()) };
    append_to_file(path, &heredoc_block(name, value))
}

/// Largest state file, in bytes. A larger file is rewritten with only the last value of each name: a run saves at each
/// write, and the runner reads the whole file.
const STATE_LIMIT: usize = 1024 * 1024;

/// Saves a value that the post step reads with [`Environment::state`]. The last value of a name counts. The runner also
/// keeps the state of a cancelled main step.
pub(crate) fn save_state(env: &Environment, name: &str, value: &str) -> io::Result<()> {
    let Some(path) = env.var("GITHUB_STATE") else { return Ok(()) };
    let block = heredoc_block(name, value);
    if file_length(path)? + block.len() <= STATE_LIMIT {
        return append_to_file(path, &block);
    }
    let mut values = parse_state_values(&std::fs::read_to_string(path)?);
    values.insert(name.to_owned(), value.to_owned());
    let text: String = values.iter().map(|(name, value)| self::heredoc_block(name, value)).collect();
    replace_file(Path::new(path), &text)
}

/// The last value of each name in a state file. An incomplete block ends the file.
fn parse_state_values(text: &str) -> BTreeMap<String, String> {
    let (mut lines, mut found) = (text.lines(), BTreeMap::new());
    while let Some((name, delimiter)) = lines.next().and_then(|line| line.split_once("<<")) {
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        found.insert(name.to_owned(), value.join("\n"));
    }
    found
}

/// Replaces a file by this text atomically: a reader finds either the old text or the new text.
fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let rights = std::fs::metadata(path)?.permissions();
    let written = std::fs::write(&new, text)
        .and_then(|()| std::fs::set_permissions(&new, rights))
        .and_then(|()| std::fs::rename(&new, path));
    if written.is_err() {
        // A partly written file is useless.
        let _ = std::fs::remove_file(&new);
    }
    written
}

/// The length of a file in bytes; 0 if missing.
fn file_length(path: &str) -> io::Result<usize> {
    match std::fs::metadata(path) {
        Ok(file) => Ok(usize::try_from(file.len()).unwrap_or(usize::MAX)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Largest summary in bytes: the runner drops a larger summary of a step.
const SUMMARY_LIMIT: usize = 1024 * 1024;
/// The end of a cut summary.
const SUMMARY_CUT: &str = "\n\n_The summary was cut at 1 MiB; the job log has it all._\n";

/// Appends Markdown to the job summary, cut to the runner's limit.
pub(crate) fn append_summary(env: &Environment, markdown: &str) -> io::Result<()> {
    let Some(path) = env.var("GITHUB_STEP_SUMMARY") else { return Ok(()) };
    append_to_file(path, &fit_summary(markdown, SUMMARY_LIMIT.saturating_sub(file_length(path)?)))
}

/// The text, cut to `room` bytes with a note if too long.
fn fit_summary(text: &str, room: usize) -> String {
    if text.len() <= room {
        return text.to_owned();
    }
    let Some(end) = room.checked_sub(SUMMARY_CUT.len()) else { return String::new() };
    format!("{}{SUMMARY_CUT}", &text[..text.floor_char_boundary(end)])
}

/// `name<<DELIMITER`, the value and the delimiter. The delimiter is random, so the value can't contain that text.
fn heredoc_block(name: &str, value: &str) -> String {
    let delimiter = format!("ghadelimiter_{}", random_token());
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

/// Appends to a file in one write; creates a missing file. After a failed or short write, as on a full disk, the file
/// gets its old length back: the runner fails a step if a file ends in half a value.
fn append_to_file(path: impl AsRef<Path>, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let length = file.metadata()?.len();
    let written = match file.write(text.as_bytes()) {
        Ok(written) if written == text.len() => return Ok(()),
        Ok(_) => io::Error::from(io::ErrorKind::StorageFull),
        Err(error) => error,
    };
    // A device or a pipe has no length to restore.
    let _ = file.set_len(length);
    Err(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::env::Entry;

    #[test]
    fn a_file_in_utf_16_is_told_with_what_to_do() {
        let path = std::env::temp_dir().join(format!("utf-16-{}.yml", std::process::id()));
        let text = "\u{feff}cluster: shop\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        std::fs::write(&path, text).unwrap();
        let env = Environment::new(Entry::Main, &[]);
        let error = read_text(&env, &path).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            crate::action::place::unreadable_message(&env, ".github/blue-green.yml", &error),
            "`.github/blue-green.yml` is not UTF-8 text: save it as UTF-8 (PowerShell's `>` writes UTF-16)"
        );
    }

    #[test]
    fn invariant_42_the_state_file_stays_small_and_holds_the_last_value_of_each_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let env = Environment::new(Entry::Main, &[("GITHUB_STATE", path.to_str().unwrap())]);
        save_state(&env, "github", "begun").unwrap();
        // As a change of 1,000 rules saves it: twice for each rule.
        let mut most = 0;
        for save in 0..2_000 {
            save_state(&env, "run", &format!("{save}\n{}", "x".repeat(100_000))).unwrap();
            most = most.max(std::fs::metadata(&path).unwrap().len());
        }
        assert!(most <= 1024 * 1024, "{most} bytes");
        let values = parse_state_values(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(values["github"], "begun");
        assert!(values["run"].starts_with("1999\nxxx"), "{}", &values["run"][..20]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let env = Environment::new(Entry::Main, &[("GITHUB_OUTPUT", "/dev/full")]);
        assert_eq!(set_output(&env, "a", "b").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    /// What the runner reads from a file of outputs or state.
    fn read_back(text: &str) -> Vec<(String, String)> {
        let mut lines = text.lines();
        let mut found = Vec::new();
        while let Some((name, delimiter)) = lines.next().and_then(|line| line.split_once("<<")) {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            found.push((name.to_owned(), value.join("\n")));
        }
        found
    }

    #[test]
    fn outputs_and_state_are_appended_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let (output, state) = (folder.path().join("output"), folder.path().join("state"));
        let env = Environment::new(
            Entry::Main,
            &[("GITHUB_OUTPUT", output.to_str().unwrap()), ("GITHUB_STATE", state.to_str().unwrap())],
        );
        set_output(&env, "result", "succeeded").unwrap();
        set_output(&env, "status-json", "{\n\"a<<b\": 1}\nghadelimiter_").unwrap();
        save_state(&env, "ecs-deployment-id", "ecs-svc/1").unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read_back(&std::fs::read_to_string(output).unwrap()),
            [pair("result", "succeeded"), pair("status-json", "{\n\"a<<b\": 1}\nghadelimiter_")]
        );
        assert_eq!(
            read_back(&std::fs::read_to_string(state).unwrap()),
            [pair("ecs-deployment-id", "ecs-svc/1")]
        );
    }

    #[test]
    fn only_files_of_a_bounded_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let event = folder.path().join("event.json");
        let env = Environment::new(Entry::Main, &[("GITHUB_EVENT_PATH", event.to_str().unwrap())]);
        let whole = folder.path().join("whole.yml");
        for (path, limit) in [(&whole, 1024 * 1024), (&event, 32 * 1024 * 1024)] {
            std::fs::write(path, "x".repeat(limit)).unwrap();
            assert_eq!(read_text(&env, path).map(|text| text.len()).ok(), Some(limit));
            std::fs::write(path, "x".repeat(limit + 1)).unwrap();
            let refused = read_text(&env, path).unwrap_err();
            assert_eq!(refused.to_string(), format!("it is larger than {} MiB", limit / 1024 / 1024));
        }
        let refused = |path: &str| read_text(&env, Path::new(path)).unwrap_err().to_string();
        assert_eq!(refused(folder.path().to_str().unwrap()), "it is a directory");
        assert_eq!(refused("/dev/zero"), "it is a pipe, a socket or a device, and a file is expected");
        let missing = read_text(&env, Path::new("/nowhere/at/all")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn each_value_has_a_delimiter_that_nobody_can_guess() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("output");
        let env = Environment::new(Entry::Main, &[("GITHUB_OUTPUT", output.to_str().unwrap())]);
        set_output(&env, "a", "x").unwrap();
        set_output(&env, "b", "x").unwrap();
        let text = std::fs::read_to_string(output).unwrap();
        let delimiters: Vec<&str> =
            text.lines().filter_map(|line| line.split_once("<<")).map(|(_, end)| end).collect();
        let [one, two] = delimiters.as_slice() else { panic!("{text}") };
        assert!(one != two && one.len() >= 32 && two.len() >= 32, "{text}");
    }

    #[test]
    fn without_a_runner_nothing_is_written() {
        let env = Environment::new(Entry::Main, &[("GITHUB_OUTPUT", "")]);
        set_output(&env, "a", "b").unwrap();
        save_state(&env, "a", "b").unwrap();
        append_summary(&env, "a").unwrap();
    }

    #[test]
    fn a_summary_stays_under_the_limit_of_the_runner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary");
        let env = Environment::new(Entry::Main, &[("GITHUB_STEP_SUMMARY", path.to_str().unwrap())]);
        append_summary(&env, "# first\n").unwrap();
        append_summary(&env, &"ä".repeat(1024 * 1024)).unwrap();
        append_summary(&env, "lost").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# first\nää") && text.len() <= 1024 * 1024 && text.len() > 1024 * 1024 - 4);
        assert!(text.ends_with("ä\n\n_The summary was cut at 1 MiB; the job log has it all._\n"));
    }

    #[test]
    fn a_file_that_can_not_be_opened_is_an_error() {
        let env = Environment::new(Entry::Main, &[("GITHUB_OUTPUT", "/nowhere/at/all")]);
        assert_eq!(set_output(&env, "a", "b").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
