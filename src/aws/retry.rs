//! Which calls the SDK may send again by itself.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};

/// Forbids to send a write again when nobody knows whether it had its effect: no answer, or a 5xx. The SDK's own
/// rules would send it up to three times. A throttled write had none and may be sent again.
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

    /// After the SDK's rule for lost answers, whose word this one takes back.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
