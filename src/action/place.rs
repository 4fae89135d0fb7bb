//! The config file and the inputs that override it: cluster, services and listener.

use std::io;
use std::path::Path;

use super::env::Environment;
use super::identity::Fact;
use super::input_reader::InputReader;
use crate::config::kinds::{self, list_values};
use crate::config::{self, App, Config};
use crate::plan::suggestion::nearest_word;
use crate::plan::wanted::{AppPlace, ListenerChoice};

/// The config file, if it was readable.
pub(crate) struct File {
    /// The path.
    pub(crate) path: String,
    /// The content; empty if the file is missing or wrong.
    pub(crate) config: Config,
    /// True if the file exists.
    pub(crate) exists: bool,
    /// True if the content is known: read without a problem, or missing as allowed.
    pub(crate) known: bool,
    /// The selected app with its name.
    pub(crate) app: Option<(String, App)>,
}

/// Reads the config file. The default file may be missing: a manually started workflow needs no checkout.
pub(crate) fn read_config_file(edge: &mut InputReader<'_>) -> File {
    let path = edge.value("config").unwrap_or(config::DEFAULT_PATH).to_owned();
    let mut file = File { path, config: Config::default(), exists: true, known: true, app: None };
    match (edge.read_file)(Path::new(&file.path)).map(|text| config::parse_config(&file.path, &text)) {
        Ok(Ok(config)) => file.config = config,
        Ok(Err(problems)) => {
            file.known = false;
            edge.problems.extend(problems);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.path == config::DEFAULT_PATH => {
            file.exists = false
        }
        Err(error) => {
            (file.exists, file.known) = (false, false);
            edge.problem("config", unreadable_message(edge.env, &file.path, &error));
        }
    }
    file.app = select_app(edge, &mut file.known, &file.config, &file.path);
    file
}

/// Reason that a file is unreadable, with advice.
pub(super) fn unreadable_message(env: &Environment, path: &str, error: &io::Error) -> String {
    let shown = kinds::quote_value(path);
    match error.kind() {
        io::ErrorKind::NotFound => outside_workspace_message(env, path).unwrap_or_else(|| {
            format!("{shown} does not exist: is actions/checkout among the steps before?")
        }),
        io::ErrorKind::InvalidData => {
            format!("{shown} is not UTF-8 text: save it as UTF-8 (PowerShell's `>` writes UTF-16)")
        }
        _ => format!("couldn't read {shown}: {error}"),
    }
}

/// Advice for a path outside the workspace. The runner mounts the workspace of a container action at
/// `/github/workspace`. Of the other folders, only the runner's own are mounted (docs.github.com, Dockerfile support).
fn outside_workspace_message(env: &Environment, path: &str) -> Option<String> {
    let inside = env.var("GITHUB_WORKSPACE").is_some_and(|workspace| path.starts_with(workspace));
    if inside || !(path.starts_with(['/', '~']) || path.starts_with("..")) {
        return None;
    }
    let shown = kinds::quote_value(path);
    let repository = env.var("GITHUB_REPOSITORY").and_then(|name| name.rsplit('/').next());
    let checkout = repository.map(|name| format!("/{name}/{name}/"));
    if let Some((_, rest)) = checkout.and_then(|checkout| path.split_once(checkout.as_str())) {
        let rest = kinds::quote_value(rest);
        return Some(format!(
            "{shown} does not exist for a container action, which has the workspace at another path: write {rest}"
        ));
    }
    let name = kinds::quote_value(path.rsplit('/').next().unwrap_or(path));
    let rendered = if path.contains("task-definition-") {
        ". If amazon-ecs-render-task-definition wrote it, leave that step out: the inputs `image` and `environment` do the same"
    } else {
        ""
    };
    Some(format!(
        "{shown} is outside the workspace, which is all that a container action sees of the runner's files: copy it into the \
         workspace in a step before this one, and write its path from there, such as {name}{rendered}"
    ))
}

/// The selected app: the named app, or the only app. None is needed if the inputs name both services.
fn select_app(
    edge: &mut InputReader<'_>,
    known: &mut bool,
    config: &Config,
    path: &str,
) -> Option<(String, App)> {
    let names: Vec<&str> = config.apps.iter().map(|(name, _)| name.as_str()).collect();
    let what = match (edge.value("app"), config.apps.as_slice()) {
        (Some(wanted), apps) => match apps.iter().find(|(name, _)| name == wanted) {
            Some(app) => return Some(app.clone()),
            None if !*known => return None,
            None if apps.is_empty() => {
                format!("{} can't be looked up: `{path}` has no apps", kinds::quote_value(wanted))
            }
            None => not_an_app(wanted, &names, path),
        },
        (None, []) => return None,
        (None, [app]) => return Some(app.clone()),
        (None, _) if edge.value("blue-service").is_some() && edge.value("green-service").is_some() => {
            return None;
        }
        (None, _) => format!("missing: `{path}` has several apps, name one of {}", list_values(names)),
    };
    *known = false;
    edge.problem("app", what);
    None
}

/// Message for an app that is not in the file.
fn not_an_app(wanted: &str, names: &[&str], path: &str) -> String {
    let suggestion = nearest_word(wanted, names.iter().copied());
    let suggestion = suggestion.map_or(String::new(), |suggestion| format!("; did you mean `{suggestion}`?"));
    format!(
        "`{path}` has no app {}, only {}{suggestion}",
        kinds::quote_value(wanted),
        list_values(names.iter().copied())
    )
}

/// Cluster, services and listener; the inputs override the file.
pub(crate) fn read_place(edge: &mut InputReader<'_>, file: &File) -> Option<AppPlace> {
    let (name, app) = file.app.clone().unwrap_or_else(|| ("NAME".to_owned(), App::default()));
    let from = |key: &str| format!("`apps.{name}.{key}`");
    let cluster = required_value(edge, file, "cluster", (file.config.cluster.clone(), "`cluster`"));
    let blue = required_value(edge, file, "blue-service", (app.blue, &from("blue")));
    let green = required_value(edge, file, "green-service", (app.green, &from("green")));
    let develop = optional_value(edge, file, "develop-service", (app.develop, &from("develop")));
    let listener = edge.parsed("listener", kinds::parse_listener);
    if let Some(ListenerChoice::Arn(arn)) = &listener {
        edge.note_arn("input listener", arn);
    }
    let place =
        AppPlace { cluster: cluster?, blue: blue?, green: green?, develop, listener, hosts: app.hosts };
    check_distinct_services(edge, &place);
    Some(place)
}

/// An input or the file's value; noted if both are missing. `file_value` includes the name of its key.
fn required_value(
    edge: &mut InputReader<'_>,
    file: &File,
    input: &str,
    file_value: (Option<String>, &str),
) -> Option<String> {
    let key = file_value.1;
    let given = edge.value(input).is_some();
    let value = optional_value(edge, file, input, file_value);
    if !given && value.is_none() && file.known {
        let path = &file.path;
        let what = if file.exists {
            format!("missing: give the input, or {key} in `{path}`")
        } else {
            format!(
                "missing: give the input, or {key} in `{path}`, which does not exist (is actions/checkout among the steps before?)"
            )
        };
        edge.problem(input, what);
    }
    value
}

/// An input, or the file's value. An ARN is noted.
fn optional_value(
    edge: &mut InputReader<'_>,
    file: &File,
    input: &str,
    (file_value, key): (Option<String>, &str),
) -> Option<String> {
    let parse = if input == "cluster" { kinds::parse_cluster } else { kinds::parse_service };
    let (value, place) = match edge.value(input) {
        Some(_) => (edge.parsed(input, parse)?, format!("input {input}")),
        None => (file_value?, format!("{} {}", file.path, key.trim_matches('`'))),
    };
    edge.note_arn(place, &value);
    Some(value)
}

/// The services must differ; otherwise a deploy to one color would change another.
fn check_distinct_services(edge: &mut InputReader<'_>, place: &AppPlace) {
    let services =
        [("blue", Some(&place.blue)), ("green", Some(&place.green)), ("develop", place.develop.as_ref())];
    for (index, (color, service)) in services.iter().enumerate() {
        let Some(service) = service else { continue };
        let same = |(_, other): &&(&str, Option<&String>)| {
            other.is_some_and(|other| short_name(other) == short_name(service))
        };
        if let Some((other, _)) = services[..index].iter().find(same) {
            let what =
                format!("`{}` is the {other} service too: every color needs its own", short_name(service));
            edge.problem(&format!("{color}-service"), what);
        }
    }
}

/// The name of a cluster or service given by name or ARN.
fn short_name(service: &str) -> &str {
    service.rsplit('/').next().unwrap_or(service)
}

/// The cluster as a fact about the services.
pub(super) fn cluster_fact(edge: &InputReader<'_>, file: &File, place: &AppPlace) -> Fact {
    let source = match edge.value("cluster") {
        Some(_) => "input cluster".to_owned(),
        None => format!("`cluster` in `{}`", file.path),
    };
    Fact::of_cluster(&source, short_name(&place.cluster))
}
