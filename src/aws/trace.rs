//! The debug log of each attempt of a call: name, status of the answer, and duration. Never the content of a request or
//! an answer.

use std::time::Duration;

use aws_sdk_ecs::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

use crate::clock;
use crate::plan::time::Time;

/// One attempt of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The service by the SDK's name: `ECS`, `Elastic Load Balancing v2`.
    pub(crate) service: String,
    /// The operation: `DescribeServices`.
    pub(crate) operation: String,
    /// The HTTP status; none without an answer.
    pub(crate) status: Option<u16>,
    /// AWS's id of the request, for AWS Support.
    pub(crate) request: Option<String>,
    /// Duration of the attempt.
    pub(crate) took: Duration,
}

/// Receives each attempt.
pub(crate) type Trace = fn(&Attempt);

/// Passes on each attempt of a client.
#[derive(Debug)]
pub(super) struct Tracing(pub(super) Trace);

/// Start of an attempt.
#[derive(Debug)]
struct Began(Time);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Tracing {
    fn name(&self) -> &'static str {
        "trace"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(Began(clock::now()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(call), Some(began)) = (config.load::<Metadata>(), config.load::<Began>()) else {
            return Ok(());
        };
        let answer = context.response();
        let request = answer.and_then(|answer| answer.headers().get("x-amzn-requestid"));
        (self.0)(&Attempt {
            service: call.service().to_owned(),
            operation: call.name().to_owned(),
            status: answer.map(|answer| answer.status().as_u16()),
            request: request.map(str::to_owned),
            took: clock::now().since(began.0),
        });
        Ok(())
    }
}
