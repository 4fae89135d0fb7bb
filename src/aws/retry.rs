//! The calls that the SDK may retry by itself.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};

/// Forbids the retry of a write with an unknown effect: no answer, or a 5xx. The SDK's own rules would send the write
/// up to three times. A throttled write had no effect and may be retried.
#[derive(Debug)]
pub(super) struct NoBlindRetry;

impl ClassifyRetry for NoBlindRetry {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let unknown = context.response().is_none_or(|answer| answer.status().as_u16() >= 500);
        match context.output_or_error() {
            Some(Err(_)) if unknown => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "no blind retry of a write"
    }

    /// Runs after the SDK's rule for lost answers, to override that rule.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
