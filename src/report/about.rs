//! //! The subject of a message: enough to name the service, and to write a command that can be pasted.

use super::names::{in_backticks, short_arn};
use super::paste::{arn_argument, paste_block};
use crate::event::{PutBack, Report};
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::overview::{ColorView, Overview};
use crate::plan::traffic::TrafficPlan;

/// The service that the words are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// The cluster's name.
    pub(crate) cluster: Option<String>,
    /// The region.
    pub(crate) region: Option<String>,
    /// The color.
    pub(crate) color: Option<ServiceColor>,
    /// The service's name.
    pub(crate) service: Option<String>,
    /// The color's earlier version: `family:revision`.
    pub(crate) before: Option<String>,
    /// The services by color, for each service seen.
    pub(crate) services: Vec<(ServiceColor, String)>,
    /// Facts about a change of traffic; none for a deploy.
    pub(crate) users: Option<TrafficFacts>,
    /// The split that a promote reached before its deploy. A post step reports this split.
    pub(crate) moved: Option<Split>,
}

/// The known facts of a change of traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TrafficFacts {
    /// Plan of the change; none before the plan is known.
    pub(crate) traffic_plan: Option<Box<TrafficPlan>>,
    /// The split at the start; none if the rules disagreed.
    pub(crate) found: Option<Split>,
    /// The split at the last look, if that look came before the end.
    pub(crate) seen: Option<Split>,
    /// Each color with its desired count, and true if scale-in is suspended, from the last look.
    pub(crate) sizes: Vec<(Color, u32, bool)>,
    /// The restored parts, if known.
    pub(crate) put_back: Option<PutBack>,
    /// ARNs of the production rules, if nothing else is known about the rules.
    pub(crate) rules: Vec<String>,
}

/// The commands that move users.
const MOVING: [&str; 3] = ["redirect-traffic", "rollback", "promote"];

/// True if a command moves users.
pub(crate) fn moves_users(command: &str) -> bool {
    MOVING.contains(&command)
}

impl TrafficFacts {
    /// The change of traffic in a report. The post step of a deploy names its service; without a service, the post step
    /// concerns users.
    fn of(report: &Report) -> Option<TrafficFacts> {
        let post = report.command == "post" && report.service.is_none() && report.split.is_some();
        if report.traffic.is_none() && !post && !moves_users(report.command) {
            return None;
        }
        let found = report.split.filter(|_| post);
        let told = report.traffic.as_ref().map(|traffic_plan| TrafficFacts::told(traffic_plan));
        let overview = report.overview.as_ref();
        Some(TrafficFacts {
            seen: overview.filter(|_| report.stale).and_then(Overview::known_split),
            sizes: overview.map(color_sizes).unwrap_or_default(),
            put_back: report.put_back.clone(),
            rules: report.rules.clone(),
            ..told.unwrap_or(TrafficFacts { found, ..TrafficFacts::default() })
        })
    }

    /// The facts of a planned change.
    pub(crate) fn told(traffic_plan: &TrafficPlan) -> TrafficFacts {
        let found = traffic_plan.agreed().then_some(traffic_plan.from);
        TrafficFacts { traffic_plan: Some(Box::new(traffic_plan.clone())), found, ..TrafficFacts::default() }
    }
}

/// The colors that can have users, with their size.
fn color_sizes(overview: &Overview) -> Vec<(Color, u32, bool)> {
    let size = |(color, view): (Color, &ColorView)| {
        (color, view.desired, view.scaling.is_some_and(|scaling| scaling.in_suspended))
    };
    overview.production().map(size).collect()
}

/// The services of an overview by color.
pub(crate) fn color_services(overview: &Overview) -> Vec<(ServiceColor, String)> {
    overview.colors.iter().map(|view| (view.color, view.service.clone())).collect()
}

