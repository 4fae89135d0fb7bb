//! The document of AWS's behavior names each source that the code names.

use std::fs;
use std::path::Path;

use super::{path, read};

/// The doc comments below a folder, each in one line, with the file's name. Tests are left out.
fn comments(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            comments(&entry, into);
            continue;
        }
        let mut comment = String::new();
        for line in fs::read_to_string(&entry).expect("a source").lines() {
            let line = line.trim();
            match line.strip_prefix("///").or(line.strip_prefix("//!")) {
                Some(text) => comment.push_str(text),
                None if comment.is_empty() => {}
                None => into.push((entry.display().to_string(), std::mem::take(&mut comment))),
            }
        }
    }
}

/// The pages of API references that a comment names, such as `API_Task`.
fn pages(comment: &str) -> Vec<&str> {
    let starts = comment.match_indices("API_").map(|(at, _)| &comment[at..]);
    let end = |page: &str| page.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(page.len());
    starts.map(|page| &page[..end(page)]).collect()
}

/// The sources that a comment names after `Source:`: titles in quotation marks, or else the words before the first comma
/// or colon, unless these are pages of API references.
fn titles(comment: &str) -> Vec<&str> {
    let Some((_, source)) = comment.split_once("Source:") else { return Vec::new() };
    let titles: Vec<&str> = source.split('"').skip(1).step_by(2).collect();
    let words = source.split([',', ':', '.']).next().unwrap_or_default().trim();
    match titles.is_empty() && !words.starts_with("API_") {
        true => vec![words],
        false => titles,
    }
}

#[test]
fn each_source_of_a_decision_is_in_the_document() {
    let mut all = Vec::new();
    ["src/plan", "src/aws"].iter().for_each(|folder| comments(&path(folder), &mut all));
    let document = read("docs/aws-semantics.md");
    let words: Vec<&str> = document.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let mut missing = Vec::new();
    let mut found = 0;
    for (file, comment) in &all {
        found += pages(comment).len() + titles(comment).len();
        missing
            .extend(pages(comment).into_iter().filter(|page| !words.contains(page)).map(|one| (file, one)));
        missing
            .extend(titles(comment).into_iter().filter(|one| !document.contains(one)).map(|one| (file, one)));
    }
    assert!(found > 70, "{found}");
    assert_eq!(missing, []);
}
