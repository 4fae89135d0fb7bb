//! The words after `record`.

use std::io;
use std::path::PathBuf;

use super::walk::Subject;

/// The usage message.
const USAGE: &str = "usage: testbed record --cluster NAME --services BLUE,GREEN [--region REGION] [--write] \
                     [--shapes FILE]";

/// The subject of the record.
#[derive(Debug)]
pub(super) struct Asked {
    /// The pair of services.
    pub(super) subject: Subject,
    /// The region; none for the environment's region.
    pub(super) region: Option<String>,
    /// True to write, too.
    pub(super) write: bool,
    /// The file for the shapes of the answers.
    pub(super) shapes: Option<PathBuf>,
}

/// Reads the words.
///
/// # Errors If a word is unknown, lacks its value, or is missing.
pub(super) fn parse(words: &[&str]) -> io::Result<Asked> {
    let wrong = |why: String| io::Error::other(format!("{why}\n{USAGE}"));
    let (mut cluster, mut services, mut region, mut write, mut shapes) = (None, None, None, false, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "--write" {
            write = true;
            continue;
        }
        let value = words.next().ok_or_else(|| wrong(format!("{word} needs a value")))?;
        match *word {
            "--cluster" => cluster = Some((*value).to_owned()),
            "--services" => services = Some(value.split(',').map(|name| name.trim().to_owned()).collect()),
            "--region" => region = Some((*value).to_owned()),
            "--shapes" => shapes = Some(PathBuf::from(value)),
            _ => return Err(wrong(format!("{word} is unknown"))),
        }
    }
    let cluster = cluster.ok_or_else(|| wrong("--cluster is missing".to_owned()))?;
    let services: Vec<String> = services.ok_or_else(|| wrong("--services is missing".to_owned()))?;
    Ok(Asked { subject: Subject { cluster, services }, region, write, shapes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_options() {
        let asked = parse(&["--cluster", "shop", "--services", "a, b", "--write"]).unwrap();
        assert_eq!((asked.subject.cluster.as_str(), asked.write), ("shop", true));
        assert_eq!(asked.subject.services, ["a", "b"]);
    }

    #[test]
    fn a_wrong_word_is_named() {
        let why = |words: &[&str]| parse(words).unwrap_err().to_string().lines().next().unwrap().to_owned();
        assert_eq!(why(&["--cluster", "shop"]), "--services is missing");
        assert_eq!(why(&["--writes", "x"]), "--writes is unknown");
        assert_eq!(why(&["--cluster"]), "--cluster needs a value");
    }
}
