//! Elastic Container Service: clusters, task definitions, services that roll, tasks that really run.

mod awslogs;
mod breaker;
mod cluster;
mod containers;
mod create;
mod definition;
mod deploy;
mod describe;
mod history;
mod input;
mod lifecycle;
mod place;
mod providers;
mod registration;
mod scheduler;
mod service;
mod tags;
mod task;
mod tasks;
mod update;
mod validate;

pub use cluster::Cluster;
pub use definition::Definition;
pub use place::Instance;
pub use service::{
    Deployment, Event, LoadBalancer, Revision, RolloutState, Service, ServiceDeployment, ServiceStatus,
};
pub use task::{Container, Phase, Registration, Stop, Task};

use crate::wire::ApiError;
use crate::world::World;
use serde_json::Value;
use std::time::Instant;

/// The state of ECS in the account and region.
#[derive(Debug, Default)]
pub struct Ecs {
    /// Clusters, also deleted ones.
    pub clusters: Vec<Cluster>,
    /// Task definitions, in the order of their registration.
    pub definitions: Vec<Definition>,
    /// Services, also deleted ones.
    pub services: Vec<Service>,
    /// Tasks, also tasks that stopped within the last hour.
    pub tasks: Vec<Task>,
    /// Capacity providers of Auto Scaling groups, as AWS describes them.
    providers: Vec<Value>,
    /// Container instances.
    pub instances: Vec<Instance>,
    /// Most tasks on Fargate; `None`: any number.
    pub fargate_slots: Option<usize>,
}

impl Ecs {
    /// A service's desired count; `None` if the service does not exist.
    pub fn desired_count(&self, arn: &str) -> Option<u32> {
        let mut services = self.services.iter();
        services.find(|service| service.arn == arn && service.is_active()).map(|service| service.desired)
    }

    /// The targets, by id and port, that a service's tasks have in target groups; by the service's ARN.
    pub(crate) fn targets_of(&self, arn: &str) -> Vec<(String, u16)> {
        let own = self.tasks.iter().filter(|task| task.service.as_deref() == Some(arn));
        let live = own.filter(|task| task.phase != task::Phase::Stopped);
        live.flat_map(|task| &task.registrations).map(|at| (at.id.clone(), at.port)).collect()
    }

    /// A service by cluster name and service name.
    pub fn service(&self, cluster: &str, name: &str) -> Option<&Service> {
        let path = format!(":service/{cluster}/{name}");
        self.services.iter().find(|service| service.arn.ends_with(&path))
    }

    /// The tasks of a service that are not STOPPED, by cluster name and service name.
    pub fn tasks_of(&self, cluster: &str, name: &str) -> Vec<&Task> {
        let path = format!(":service/{cluster}/{name}");
        let of = |task: &&Task| task.service.as_ref().is_some_and(|arn| arn.ends_with(&path));
        self.tasks.iter().filter(of).filter(|task| task.phase != Phase::Stopped).collect()
    }

    /// True if a service has only a complete PRIMARY deployment.
    pub fn is_steady(&self, cluster: &str, name: &str) -> bool {
        self.service(cluster, name).is_some_and(|service| {
            service.steady
                && service.deployments.len() == 1
                && service.deployments[0].rollout == RolloutState::Completed
        })
    }
}

/// The service in a call, in the call's cluster.
fn find_service<'a>(world: &'a World, input: &Value, name: &str) -> Result<&'a Service, ApiError> {
    let cluster = cluster::named(world, input)?;
    let name = input::local(world, name, &cluster)?;
    let mut services = world.ecs.services.iter();
    let found = services.find(|service| service.cluster == cluster && service.name == name);
    found.ok_or_else(|| ApiError::new("ServiceNotFoundException", "Service not found."))
}

/// Answers one call of ECS, 2014-11-13.
///
/// # Errors
/// AWS's own error codes and messages.
pub fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "CreateCluster" => cluster::create(world, input),
        "DescribeClusters" => cluster::describe(world, input),
        "ListClusters" => cluster::list(world, input),
        "DeleteCluster" => cluster::delete(world, input),
        "CreateCapacityProvider" => providers::create(world, input),
        "DescribeCapacityProviders" => providers::describe(world, input),
        "DeleteCapacityProvider" => providers::delete(world, input),
        "PutClusterCapacityProviders" => providers::put(world, input),
        "RegisterTaskDefinition" => definition::register(world, input),
        "DescribeTaskDefinition" => definition::describe(world, input),
        "DeregisterTaskDefinition" => definition::deregister(world, input),
        "ListTaskDefinitions" => definition::list(world, input),
        "ListTaskDefinitionFamilies" => definition::families(world, input),
        "CreateService" => create::create(world, input),
        "UpdateService" => update::update(world, input),
        "DeleteService" => update::delete(world, input),
        "DescribeServices" => describe::describe(world, input),
        "ListServices" => describe::list(world, input),
        "ListServiceDeployments" => history::list(world, input),
        "DescribeServiceDeployments" => history::describe(world, input),
        "StopServiceDeployment" => history::stop(world, input),
        "DescribeServiceRevisions" => history::describe_revisions(world, input),
        "ListTasks" => tasks::list(world, input),
        "DescribeTasks" => tasks::describe(world, input),
        "StopTask" => tasks::stop(world, input),
        "RunTask" => tasks::run(world, input),
        "RegisterContainerInstance" => tasks::register_instance(world, input),
        "DeregisterContainerInstance" => tasks::deregister_instance(world, input),
        "ListContainerInstances" => tasks::list_instances(world, input),
        "DescribeContainerInstances" => tasks::describe_instances(world, input),
        "TagResource" => tags::tag(world, input),
        "UntagResource" => tags::untag(world, input),
        "ListTagsForResource" => tags::list(world, input),
        _ => Err(ApiError::new("UnknownOperationException", "")),
    }
}

/// Lets time act on tasks and services.
pub(crate) fn tick(world: &mut World, now: Instant) {
    lifecycle::advance(world, now);
    scheduler::run(world, now);
}
