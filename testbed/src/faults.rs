//! Deliberate faults: throttles, delays, held calls, errors, denials, lost connections, other writers, a killed client.

use crate::hold::Hold;
use crate::network::Network;
use crate::wire::{ApiError, Request, Service};
use crate::world::World;
use std::ops::RangeInclusive;
use std::time::Duration;
use tokio::task::AbortHandle;

/// Another party's change to the world at the moment of a call.
type Act = Box<dyn FnMut(&mut World) + Send>;

/// The effect of a fault on a call.
pub enum Effect {
    /// AWS's throttling error; the call has no effect.
    Throttle,
    /// The call is carried out after this time.
    Delay(Duration),
    /// Each call takes the time that this network gives it, and some are lost.
    Network(Network),
    /// The call waits until the test releases it, and is then carried out, even if the caller has left.
    Hold(Hold),
    /// The call is carried out; its answer waits until the test releases it.
    HoldAnswer(Hold),
    /// An internal error with this HTTP status; the call has no effect.
    ServerError(u16),
    /// The caller may not use the action; the call has no effect.
    Deny,
    /// The caller's session has expired; the call has no effect.
    Expire,
    /// Another error of AWS; the call has no effect.
    Error(ApiError),
    /// The call is carried out, but answered with an internal error of this HTTP status.
    ServerErrorAfter(u16),
    /// The call is carried out, and its answer is delayed by this time.
    Stall(Duration),
    /// The connection closes before the call has an effect.
    DropBefore,
    /// The call is carried out, then the connection closes without an answer.
    DropAfter,
    /// The victim is killed before the call has an effect.
    KillBefore,
    /// The call is carried out, then the victim is killed; no answer.
    KillAfter,
    /// Another party acts right before the call.
    Before(Act),
    /// Another party acts right after the call, before the answer.
    Then(Act),
}

/// A fault: its calls and its effect. All matching calls are affected, unless `nth` selects some.
pub struct Fault {
    /// Only calls of this service.
    pub service: Option<Service>,
    /// Only calls of this operation.
    pub operation: Option<String>,
    /// The selected calls among all matching calls since the fault was set, counting from 1.
    pub nth: Option<RangeInclusive<u32>>,
    /// Only calls whose body contains this text.
    pub resource: Option<String>,
    /// Only calls signed with this access key id.
    pub access_key: Option<String>,
    /// Only calls that change something.
    pub writes: bool,
    /// The effect.
    pub effect: Effect,
    /// Matching calls so far.
    seen: u32,
}

impl Fault {
    /// Affects every call of this operation.
    pub fn on(operation: &str, effect: Effect) -> Self {
        Self { operation: Some(operation.to_owned()), ..Self::always(effect) }
    }

    /// Affects every call.
    pub fn always(effect: Effect) -> Self {
        Self {
            service: None,
            operation: None,
            nth: None,
            resource: None,
            access_key: None,
            writes: false,
            effect,
            seen: 0,
        }
    }

    /// Affects the `n`th call of any kind from now on, counting from 1.
    pub fn nth_call(n: u32, effect: Effect) -> Self {
        Self::always(effect).nth(n..=n)
    }

    /// Affects the `n`th call that changes something, counting from 1.
    pub fn nth_write(n: u32, effect: Effect) -> Self {
        Self { writes: true, ..Self::nth_call(n, effect) }
    }

    /// Affects only these of the matching calls, counting from 1.
    pub fn nth(self, nth: RangeInclusive<u32>) -> Self {
        Self { nth: Some(nth), ..self }
    }

    /// Affects only the first `count` matching calls.
    pub fn times(self, count: u32) -> Self {
        self.nth(1..=count)
    }

    /// Affects only calls whose body contains this text.
    pub fn resource(self, text: &str) -> Self {
        Self { resource: Some(text.to_owned()), ..self }
    }

    /// Affects only calls of this service.
    pub fn service(self, service: Service) -> Self {
        Self { service: Some(service), ..self }
    }

    /// Affects only calls signed with this access key id.
    pub fn access_key(self, id: &str) -> Self {
        Self { access_key: Some(id.to_owned()), ..self }
    }

    /// True if the fault affects this call; counts a matching call.
    fn strikes(&mut self, request: &Request) -> bool {
        let matches = self.service.is_none_or(|service| service == request.service)
            && self.operation.as_ref().is_none_or(|operation| *operation == request.operation)
            && (!self.writes || request.is_write())
            && self.access_key.as_deref().is_none_or(|key| signer(request) == Some(key))
            && self.resource.as_ref().is_none_or(|text| contains(request, text));
        if !matches {
            return false;
        }
        self.seen += 1;
        self.nth.as_ref().is_none_or(|nth| nth.contains(&self.seen))
    }
}

