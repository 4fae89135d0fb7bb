//! Sends refused credentials only once: after AWS's first refusal, no further call is sent with the same key to that
//! region. A region that the account has not enabled refuses keys that are good elsewhere.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::config_bag::{Storable, StoreReplace};

/// The access key and region of AWS's last refusal, with AWS's error code. Clones share these, so a single value serves
/// all clients.
#[derive(Clone, Debug, Default)]
pub(super) struct RefusedKeys(Arc<Mutex<Option<(String, String)>>>);

/// The access key and region in the signature of an attempt. The request itself is gone after sending.
#[derive(Debug)]
struct SignedBy(String);

impl Storable for SignedBy {
    type Storer = StoreReplace<Self>;
}

/// Reason for an unsent call: AWS refused the same credentials before.
#[derive(Debug)]
pub(super) struct KeyRefused {
    /// AWS's error code for the earlier, sent call.
    pub(super) code: String,
}

impl fmt::Display for KeyRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not sent: AWS refused the same credentials before ({})", self.code)
    }
}

impl Error for KeyRefused {}

impl Intercept for RefusedKeys {
    fn name(&self) -> &'static str {
        "refused keys"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(key) = signed_by(context.request()) else { return Ok(()) };
        config.interceptor_state().store_put(SignedBy(key.clone()));
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*refused {
            Some((last, code)) if *last == key => Err(Box::new(KeyRefused { code: code.clone() })),
            Some(_) | None => Ok(()),
        }
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response().filter(|answer| answer.status().is_client_error());
        let code = answer.and_then(error_code).filter(|code| refuses_key(code));
        if let (Some(SignedBy(key)), Some(code)) = (config.load::<SignedBy>(), code) {
            let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *refused = Some((key.clone(), code));
        }
        Ok(())
    }
}

/// True if this error code refuses every call with the same credentials to the same region. A wrong signature or an outdated request
/// concerns only one call. Source: IAM, "Common error types".
fn refuses_key(code: &str) -> bool {
    let codes =
        ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"];
    codes.contains(&code)
}

/// The access key and region in the signature of a request, `KEY REGION`; none without a signature. Source: Signature
/// Version 4, `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/…`.
fn signed_by(request: &HttpRequest) -> Option<String> {
    let signature = request.headers().get("authorization")?;
    let mut parts = signature.split_once("Credential=")?.1.split('/');
    let (key, region) = (parts.next()?, parts.nth(1)?);
    Some(format!("{key} {region}"))
}

/// The error code of an answer: in a header (CloudWatch), in JSON, or in XML.
fn error_code(answer: &HttpResponse) -> Option<String> {
    if let Some(header) = answer.headers().get("x-amzn-query-error") {
        return header.split(';').next().map(str::to_owned);
    }
    let body = std::str::from_utf8(answer.body().bytes()?).ok()?;
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(body) {
        return json.get("__type")?.as_str()?.rsplit('#').next().map(str::to_owned);
    }
    body.split_once("<Code>")?.1.split('<').next().map(str::to_owned)
}
