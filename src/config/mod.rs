//! The files of a run. Here: the config file, `.github/blue-green.yml`: cluster, apps and branches, checked completely,
//! with all problems at once.

pub(crate) mod definition_file;
pub(crate) mod document;
mod jargon;
pub(crate) mod kinds;
pub(crate) mod labels;
pub(crate) mod probes;
pub(crate) mod quoting;
pub(crate) mod reader;

use crate::plan::color::ServiceColor;
use crate::plan::problem::Problem;
use crate::plan::scalers::{Managed, SCALE_IN_AFTER};
use crate::plan::wanted::{Hosts, Probe, WantedColor};
use reader::{Node, Reader};

/// Default path of the file.
pub(crate) const DEFAULT_PATH: &str = ".github/blue-green.yml";

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Config {
    /// The ECS cluster of every app: a name, or an ARN.
    pub(crate) cluster: Option<String>,
    /// The apps by name, in the order of the file.
    pub(crate) apps: Vec<(String, App)>,
    /// Branch patterns with the colors for their commits, in the order of the file.
    pub(crate) branches: Vec<(String, WantedColor)>,
    /// The workflow that users start manually: the name of its file in `.github/workflows`.
    pub(crate) workflow: Option<String>,
}

/// An app: a pair of services behind a load balancer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct App {
    /// Blue's ECS service.
    pub(crate) blue: Option<String>,
    /// Green's ECS service.
    pub(crate) green: Option<String>,
    /// Develop's ECS service, if any.
    pub(crate) develop: Option<String>,
    /// The probes of a deploy.
    pub(crate) probes: Vec<Probe>,
    /// Scaling of the services, if this action manages it.
    pub(crate) scaling: Option<Managed>,
    /// The CloudWatch alarms that end a traffic shift: names, or ARNs.
    pub(crate) rollback_alarms: Vec<String>,
    /// The host names of production and the colors.
    pub(crate) hosts: Hosts,
    /// The style of the app's labels on pull requests.
    pub(crate) labels: Option<labels::LabelSettings>,
}

/// The colors that a branch can map to.
pub(crate) const BRANCH_COLORS: [(&str, WantedColor); 4] = [
    ("idle", WantedColor::Idle),
    ("blue", WantedColor::Color(ServiceColor::Blue)),
    ("green", WantedColor::Color(ServiceColor::Green)),
    ("develop", WantedColor::Color(ServiceColor::Develop)),
];

/// Reads the text of the file at `path`; a file without content is an empty config.
pub(crate) fn parse_config(path: &str, text: &str) -> Result<Config, Vec<Problem>> {
    let (mut reader, root) = Reader::open(path, text);
    let config = root.map(|root| read_config(&mut reader, &root)).unwrap_or_default();
    let problems = reader.into_problems();
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

/// The top level.
fn read_config(reader: &mut Reader<'_>, root: &Node) -> Config {
    let mut config = Config::default();
    for (name, node) in reader.fields(root, &["cluster", "apps", "branches", "workflow"]) {
        match name.as_str() {
            "cluster" => config.cluster = reader.parsed(&node, kinds::parse_cluster),
            "apps" => {
                let apps = reader.entries(&node, "a mapping of app names is expected");
                config.apps = apps.into_iter().map(|(name, node)| (name, read_app(reader, &node))).collect();
            }
            "workflow" => config.workflow = reader.parsed(&node, kinds::workflow_file),
            _ => config.branches = read_branches(reader, &node),
        }
    }
    config
}

/// The keys of an app.
const APP: [&str; 8] =
    ["blue", "green", "develop", "hosts", "probes", "scaling", "rollback-alarms", "labels"];

/// Reads an app.
fn read_app(reader: &mut Reader<'_>, node: &Node) -> App {
    let mut app = App::default();
    for (name, node) in reader.fields(node, &APP) {
        match name.as_str() {
            "blue" => app.blue = reader.parsed(&node, kinds::parse_service),
            "green" => app.green = reader.parsed(&node, kinds::parse_service),
            "develop" => app.develop = reader.parsed(&node, kinds::parse_service),
            "probes" => app.probes = probes::read_probes(reader, &node),
            "scaling" => app.scaling = read_scaling(reader, &node),
            "hosts" => app.hosts = read_hosts(reader, &node),
            "labels" => app.labels = Some(labels::read_labels(reader, &node)),
            _ => {
                let alarms = reader.list(&node);
                app.rollback_alarms =
                    alarms.iter().filter_map(|alarm| reader.parsed(alarm, kinds::parse_alarm)).collect();
            }
        }
    }
    app
}

/// Host names by color.
fn read_hosts(reader: &mut Reader<'_>, node: &Node) -> Hosts {
    let mut hosts = Hosts::default();
    for (name, node) in reader.fields(node, &["production", "blue", "green", "develop"]) {
        let place = match name.as_str() {
            "production" => &mut hosts.production,
            "blue" => &mut hosts.blue,
            "green" => &mut hosts.green,
            _ => &mut hosts.develop,
        };
        *place = reader.parsed(&node, kinds::parse_host);
    }
    hosts
}

/// The keys of `scaling`.
const SCALING: [&str; 7] = ["min", "max", "idle-min", "cpu", "memory", "scale-in-below", "scale-in-after"];

/// Reads bounds and thresholds, and checks each, then all together.
fn read_scaling(reader: &mut Reader<'_>, node: &Node) -> Option<Managed> {
    let fields = reader.fields(node, &SCALING);
    let mut number = |name: &str, low: u32, high: u32, default: Option<u32>| match fields
        .iter()
        .find(|(field, _)| field == name)
    {
        Some((_, field)) => reader.whole(field, low, high),
        None if default.is_none() => {
            reader.problem(node, format!("has no `{name}`"));
            None
        }
        None => default,
    };
    let (min, max) = (number("min", 1, 5000, None), number("max", 1, 5000, None));
    let idle_min = number("idle-min", 0, 5000, Some(1));
    let (cpu, memory) = (number("cpu", 1, 100, Some(80)), number("memory", 1, 100, Some(80)));
    let scale_in_below = number("scale-in-below", 1, 100, Some(40));
    let (min, max, idle_min) = (min?, max?, idle_min?);
    let after = fields.iter().find(|(field, _)| field == "scale-in-after");
    let scale_in_after =
        after.map_or(Some(SCALE_IN_AFTER), |(_, field)| reader.parsed(field, kinds::parse_minutes));
    let (scale_in_below, scale_in_after) = (scale_in_below?, scale_in_after?);
    let found = Managed { min, max, idle_min, cpu: cpu?, memory: memory?, scale_in_below, scale_in_after };
    for what in found.contradictions() {
        reader.problem(node, what);
    }
    Some(found)
}

/// Branch patterns with their colors.
fn read_branches(reader: &mut Reader<'_>, node: &Node) -> Vec<(String, WantedColor)> {
    let entries = reader.entries(node, "a mapping of branch patterns to colors is expected");
    let color = |value: &str| kinds::one_of(value, &BRANCH_COLORS);
    entries.into_iter().filter_map(|(pattern, node)| Some((pattern, reader.parsed(&node, color)?))).collect()
}

#[cfg(test)]
mod tests;