/// The access key id that signed a request.
fn signer(request: &Request) -> Option<&str> {
    request.credential.as_ref().map(|credential| credential.access_key.as_str())
}

/// True if a request's body, or a parameter, contains a text.
fn contains(request: &Request, text: &str) -> bool {
    String::from_utf8_lossy(&request.body).contains(text) || request.input.to_string().contains(text)
}

/// Who is killed by KillBefore and KillAfter.
#[derive(Debug, Clone)]
pub(crate) enum Victim {
    /// A process of the machine, by its id.
    Process(u32),
    /// A task of this process: dropped where it waits.
    Task(AbortHandle),
}

impl Victim {
    /// Kills it.
    pub(crate) fn kill(&self) {
        match self {
            Self::Process(pid) => {
                let pid = i32::try_from(*pid).ok().and_then(rustix::process::Pid::from_raw);
                if let Some(pid) = pid {
                    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                }
            }
            Self::Task(task) => task.abort(),
        }
    }
}

/// All faults, in order, and the process to kill.
#[derive(Default)]
pub(crate) struct Faults {
    /// The faults.
    list: Vec<Fault>,
    /// The process that KillBefore and KillAfter kill.
    pub(crate) victim: Option<Victim>,
}

/// The effects of all faults on one call.
#[derive(Default)]
pub(crate) struct Strike {
    /// Time to wait before the call.
    pub(crate) delay: Duration,
    /// The gates to wait at before the call.
    pub(crate) holds: Vec<Hold>,
    /// The gates to wait at before the answer.
    pub(crate) answer_holds: Vec<Hold>,
    /// The error to return instead of carrying out the call.
    pub(crate) error: Option<ApiError>,
    /// The error to return after carrying out the call.
    pub(crate) error_after: Option<ApiError>,
    /// Time to wait before the answer.
    pub(crate) stall: Duration,
    /// Cut the connection: before (`Some(false)`) or after (`Some(true)`) the effect.
    pub(crate) cut_after: Option<bool>,
    /// Kill the victim at the cut.
    pub(crate) kill: Option<Victim>,
    /// Indices of faults that act before the call.
    before: Vec<usize>,
    /// Indices of faults that act after the call.
    after: Vec<usize>,
}

impl Faults {
    /// Adds a fault.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.list.push(fault);
    }

    /// Removes all faults; the victim stays.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    /// The effects on this call.
    pub(crate) fn strike(&mut self, request: &Request, account: &str) -> Strike {
        let mut strike = Strike::default();
        let victim = self.victim.clone();
        for (index, fault) in self.list.iter_mut().enumerate() {
            if !fault.strikes(request) {
                continue;
            }
            let cut = |strike: &mut Strike, after, kill: Option<Victim>| {
                strike.cut_after = Some(after);
                strike.kill = kill;
            };
            match &mut fault.effect {
                Effect::Network(network) => {
                    let passage = network.pass();
                    strike.delay += passage.before;
                    strike.stall += passage.after;
                    strike.cut_after = strike.cut_after.or(passage.lost);
                }
                Effect::Throttle => strike.error = Some(throttled(request.service)),
                Effect::Delay(time) => strike.delay += *time,
                Effect::Hold(hold) => strike.holds.push(hold.clone()),
                Effect::HoldAnswer(hold) => strike.answer_holds.push(hold.clone()),
                Effect::ServerError(status) => strike.error = Some(server_error(request.service, *status)),
                Effect::ServerErrorAfter(status) => {
                    strike.error_after = Some(server_error(request.service, *status));
                }
                Effect::Stall(time) => strike.stall += *time,
                Effect::Deny => strike.error = Some(denied(request, account)),
                Effect::Expire => strike.error = Some(expired(request.service)),
                Effect::Error(error) => strike.error = Some(error.clone()),
                Effect::DropBefore => cut(&mut strike, false, None),
                Effect::DropAfter => cut(&mut strike, true, None),
                Effect::KillBefore => cut(&mut strike, false, victim.clone()),
                Effect::KillAfter => cut(&mut strike, true, victim.clone()),
                Effect::Before(_) => strike.before.push(index),
                Effect::Then(_) => strike.after.push(index),
            }
        }
        strike
    }
}

impl World {
    /// Runs the actions of other parties right before this call.
    pub(crate) fn act_before(&mut self, strike: &Strike) {
        self.act(&strike.before);
    }

    /// Runs the actions of other parties right after this call.
    pub(crate) fn act_after(&mut self, strike: &Strike) {
        self.act(&strike.after);
    }

    /// Runs the closures of these faults; a closure may change everything except the list of faults.
    fn act(&mut self, indices: &[usize]) {
        let mut list = std::mem::take(&mut self.faults.list);
        for index in indices {
            let effect = list.get_mut(*index).map(|fault| &mut fault.effect);
            if let Some(Effect::Before(act) | Effect::Then(act)) = effect {
                act(self);
            }
        }
        list.append(&mut self.faults.list);
        self.faults.list = list;
    }
}

