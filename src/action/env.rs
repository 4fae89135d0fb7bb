//! The environment and the arguments of this process; only this file reads them.
#![expect(clippy::disallowed_methods, reason = "this file owns the environment and the arguments")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hyper_util::client::proxy::matcher::Matcher;

/// The step of the action that this process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The main step, `/ecs-blue-green`.
    Main,
    /// The post step, `/ecs-blue-green-post`. Its inputs are those of the main step; only the program's name differs.
    Post,
}

impl Entry {
    /// Derives the step from the program's file name: a name that ends in `-post` means the post step.
    fn of_program(program: &Path) -> Self {
        let stem = program.file_stem().unwrap_or_default().to_string_lossy();
        if stem.ends_with("-post") { Entry::Post } else { Entry::Main }
    }
}

/// Environment and arguments of the process. Has no `Debug`, because of the credentials inside.
#[derive(Clone)]
pub struct Environment {
    /// The step.
    entry: Entry,
    /// Base of relative paths.
    folder: PathBuf,
    /// The variables with text values.
    variables: BTreeMap<String, String>,
    /// The names of the variables with non-UTF-8 values.
    undecodable: BTreeSet<String>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let program = std::env::args_os().next().unwrap_or_default();
        Self::of(Entry::of_program(Path::new(&program)), PathBuf::new(), std::env::vars_os())
    }

    /// An environment with only these variables.
    #[cfg(test)]
    pub(crate) fn new(entry: Entry, variables: &[(&str, &str)]) -> Self {
        Self::of(entry, PathBuf::new(), variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    /// An environment of these variables, with the current directory: an empty path is that of this process. Keeps what is
    /// text, and the names of what is not: a name that is not text can't be one of ours.
    pub fn of(
        entry: Entry,
        folder: PathBuf,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let mut found =
            Environment { entry, folder, variables: BTreeMap::new(), undecodable: BTreeSet::new() };
        for (name, value) in variables {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(found.variables.insert(name, value)),
                (Ok(name), Err(_)) => drop(found.undecodable.insert(name)),
                (Err(_), _) => {}
            }
        }
        found
    }

    /// The step.
    pub(crate) fn entry(&self) -> Entry {
        self.entry
    }

    /// A path from the current directory.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// A variable, trimmed; an empty value counts as unset.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// True if a variable has exactly this value, including white space; an empty value counts as unset.
    pub(crate) fn holds(&self, name: &str, value: Option<&str>) -> bool {
        let whole = self.variables.get(name).map(String::as_str).filter(|whole| !whole.is_empty());
        whole == value && !self.undecodable.contains(name)
    }

    /// True if a variable contains a line break or another control character, also at its ends.
    pub(crate) fn has_control_characters(&self, name: &str) -> bool {
        self.variables.get(name).is_some_and(|value| value.contains(|c: char| c.is_control()))
    }

    /// True if a variable is set to white space alone.
    pub(crate) fn is_blank(&self, name: &str) -> bool {
        self.variables.get(name).is_some_and(|value| value.trim().is_empty())
    }

    /// Host and port of the proxy for a URL, by the rules of the AWS SDK's HTTP client; none without a proxy.
    pub(crate) fn proxy(&self, url: &str) -> Option<String> {
        let of = |name: &str| self.variables.get(name).or_else(|| self.variables.get(&name.to_lowercase()));
        let value = |name: &str| of(name).cloned().unwrap_or_default();
        let matcher = Matcher::builder()
            .all(value("ALL_PROXY"))
            .http(value("HTTP_PROXY"))
            .https(value("HTTPS_PROXY"))
            .no(value("NO_PROXY"))
            .build();
        let found = matcher.intercept(&url.parse().ok()?)?;
        let host = found.uri().host()?;
        Some(found.uri().port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// An input, trimmed; an empty input counts as unset.
    pub(crate) fn input(&self, name: &str) -> Option<&str> {
        self.var(&input_variable(name))
    }

    /// An input with its white space, which matters in YAML; a blank input counts as unset.
    pub(crate) fn raw_input(&self, name: &str) -> Option<&str> {
        self.variables.get(&input_variable(name)).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// The state that the main step saved for the post step under this name.
    pub(crate) fn state(&self, name: &str) -> Option<&str> {
        self.var(&format!("STATE_{name}"))
    }

    /// The variables of all inputs with a value, including unknown inputs.
    pub(crate) fn input_variables(&self) -> impl Iterator<Item = &str> {
        let set = self
            .variables
            .iter()
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(name, _)| name.as_str());
        set.filter(|name| name.starts_with(PREFIX))
    }

    /// The variables of inputs with a non-UTF-8 value.
    pub(crate) fn undecodable_inputs(&self) -> impl Iterator<Item = &str> {
        self.undecodable.iter().map(String::as_str).filter(|name| name.starts_with(PREFIX))
    }
}

/// The prefix of the variables for inputs.
pub(crate) const PREFIX: &str = "INPUT_";

/// The variable of an input: capitals, `_` for spaces, dashes unchanged (the runner's rule).
fn input_variable(name: &str) -> String {
    format!("{PREFIX}{}", name.replace(' ', "_").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn the_name_of_the_program_decides_the_step() {
        let table = [
            ("/ecs-blue-green", Entry::Main),
            ("/ecs-blue-green-post", Entry::Post),
            ("target/debug/ecs-blue-green-post", Entry::Post),
            ("/post/ecs-blue-green", Entry::Main),
            ("", Entry::Main),
        ];
        for (program, entry) in table {
            assert_eq!(Entry::of_program(Path::new(program)), entry, "{program}");
        }
    }

    #[test]
    fn inputs_keep_their_dashes_and_lose_their_white_space() {
        let env = Environment::new(
            Entry::Main,
            &[
                ("INPUT_BLUE-SERVICE", " web \n"),
                ("INPUT_COLOR", "  "),
                ("INPUT_PROBES", "\n  - a\n"),
                ("STATE_id", "7"),
            ],
        );
        assert_eq!(env.input("blue-service"), Some("web"));
        assert_eq!(env.input("color"), None);
        assert_eq!(env.raw_input("probes"), Some("\n  - a\n"));
        assert_eq!(env.state("id"), Some("7"));
        assert_eq!(env.input_variables().collect::<Vec<_>>(), ["INPUT_BLUE-SERVICE", "INPUT_PROBES"]);
    }

    #[test]
    fn the_proxy_of_a_url_is_named_without_its_credentials() {
        let aws = "https://sts.eu-west-1.amazonaws.com";
        let corporate = ("HTTPS_PROXY", "http://user:secret@proxy.corp:3128/");
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
        let table: [Case<'_>; 8] = [
            (&[], None),
            (&[corporate], Some("proxy.corp:3128")),
            (&[("https_proxy", "proxy.corp:3128")], Some("proxy.corp:3128")),
            (&[("ALL_PROXY", "socks5://proxy.corp")], Some("proxy.corp")),
            (&[("HTTP_PROXY", "http://proxy.corp:3128")], None),
            (&[corporate, ("NO_PROXY", "amazonaws.com")], None),
            (&[corporate, ("no_proxy", "localhost,127.0.0.1")], Some("proxy.corp:3128")),
            (&[("HTTPS_PROXY", "not a proxy")], None),
        ];
        for (variables, proxy) in table {
            let env = Environment::new(Entry::Main, variables);
            assert_eq!(env.proxy(aws).as_deref(), proxy, "{variables:?}");
        }
    }

    #[test]
    fn a_value_that_is_not_text_is_known_by_name() {
        let bad = OsString::from_vec(vec![0xff]);
        let env = Environment::of(
            Entry::Main,
            PathBuf::new(),
            [("INPUT_COLOR".into(), bad.clone()), (bad, "x".into())],
        );
        assert_eq!(env.input("color"), None);
        assert_eq!(env.undecodable_inputs().collect::<Vec<_>>(), ["INPUT_COLOR"]);
    }
}
