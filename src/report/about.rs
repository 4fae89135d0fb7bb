//! What a message is about: enough to name the service, and to write a command that can be pasted.

use super::names::{quoted, short_arn};
use crate::event::Report;
use crate::plan::color::Color;

/// The service that the words are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// The cluster's name.
    pub(crate) cluster: Option<String>,
    /// The region.
    pub(crate) region: Option<String>,
    /// The color.
    pub(crate) color: Option<Color>,
    /// The service's name.
    pub(crate) service: Option<String>,
    /// What the color ran before: `family:revision`.
    pub(crate) before: Option<String>,
}

impl About {
    /// What the end of a run is about.
    pub(crate) fn of(report: &Report) -> About {
        let place = report.overview.as_ref().map(|overview| &overview.place).or(report.place.as_ref());
        About {
            cluster: place.map(|place| place.cluster.clone()),
            region: place.map(|place| place.region.clone()),
            color: report.color,
            service: report.service.clone(),
            before: report.previous_task_definition.as_deref().map(|arn| short_arn(arn).to_owned()),
        }
    }

    /// The service by name and color: `` `web-green` (green) ``.
    pub(crate) fn name(&self) -> String {
        match (&self.service, self.color) {
            (Some(service), Some(color)) => format!("{} ({color})", quoted(service)),
            (Some(service), None) => quoted(service),
            (None, Some(color)) => format!("the {color} service"),
            (None, None) => "the service".to_owned(),
        }
    }

    /// What ran before, for a sentence.
    pub(crate) fn version_before(&self) -> String {
        self.before.as_deref().map_or_else(|| "what it ran before".to_owned(), quoted)
    }

    /// A line of `aws ecs` with the place in it, indented to be pasted.
    pub(crate) fn ecs(&self, call: &str, rest: &str) -> String {
        let region = self.region.as_ref().map(|region| format!(" --region {region}")).unwrap_or_default();
        let cluster = self.cluster.as_deref().unwrap_or("CLUSTER");
        format!("  aws ecs {call}{region} --cluster {cluster} {rest}").trim_end().to_owned()
    }

    /// The command that shows how the service stands.
    pub(crate) fn check(&self) -> String {
        let service = self.service.as_deref().unwrap_or("SERVICE");
        let query = "services[0].[status,taskDefinition,desiredCount,deployments[].[status,rolloutState,taskDefinition,runningCount]]";
        self.ecs("describe-services", &format!("--services {service} --query '{query}'"))
    }

    /// The command that shows the newest events of the service.
    pub(crate) fn events(&self) -> String {
        let service = self.service.as_deref().unwrap_or("SERVICE");
        self.ecs(
            "describe-services",
            &format!("--services {service} --query 'services[0].events[:10].message'"),
        )
    }

    /// The command that puts the version before back.
    pub(crate) fn go_back(&self) -> String {
        let service = self.service.as_deref().unwrap_or("SERVICE");
        let before = self.before.as_deref().unwrap_or("FAMILY:REVISION");
        self.ecs("update-service", &format!("--service {service} --task-definition {before}"))
    }
}
