//! One look at AWS: services first, then everything else at the same time.

use super::clients::Aws;
use super::scaling::{Targets, resource};
use super::tasks::Desired;
use super::together::together;
use crate::plan::color::Color;
use crate::plan::look::Look;
use crate::plan::snapshot::{Balancer, Place, Seen, Service, Snapshot, TargetGroup};
use crate::plan::trouble::{Read, Trouble};

/// What to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Account, region and cluster.
    pub(crate) place: Place,
    /// The services by color, blue first.
    pub(crate) services: Vec<(Color, String)>,
    /// Names of the CloudWatch alarms to look at.
    pub(crate) alarms: Vec<String>,
}

impl Aws {
    /// Reads what `look` asks for. Only services that can't be described at all make it fail: every
    /// other part carries its own trouble.
    pub(crate) async fn observe(&self, names: &Names, look: Look) -> Read<Snapshot> {
        let wanted: Vec<(Color, String)> =
            names.services.iter().filter(|(color, _)| look.describes(*color)).cloned().collect();
        let place = names.place.clone();
        let (found, missing) = self.services(&place.cluster, &wanted).await?;
        let (wiring, filled, scaling, alarms) = tokio::join!(
            self.wiring(&found, look.wiring),
            together(found.iter().map(|service| self.filled(
                &place.cluster,
                service,
                look.of(service.color)
            ))),
            maybe(look.scaling.then(|| self.scaling(&place.cluster, &found))),
            maybe(look.alarms.then(|| self.alarms(&names.alarms))),
        );
        let (groups, balancers) = wiring;
        let whole = |(service, group): (Service, Option<Read<TargetGroup>>)| {
            let target = |read: &Read<Targets>| {
                read.as_ref()
                    .map(|targets| targets.get(&resource(&place.cluster, &service.name)).copied())
                    .map_err(Trouble::clone)
            };
            let scaling = scaling.as_ref().map(target);
            Service { group, scaling, ..service }
        };
        let services = filled.into_iter().zip(groups).map(whole).collect();
        Ok(Snapshot { place, services, missing, balancers, alarms })
    }

    /// A look with the rules read anew, and nothing else: what was read with them may have taken long.
    pub(crate) async fn rules_anew(&self, seen: &Snapshot) -> Snapshot {
        let known = seen.balancers.iter().flatten().flatten();
        let reads = together(known.map(|balancer| self.balancer(&balancer.arn))).await;
        let balancers = seen.balancers.is_some().then(|| reads.into_iter().collect());
        Snapshot { balancers, ..seen.clone() }
    }

    /// The target group of each service, and then the load balancers that use any of them. Users are blue's and green's:
    /// what of develop can't be read stays with develop.
    async fn wiring(
        &self,
        services: &[Service],
        asked: bool,
    ) -> (Vec<Option<Read<TargetGroup>>>, Seen<Vec<Balancer>>) {
        if !asked {
            return (services.iter().map(|_| None).collect(), None);
        }
        let reads = services.iter().map(|service| maybe(the_group(service).map(|arn| self.group(arn))));
        let mut groups = together(reads).await;
        let mut arns: Vec<String> = Vec::new();
        for (service, group) in services.iter().zip(&groups) {
            match group {
                Some(Ok(group)) => arns.extend(group.balancers.iter().cloned()),
                Some(Err(trouble)) if service.color != Color::Develop => {
                    let trouble = trouble.clone();
                    return (groups, Some(Err(trouble)));
                }
                Some(Err(_)) | None => {}
            }
        }
        arns.sort();
        arns.dedup();
        let mut balancers = Vec::new();
        for (arn, read) in arns.iter().zip(together(arns.iter().map(|arn| self.balancer(arn))).await) {
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

    /// A service with the parts that hang on it alone.
    async fn filled(&self, cluster: &str, service: &Service, look: Look) -> Service {
        let (name, group) = (&service.name, the_group(service));
        let (targets, definition, tasks, stopped, history, scalers) = tokio::join!(
            maybe(group.filter(|_| look.health).map(|arn| self.targets(arn))),
            maybe(look.definitions.then(|| self.revision(&service.task_definition))),
            maybe(look.health.then(|| self.tasks(cluster, name, Desired::Running))),
            maybe((look.stopped || look.causes).then(|| self.tasks(cluster, name, Desired::Stopped))),
            maybe(look.causes.then(|| self.history(cluster, name))),
            maybe(look.scalers.then(|| self.scalers(cluster, name))),
        );
        Service { targets, definition, tasks, stopped, history, scalers, ..service.clone() }
    }
}

/// Waits for the work where there is any.
pub(super) async fn maybe<F: Future>(work: Option<F>) -> Option<F::Output> {
    match work {
        Some(work) => Some(work.await),
        None => None,
    }
}

/// Whether a load balancer is that of develop and of no other service.
fn of_develop_alone(arn: &String, services: &[Service], groups: &[Option<Read<TargetGroup>>]) -> bool {
    let uses = |group: &Option<Read<TargetGroup>>| {
        group.as_ref().and_then(|read| read.as_ref().ok()).is_some_and(|group| group.balancers.contains(arn))
    };
    services
        .iter()
        .zip(groups)
        .filter(|(_, group)| uses(group))
        .all(|(service, _)| service.color == Color::Develop)
}

/// Leaves with develop that its load balancer can't be read.
fn develop_unread(trouble: &Trouble, services: &[Service], groups: &mut [Option<Read<TargetGroup>>]) {
    for (service, group) in services.iter().zip(groups) {
        if service.color == Color::Develop {
            *group = Some(Err(trouble.clone()));
        }
    }
}

/// The one target group of a service. With several there is none to speak of, and the links tell.
fn the_group(service: &Service) -> Option<&str> {
    match service.setup.links.as_slice() {
        [only] => only.group.as_deref(),
        _ => None,
    }
}
