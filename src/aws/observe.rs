//! One look at AWS: services first, then everything else in parallel.

use futures_util::future::join_all;

use super::clients::Aws;
use super::scaling::{Targets, resource_id};
use super::tasks::Desired;
use crate::plan::aws_error::{AwsError, AwsResult};
use crate::plan::color::ServiceColor;
use crate::plan::pace::{Glance, Glanced};
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::{Balancer, Place, Seen, Service, Snapshot, TargetGroup};

/// The names to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Account, region and cluster.
    pub(crate) place: Place,
    /// The services by color, blue first.
    pub(crate) services: Vec<(ServiceColor, String)>,
    /// Names of the CloudWatch alarms to read.
    pub(crate) alarms: Vec<String>,
}

impl Aws {
    /// Reads the parts requested in `look`. Only services that can't be described at all make the read fail: every
    /// other part carries its own error.
    pub(crate) async fn observe(&self, names: &Names, look: ReadScope) -> AwsResult<Snapshot> {
        let wanted: Vec<(ServiceColor, String)> =
            names.services.iter().filter(|(color, _)| look.describes(*color)).cloned().collect();
        let place = names.place.clone();
        let (found, missing) = self.services(&place.cluster, &wanted).await?;
        let (wiring, filled, scaling, alarms) = tokio::join!(
            self.wiring(&found, look.wiring),
            join_all(found.iter().map(|service| self.filled(
                &place.cluster,
                service,
                look.of(service.color)
            ))),
            await_optional(look.scaling.then(|| self.scaling(&place.cluster, &found))),
            await_optional(look.alarms.then(|| self.alarms(&names.alarms))),
        );
        let (groups, balancers) = wiring;
        let whole = |(service, group): (Service, Option<AwsResult<TargetGroup>>)| {
            let target = |read: &AwsResult<Targets>| {
                read.as_ref()
                    .map(|targets| targets.get(&resource_id(&place.cluster, &service.name)).copied())
                    .map_err(AwsError::clone)
            };
            let scaling = scaling.as_ref().map(target);
            Service { group, scaling, ..service }
        };
        let services = filled.into_iter().zip(groups).map(whole).collect();
        Ok(Snapshot { place, services, missing, balancers, alarms, minutes: None, earlier: Vec::new() })
    }

    /// One call that reads a part of a service again.
    pub(crate) async fn glance(
        &self,
        names: &Names,
        service: &Service,
        glance: Glance,
    ) -> AwsResult<Glanced> {
        match (glance, the_group(service)) {
            (Glance::Targets(_), Some(group)) => Ok(Glanced::Targets(self.targets(group).await?)),
            (Glance::Service(_) | Glance::Targets(_), _) => {
                let wanted = [(service.color, service.name.clone())];
                let (found, _) = self.services(&names.place.cluster, &wanted).await?;
                Ok(Glanced::Service(found.into_iter().next().map(Box::new)))
            }
        }
    }

    /// A look with only the rules read again: the other parts of that look may have taken long.
    pub(crate) async fn rules_anew(&self, seen: &Snapshot) -> Snapshot {
        let known = seen.balancers.iter().flatten().flatten();
        let reads = join_all(known.map(|balancer| self.balancer(&balancer.arn))).await;
        let balancers = seen.balancers.is_some().then(|| reads.into_iter().collect());
        Snapshot { balancers, ..seen.clone() }
    }

    /// The target group of each service, and then all load balancers of these groups. Users are blue's and green's: an
    /// unreadable part of develop stays with develop.
    async fn wiring(
        &self,
        services: &[Service],
        asked: bool,
    ) -> (Vec<Option<AwsResult<TargetGroup>>>, Seen<Vec<Balancer>>) {
        if !asked {
            return (services.iter().map(|_| None).collect(), None);
        }
        let reads =
            services.iter().map(|service| await_optional(the_group(service).map(|arn| self.group(arn))));
        let mut groups = join_all(reads).await;
        let mut arns: Vec<String> = Vec::new();
        for (service, group) in services.iter().zip(&groups) {
            match group {
                Some(Ok(group)) => arns.extend(group.balancers.iter().cloned()),
                Some(Err(trouble)) if service.color != ServiceColor::Develop => {
                    let trouble = trouble.clone();
                    return (groups, Some(Err(trouble)));
                }
                Some(Err(_)) | None => {}
            }
        }
        arns.sort();
        arns.dedup();
        let mut balancers = Vec::new();
        for (arn, read) in arns.iter().zip(join_all(arns.iter().map(|arn| self.balancer(arn))).await) {
            match read {
                Ok(balancer) => balancers.push(balancer),
                Err(trouble) if of_develop_alone(arn, services, &groups) => {
                    develop_unread(&trouble, services, &mut groups);
                }
                Err(trouble) => return (groups, Some(Err(trouble))),
            }
        }
        (groups, Some(Ok(balancers)))
    }

    /// A service with all parts that belong only to this service.
    async fn filled(&self, cluster: &str, service: &Service, look: ReadScope) -> Service {
        let (name, group) = (&service.name, the_group(service));
        let (targets, definition, tasks, stopped, history, scalers) = tokio::join!(
            await_optional(group.filter(|_| look.health).map(|arn| self.targets(arn))),
            await_optional(look.definitions.then(|| self.revision(&service.task_definition))),
            await_optional(look.health.then(|| self.tasks(cluster, name, Desired::Running))),
            await_optional((look.stopped || look.causes).then(|| self.tasks(
                cluster,
                name,
                Desired::Stopped
            ))),
            await_optional(look.causes.then(|| self.history(cluster, name))),
            await_optional(look.scalers.then(|| self.scalers(cluster, name))),
        );
        Service { targets, definition, tasks, stopped, history, scalers, ..service.clone() }
    }
}

/// Waits for the work, if any.
pub(super) async fn await_optional<F: Future>(work: Option<F>) -> Option<F::Output> {
    match work {
        Some(work) => Some(work.await),
        None => None,
    }
}

/// True if a load balancer serves develop and no other service.
fn of_develop_alone(arn: &String, services: &[Service], groups: &[Option<AwsResult<TargetGroup>>]) -> bool {
    let uses = |group: &Option<AwsResult<TargetGroup>>| {
        group.as_ref().and_then(|read| read.as_ref().ok()).is_some_and(|group| group.balancers.contains(arn))
    };
    services
        .iter()
        .zip(groups)
        .filter(|(_, group)| uses(group))
        .all(|(service, _)| service.color == ServiceColor::Develop)
}

/// Notes on develop that the load balancer can't be read.
fn develop_unread(trouble: &AwsError, services: &[Service], groups: &mut [Option<AwsResult<TargetGroup>>]) {
    for (service, group) in services.iter().zip(groups) {
        if service.color == ServiceColor::Develop {
            *group = Some(Err(trouble.clone()));
        }
    }
}

/// The only target group of a service. None if there are several, which the links show.
fn the_group(service: &Service) -> Option<&str> {
    match service.setup.links.as_slice() {
        [only] => only.group.as_deref(),
        _ => None,
    }
}
