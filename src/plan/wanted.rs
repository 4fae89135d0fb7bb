//! What the user asked for, as values: read at the edge once, and total from there on.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::color::Color;
use super::definition::image::ImageRef;
use super::traffic::Wish;

/// Where the colors live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The ECS cluster: a name, or an ARN.
    pub(crate) cluster: String,
    /// Blue's ECS service: a name, or an ARN.
    pub(crate) blue: String,
    /// Green's ECS service: a name, or an ARN.
    pub(crate) green: String,
    /// Develop's ECS service, where there is one: a name, or an ARN.
    pub(crate) develop: Option<String>,
    /// The production listener, where the user names it.
    pub(crate) listener: Option<ListenerChoice>,
    /// Host names, as far as the config file gives them.
    pub(crate) hosts: Hosts,
}

/// The host names by which production and each color are reached; none if the config file gives none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hosts {
    /// Users' name.
    pub(crate) production: Option<String>,
    /// Blue alone.
    pub(crate) blue: Option<String>,
    /// Green alone.
    pub(crate) green: Option<String>,
    /// Develop.
    pub(crate) develop: Option<String>,
}

impl Hosts {
    /// The name of a color alone.
    pub(crate) fn of(&self, color: Color) -> Option<&str> {
        match color {
            Color::Blue => self.blue.as_deref(),
            Color::Green => self.green.as_deref(),
            Color::Develop => self.develop.as_deref(),
        }
    }
}

impl Place {
    /// The services by color, blue first, as they were given.
    pub(crate) fn services(&self) -> Vec<(Color, &str)> {
        let develop = self.develop.as_deref().map(|name| (Color::Develop, name));
        [(Color::Blue, self.blue.as_str()), (Color::Green, self.green.as_str())]
            .into_iter()
            .chain(develop)
            .collect()
    }
}

/// How a user names the production listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListenerChoice {
    /// By its ARN.
    Arn(String),
    /// By its port, and its protocol where the port alone is not enough.
    Port {
        /// The protocol, if one was given.
        protocol: Option<Protocol>,
        /// The port, 1–65535.
        port: u16,
    },
}

/// The protocols of an Application Load Balancer's listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `HTTP`.
    Http,
    /// `HTTPS`.
    Https,
}

impl Protocol {
    /// The word in AWS's API.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Protocol::Http => "HTTP",
            Protocol::Https => "HTTPS",
        }
    }
}

/// As the user wrote it.
impl fmt::Display for ListenerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenerChoice::Arn(arn) => f.write_str(arn),
            ListenerChoice::Port { protocol: Some(protocol), port } => {
                write!(f, "{}:{port}", protocol.word())
            }
            ListenerChoice::Port { protocol: None, port } => write!(f, "{port}"),
        }
    }
}

/// The color that a deploy goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WantedColor {
    /// Whichever serves no users.
    Idle,
    /// This one.
    Color(Color),
}

/// The images that a deploy sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Images {
    /// None: the task definition's own stay.
    None,
    /// One, for the only container that can be meant.
    One(ImageRef),
    /// One per container, by its name, in the order given.
    PerContainer(Vec<(String, ImageRef)>),
}

/// What a deploy builds its task definition from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DefinitionSource {
    /// The one that the service runs now.
    Current,
    /// A JSON or YAML file, relative to the working directory.
    File(PathBuf),
    /// An ARN, a family or `family:revision`, as DescribeTaskDefinition takes it.
    Named(String),
}

/// How many tasks a deploy leaves the color with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DesiredCount {
    /// As many as the live color.
    Match,
    /// As many as the live color, and at least this many.
    MatchAtLeast(u32),
    /// This many, 1–5,000.
    Count(u32),
}

/// One change to the environment or the secrets of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EnvChange {
    /// The container's name; without one, every container that the change can be meant for.
    pub(crate) container: Option<String>,
    /// The variable's name.
    pub(crate) name: String,
    /// The new value, or the removal of the variable.
    pub(crate) value: Option<Text>,
}

/// An environment value, or where a secret is kept: read by AWS, never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Text(String);

impl Text {
    /// Hides a value.
    pub(crate) fn new(value: impl Into<String>) -> Self {
        Text(value.into())
    }

    /// The value itself, for the call to AWS only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

/// Shows `***`.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Shows `***`.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A request through the test listener, and the answer that it must get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// Path and query, beginning with `/`.
    pub(crate) path: String,
    /// The status code that passes.
    pub(crate) status: u16,
    /// Text that the body must hold.
    pub(crate) contains: Option<String>,
}

/// How a color becomes production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It gets the users with the version that it runs.
    Swap,
    /// It takes over the other color's version first.
    Copy,
}

/// What a promote is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Promotion {
    /// The color that is to be production; never develop.
    pub(crate) color: Color,
    /// How.
    pub(crate) mode: Mode,
    /// Tasks that the color without users keeps, 0–5,000.
    pub(crate) idle_count: u32,
    /// How long to wait at most for users whom stickiness keeps on the other color.
    pub(crate) max_drain: Duration,
    /// Names of environment variables that each color keeps as its own in a copy.
    pub(crate) per_color: Vec<String>,
    /// The task definition that was approved, as an ARN or `FAMILY:REVISION`: the color's own in a swap, the other
    /// color's in a copy.
    pub(crate) expect: Option<String>,
    /// How all users come to the color; it expects no task definition by itself, and is never forced.
    pub(crate) traffic: Wish,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_32_a_value_is_shown_as_stars_only() {
        let change =
            EnvChange { container: None, name: "TOKEN".to_owned(), value: Some(Text::new("hunter2")) };
        assert_eq!(
            format!("{change:?} {}", Text::new("hunter2")),
            "EnvChange { container: None, name: \"TOKEN\", value: Some(***) } ***"
        );
        assert_eq!(Text::new("hunter2").reveal(), "hunter2");
    }

    #[test]
    fn the_services_are_those_that_were_named_and_develop_is_optional() {
        let place = |develop: Option<&str>| Place {
            cluster: "shop".to_owned(),
            blue: "web-blue".to_owned(),
            green: "web-green".to_owned(),
            develop: develop.map(str::to_owned),
            listener: None,
            hosts: Hosts::default(),
        };
        let two = [(Color::Blue, "web-blue"), (Color::Green, "web-green")];
        assert_eq!(place(None).services(), two);
        assert_eq!(place(Some("web-dev")).services(), [two[0], two[1], (Color::Develop, "web-dev")]);
    }

    #[test]
    fn a_listener_reads_as_it_was_written() {
        let https = ListenerChoice::Port { protocol: Some(Protocol::Https), port: 443 };
        assert_eq!(https.to_string(), "HTTPS:443");
        assert_eq!(ListenerChoice::Port { protocol: None, port: 80 }.to_string(), "80");
    }
}