impl About {
    /// The subject of a report at the end of a run.
    pub(crate) fn of(report: &Report) -> About {
        let place = report.overview.as_ref().map(|overview| &overview.place).or(report.place.as_ref());
        About {
            cluster: place.map(|place| place.cluster.clone()),
            region: place.map(|place| place.region.clone()),
            color: report.color,
            service: report.service.clone(),
            before: report.previous_task_definition.as_deref().map(|arn| short_arn(arn).to_owned()),
            services: report.overview.as_ref().map(color_services).unwrap_or_default(),
            users: TrafficFacts::of(report),
            moved: report.split.filter(|_| report.command == "post" && report.service.is_some()),
        }
    }

    /// The service by name and color: `` `web-green` (green) ``.
    pub(crate) fn name(&self) -> String {
        match (&self.service, self.color) {
            (Some(service), Some(color)) => format!("{} ({color})", in_backticks(service)),
            (Some(service), None) => in_backticks(service),
            (None, Some(color)) => format!("the {color} service"),
            (None, None) => "the service".to_owned(),
        }
    }

    /// The earlier version, for a sentence.
    pub(crate) fn version_before(&self) -> String {
        self.before.as_deref().map_or_else(|| "what it ran before".to_owned(), in_backticks)
    }

    /// A line of `aws ecs` with cluster and region, indented to be pasted.
    pub(crate) fn ecs(&self, call: &str, rest: &str) -> String {
        let cluster = self.cluster.as_deref().unwrap_or("CLUSTER");
        self.aws("ecs", call, format!("--cluster {cluster} {rest}").trim_end())
    }

    /// A line of `aws` with the region, indented to be pasted.
    pub(crate) fn aws(&self, service: &str, call: &str, rest: &str) -> String {
        let region = self.region.as_ref().map(|region| format!(" --region {region}")).unwrap_or_default();
        format!("  aws {service} {call}{region} {rest}")
    }

    /// Lines of [`About::aws`], after a line that fetches the account id if a command needs the id.
    pub(crate) fn block(&self, commands: &[String]) -> String {
        paste_block(commands, self.region.as_deref())
    }

    /// The same for the service of this color.
    pub(crate) fn at(&self, color: impl Into<ServiceColor>) -> About {
        let color = color.into();
        let seen = self.services.iter().find(|(known, _)| *known == color);
        About { color: Some(color), service: seen.map(|(_, name)| name.clone()), ..self.clone() }
    }

    /// The command that shows the rules of the plan's listeners, with the weights.
    pub(crate) fn check_rules(&self) -> String {
        let traffic_plan = self.users.as_ref().and_then(|users| users.traffic_plan.as_ref());
        let mut listeners: Vec<String> = traffic_plan
            .iter()
            .flat_map(|traffic_plan| &traffic_plan.rules)
            .map(|rule| arn_argument(&rule.undo.listener()))
            .collect();
        listeners.sort();
        listeners.dedup();
        let query = "Rules[].[Priority,Actions[].ForwardConfig.TargetGroups]";
        let known = self.users.as_ref().map(|users| &users.rules).filter(|rules| !rules.is_empty());
        if let (true, Some(rules)) = (listeners.is_empty(), known) {
            let arns: Vec<String> = rules.iter().map(|arn| arn_argument(arn)).collect();
            let rest = format!("--rule-arns {} --query '{query}'", arns.join(" "));
            return self.block(&[self.aws("elbv2", "describe-rules", &rest)]);
        }
        if listeners.is_empty() {
            listeners.push("LISTENER_ARN".to_owned());
        }
        let line = |arn: &String| {
            self.aws("elbv2", "describe-rules", &format!("--listener-arn {arn} --query '{query}'"))
        };
        self.block(&listeners.iter().map(line).collect::<Vec<_>>())
    }

    /// The command that shows the service's state.
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

    /// The command that sets the service's desired count.
    pub(crate) fn scale(&self, count: u32) -> String {
        let service = self.service.as_deref().unwrap_or("SERVICE");
        self.ecs("update-service", &format!("--service {service} --desired-count {count}"))
    }

    /// The command that restores the earlier version.
    pub(crate) fn go_back(&self) -> String {
        let service = self.service.as_deref().unwrap_or("SERVICE");
        let before = self.before.as_deref().unwrap_or("FAMILY:REVISION");
        self.ecs("update-service", &format!("--service {service} --task-definition {before}"))
    }
}
