//! The small files of `tests/task_definitions`: which are accepted, and what is said of the others.

use std::path::Path;

use super::{in_file, read_definition_file};
use crate::plan::definition::{Content, unusable_images};
use crate::plan::problem::Problem;

/// What is said of a file, one problem a line, as of one whose images no input sets.
fn told(name: &str, text: &str) -> String {
    let images = |content: Content| in_file(name, unusable_images(&content));
    let wrong = read_definition_file(name, text).map_or_else(|wrong| wrong, images);
    let lines: Vec<String> = wrong.iter().map(Problem::to_string).collect();
    if lines.is_empty() { format!("{name}: accepted") } else { lines.join("\n") }
}

#[test]
fn each_task_definition_file_is_accepted_or_told_in_a_plain_sentence() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/task_definitions");
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| !path.display().to_string().contains(".snap")).collect();
    files.sort();
    assert!(files.len() >= 40, "{}", files.len());
    let all = files.iter().map(|path| {
        told(path.file_name().unwrap().to_str().unwrap(), &std::fs::read_to_string(path).unwrap())
    });
    let all = all.collect::<Vec<_>>().join("\n");
    insta::with_settings!({ snapshot_path => folder, prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("told", all);
    });
}