/// AWS's throttling error in the service's protocol.
pub(crate) fn throttled(service: Service) -> ApiError {
    let code = if service.is_query() { "Throttling" } else { "ThrottlingException" };
    ApiError::new(code, "Rate exceeded")
}

/// AWS's internal error in the service's protocol.
fn server_error(service: Service, status: u16) -> ApiError {
    let code = match (service.is_query(), status) {
        (true, 503) => "ServiceUnavailable",
        (true, _) => "InternalFailure",
        (false, 503) => "ServiceUnavailableException",
        (false, _) => "ServerException",
    };
    ApiError::with_status(code, "The request processing has failed because of an unknown error.", status)
}

/// The error for an expired session.
pub(crate) fn expired(service: Service) -> ApiError {
    let text = "The security token included in the request is expired";
    if service.is_query() {
        ApiError::with_status("ExpiredToken", text, 403)
    } else {
        ApiError::new("ExpiredTokenException", text)
    }
}

/// AWS's words for an action without an allowing policy.
fn denied(request: &Request, account: &str) -> ApiError {
    let action = format!("{}:{}", request.service.prefix(), request.operation);
    denial(request.service, account, &action, resource_of(request, account).as_deref())
}

/// AWS's error for an action on a resource without an allowing policy, in the service's protocol.
pub(crate) fn denial(service: Service, account: &str, action: &str, resource: Option<&str>) -> ApiError {
    let on = resource.map(|arn| format!(" on resource: {arn}")).unwrap_or_default();
    let text = format!(
        "User: arn:aws:sts::{account}:assumed-role/deploy/ci is not authorized to perform: {action}{on} because no \
         identity-based policy allows the {action} action"
    );
    if service.is_query() {
        ApiError::with_status("AccessDenied", text, 403)
    } else {
        ApiError::new("AccessDeniedException", text)
    }
}

/// The resource in the message: the first ARN among the parameters, else the cluster and service by name; `*` for
/// actions without a resource.
fn resource_of(request: &Request, account: &str) -> Option<String> {
    let region = request.credential.as_ref().map_or("eu-west-1", |credential| credential.region.as_str());
    let text = |key: &str| request.input.get(key).and_then(serde_json::Value::as_str);
    let prefix = format!("arn:aws:ecs:{region}:{account}");
    let cluster = text("cluster").unwrap_or("default");
    let service = text("service").or_else(|| request.input.get("services")?.get(0)?.as_str());
    if request.service == Service::CloudWatch {
        let name = text("AlarmName").or_else(|| request.input.get("AlarmNames")?.get(0)?.as_str());
        let arn = |name| format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}");
        return Some(name.map_or_else(|| "*".to_owned(), arn));
    }
    if let (Service::Logs, Some(group), Some(stream)) =
        (request.service, text("logGroupName"), text("logStreamName"))
    {
        return Some(format!("arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:{stream}"));
    }
    // A call about a service, or about a family of task definitions, has that resource, even with other names in its
    // input.
    let named = service.or(text("family"));
    let named = named.filter(|name| request.service == Service::Ecs && !name.starts_with("arn:"));
    if let (None, Some(arn)) = (named, first_arn(&request.input)) {
        return Some(arn);
    }
    if let (Service::Ecr, Some(repository)) = (request.service, text("repositoryName")) {
        let registry = text("registryId").unwrap_or(account);
        return Some(format!("arn:aws:ecr:{region}:{registry}:repository/{repository}"));
    }
    match (request.service, service, text("family")) {
        (Service::Ecs, Some(service), _) => Some(format!("{prefix}:service/{cluster}/{service}")),
        (Service::Ecs, None, Some(family)) => Some(format!("{prefix}:task-definition/{family}:*")),
        (Service::Ecs, None, None) if text("cluster").is_some() => {
            Some(format!("{prefix}:cluster/{cluster}"))
        }
        (Service::AutoScaling, ..) if !request.operation.starts_with("Describe") => {
            Some(format!("arn:aws:application-autoscaling:{region}:{account}:scalable-target/*"))
        }
        (
            Service::Ecs
            | Service::Ecr
            | Service::Acm
            | Service::Elb
            | Service::AutoScaling
            | Service::Sts
            | Service::Iam
            | Service::CloudWatch
            | Service::Logs,
            ..,
        ) => Some("*".to_owned()),
    }
}

/// The first ARN anywhere among the parameters.
fn first_arn(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) if text.starts_with("arn:") => Some(text.clone()),
        serde_json::Value::Array(items) => items.iter().find_map(first_arn),
        serde_json::Value::Object(map) => map.values().find_map(first_arn),
        serde_json::Value::String(_)
        | serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_) => None,
    }
}
