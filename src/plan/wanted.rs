//! The user's request as values: read once at the edge, and total from then on.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::color::{Color, ServiceColor};
use super::definition::image::ImageRef;
use super::traffic::TrafficRequest;

/// The place of the colors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppPlace {
    /// The ECS cluster: a name, or an ARN.
    pub(crate) cluster: String,
    /// Blue's ECS service: a name, or an ARN.
    pub(crate) blue: String,
    /// Green's ECS service: a name, or an ARN.
    pub(crate) green: String,
    /// Develop's ECS service, if there is one: a name, or an ARN.
    pub(crate) develop: Option<String>,
    /// The production listener, if the user named a listener.
    pub(crate) listener: Option<ListenerChoice>,
    /// Host names from the config file.
    pub(crate) hosts: Hosts,
}

/// The host names of production and each color. None if the config file gives no name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hosts {
    /// Host for users.
    pub(crate) production: Option<String>,
    /// Host for blue alone.
    pub(crate) blue: Option<String>,
    /// Host for green alone.
    pub(crate) green: Option<String>,
    /// Host for develop.
    pub(crate) develop: Option<String>,
}

impl Hosts {
    /// The host for a color alone.
    pub(crate) fn of(&self, color: impl Into<ServiceColor>) -> Option<&str> {
        match color.into() {
            ServiceColor::Blue => self.blue.as_deref(),
            ServiceColor::Green => self.green.as_deref(),
            ServiceColor::Develop => self.develop.as_deref(),
        }
    }
}

impl AppPlace {
    /// The services by color, blue first, as given.
    pub(crate) fn services(&self) -> Vec<(ServiceColor, &str)> {
        let develop = self.develop.as_deref().map(|name| (ServiceColor::Develop, name));
        [(ServiceColor::Blue, self.blue.as_str()), (ServiceColor::Green, self.green.as_str())]
            .into_iter()
            .chain(develop)
            .collect()
    }
}

/// The user's choice of the production listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListenerChoice {
    /// By ARN.
    Arn(String),
    /// By port, and by protocol if the port alone is ambiguous.
    Port {
        /// The protocol, if given.
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

/// The text as the user wrote it.
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

/// The color to deploy to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WantedColor {
    /// The color without users.
    Idle,
    /// This one.
    Color(ServiceColor),
}

/// The images that a deploy sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Images {
    /// None: the task definition keeps the current images.
    None,
    /// One image, for the only possible container.
    One(ImageRef),
    /// One image per container name, in the given order.
    PerContainer(Vec<(String, ImageRef)>),
}

/// The base of a deploy's task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DefinitionSource {
    /// The service's current task definition.
    Current,
    /// A JSON or YAML file, relative to the working directory.
    File(PathBuf),
    /// An ARN, a family or `family:revision`, as DescribeTaskDefinition takes it.
    Named(String),
}

/// Number of tasks after a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DesiredCount {
    /// The live color's count.
    Match,
    /// The live color's count, and at least this count.
    MatchAtLeast(u32),
    /// This count, 1–5,000.
    Count(u32),
}

/// One change to the environment or the secrets of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EnvChange {
    /// The container's name. None: the load balancer's container, else the only container.
    pub(crate) container: Option<String>,
    /// The variable's name.
    pub(crate) name: String,
    /// The new value, or the removal of the variable.
    pub(crate) value: Option<Text>,
}

/// An environment value, or the address of a secret: sent to AWS, never shown.
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

/// A request through the test listener, and the expected answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// Path and query, beginning with `/`.
    pub(crate) path: String,
    /// The status code that passes.
    pub(crate) status: u16,
    /// Text that the body must hold.
    pub(crate) contains: Option<String>,
}

/// The way in which a color becomes production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The color gets the users with the current version.
    Swap,
    /// The color first takes over the other color's version.
    Copy,
}

/// The request of a promote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Promotion {
    /// The color that is to be production.
    pub(crate) color: Color,
    /// The mode.
    pub(crate) mode: Mode,
    /// Tasks that the idle color keeps, 0–5,000.
    pub(crate) idle_count: u32,
    /// Longest wait for users whom stickiness keeps on the other color.
    pub(crate) max_drain: Duration,
    /// Names of environment variables that each color keeps in a copy.
    pub(crate) per_color: Vec<String>,
    /// The approved task definition, as an ARN or `FAMILY:REVISION`: the color's own in a swap, the other color's in a
    /// copy.
    pub(crate) expect: Option<String>,
    /// The change of traffic that moves all users to the color. Expects no task definition, and is never forced.
    pub(crate) traffic: TrafficRequest,
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
        let place = |develop: Option<&str>| AppPlace {
            cluster: "shop".to_owned(),
            blue: "web-blue".to_owned(),
            green: "web-green".to_owned(),
            develop: develop.map(str::to_owned),
            listener: None,
            hosts: Hosts::default(),
        };
        let two = [(ServiceColor::Blue, "web-blue"), (ServiceColor::Green, "web-green")];
        assert_eq!(place(None).services(), two);
        assert_eq!(place(Some("web-dev")).services(), [two[0], two[1], (ServiceColor::Develop, "web-dev")]);
    }

    #[test]
    fn a_listener_reads_as_it_was_written() {
        let https = ListenerChoice::Port { protocol: Some(Protocol::Https), port: 443 };
        assert_eq!(https.to_string(), "HTTPS:443");
        assert_eq!(ListenerChoice::Port { protocol: None, port: 80 }.to_string(), "80");
    }
}
