//! The whole simulated AWS account, and its pace.

use crate::acm::{self, Acm};
use crate::autoscaling::{self, AutoScaling};
use crate::checker::Checker;
use crate::cloudwatch::{self, CloudWatch};
use crate::ecr::Ecr;
use crate::ecs::{self, Ecs};
use crate::elb::{self, Elb};
use crate::faults::{Faults, throttled};
use crate::github::GitHub;
use crate::iam::{Iam, Place};
use crate::logs::{self, Logs};
use crate::oidc::Oidc;
use crate::record::Recorder;
use crate::sts::Sts;
use crate::wire::{ApiError, Request, Service};
use crate::{ecr, iam, sts};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;

/// The world behind its lock, which is never held across an await.
pub type Shared = Arc<Mutex<World>>;

/// Locks the world; a panic under the lock does not poison the world for others.
pub fn lock(shared: &Shared) -> MutexGuard<'_, World> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Seconds since the epoch, to the millisecond, as AWS JSON writes a time.
pub(crate) fn epoch(at: SystemTime) -> f64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs_f64() * 1000.0).round() / 1000.0
}

/// The pace of the simulated world, for times that AWS does not let a caller set.
#[derive(Debug, Clone)]
pub struct Pace {
    /// From PROVISIONING to RUNNING.
    pub launch: Duration,
    /// From SIGTERM to STOPPED.
    pub stop: Duration,
    /// Time until a new deployment is described (ECS is eventually consistent).
    pub invisible: Duration,
    /// True if ECS shows a change of only the count as IN_PROGRESS until done (unconfirmed).
    pub counts_in_progress: bool,
    /// Time until new weights and rules reach the data plane.
    pub propagation: Duration,
    /// Duration of one second of an AWS attribute: health-check intervals, deregistration delay, grace period.
    pub second: Duration,
}

/// Time between two ticks of the world.
const TICK: Duration = Duration::from_millis(10);

impl Default for Pace {
    /// The pace of tests.
    fn default() -> Self {
        Self {
            launch: Duration::from_millis(50),
            stop: Duration::from_millis(20),
            invisible: Duration::ZERO,
            counts_in_progress: false,
            propagation: Duration::ZERO,
            second: Duration::from_millis(20),
        }
    }
}

impl Pace {
    /// Duration of this number of seconds of an AWS attribute.
    pub fn seconds(&self, seconds: u64) -> Duration {
        self.second.saturating_mul(u32::try_from(seconds).unwrap_or(u32::MAX))
    }
}

/// The simulated account.
pub struct World {
    /// Clusters, services, tasks.
    pub ecs: Ecs,
    /// Load balancers and their data plane.
    pub elb: Elb,
    /// Scalable targets and scaling activities.
    pub autoscaling: AutoScaling,
    /// Repositories and images.
    pub ecr: Ecr,
    /// Certificates.
    pub acm: Acm,
    /// Metrics and alarms.
    pub cloudwatch: CloudWatch,
    /// The logs of containers.
    pub logs: Logs,
    /// Repositories, tokens and the rest of GitHub.
    pub github: GitHub,
    /// The workflow run that gets OpenID Connect tokens.
    pub oidc: Oidc,
    /// Roles that trust GitHub, and their sessions.
    pub sts: Sts,
    /// The policies that limit callers.
    pub iam: Iam,
    /// The pace.
    pub pace: Pace,
    /// Time between two ticks. A test that lasts minutes of its own time needs fewer.
    pub between_ticks: Duration,
    /// The account's id.
    pub account: String,
    /// The region's name.
    pub region: String,
    /// The runtime of the servers; spawning works from any thread.
    pub runtime: Handle,
    /// The world itself, for tasks that access the world later.
    pub shared: Weak<Mutex<World>>,
    /// Watches the invariants.
    pub checker: Checker,
    /// Every call so far.
    pub(crate) recorder: Recorder,
    /// Deliberate faults.
    pub(crate) faults: Faults,
    /// Source of ids.
    serial: u64,
}

impl World {
    /// An empty account.
    pub(crate) fn new(pace: Pace, runtime: Handle, shared: Weak<Mutex<World>>) -> Self {
        Self {
            ecs: Ecs::default(),
            elb: Elb::new(runtime.clone()),
            autoscaling: AutoScaling::default(),
            ecr: Ecr::default(),
            acm: Acm::default(),
            cloudwatch: CloudWatch::new(pace.second),
            logs: Logs::default(),
            github: GitHub::default(),
            oidc: Oidc::default(),
            sts: Sts::default(),
            iam: Iam::default(),
            pace,
            between_ticks: TICK,
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            runtime,
            shared,
            checker: Checker::default(),
            recorder: Recorder::new(),
            faults: Faults::default(),
            serial: 0,
        }
    }

    /// The refusal of a call that the caller's policies do not allow.
    pub(crate) fn refuse(&self, request: &Request) -> Option<ApiError> {
        let place = Place { region: self.region.clone(), account: self.account.clone() };
        self.iam.refuse(request, &place)
    }

    /// The refusal of a call of Elastic Load Balancing that finds its bucket empty.
    pub(crate) fn throttle(&mut self, request: &Request) -> Option<ApiError> {
        let is_throttled = request.service == Service::Elb && self.elb.is_throttled(&request.operation);
        is_throttled.then(|| throttled(request.service))
    }

    /// Carries out only one operation: no record, no faults.
    pub fn call(&mut self, service: Service, operation: &str, input: &Value) -> Result<Value, ApiError> {
        match service {
            Service::Ecs => ecs::call(self, operation, input),
            Service::Ecr => ecr::call(self, operation, input),
            Service::Acm => acm::call(self, operation, input),
            Service::Elb => elb::call(self, operation, input),
            Service::AutoScaling => autoscaling::call(self, operation, input),
            Service::Sts => sts::call(self, operation, input),
            Service::Iam => iam::call(self, operation, input),
            Service::CloudWatch => cloudwatch::call(self, operation, input),
            Service::Logs => logs::call(self, operation, input),
        }
    }

    /// Advances time: the load balancer first, then the scheduler that reads its health, then alarms.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.elb.tick(now, &self.pace);
        ecs::tick(self, now);
        cloudwatch::tick(self, now);
        autoscaling::tick(self, now);
        self.check(self.last_call());
    }

    /// Runs the checker after a call, or after a change of the data plane.
    pub fn check(&mut self, call: u64) {
        let mut checker = std::mem::take(&mut self.checker);
        checker.check(&self.elb, &|arn| autoscaling::capacity(self, arn), call);
        self.checker = checker;
    }

    /// Runs the checker after the end of every run (invariant 44).
    pub fn check_ended(&mut self) {
        let mut checker = std::mem::take(&mut self.checker);
        let call = self.last_call();
        checker.check_ended(&self.elb, &|arn| autoscaling::capacity(self, arn), call);
        self.checker = checker;
    }

    /// Time since the start of the testbed.
    pub(crate) fn age(&self) -> Duration {
        self.recorder.age()
    }

    /// Number of the last recorded call; 0 before the first.
    pub fn last_call(&self) -> u64 {
        self.recorder.last()
    }

    /// A new unique id: 32 hexadecimal digits.
    pub fn new_id(&mut self) -> String {
        self.serial += 1;
        let hash = Sha256::digest(format!("testbed {}", self.serial));
        hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// A new unique number, counting from 1.
    pub fn new_number(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A new UUID.
    pub fn new_uuid(&mut self) -> String {
        let id = self.new_id();
        format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..])
    }

    /// An ARN in this account and region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}
