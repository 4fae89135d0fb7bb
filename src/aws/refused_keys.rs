//! Sends refused credentials only once: after AWS's first refusal, no further call is sent with the same key. A region
//! that the account has not enabled refuses keys that are good elsewhere, so an unknown key counts for that region alone.

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

/// AWS's last refusal. Clones share the refusal, so a single value serves all clients.
#[derive(Clone, Debug, Default)]
pub(super) struct RefusedKeys(Arc<Mutex<Option<Refused>>>);

/// A refusal of credentials.
#[derive(Debug)]
struct Refused {
    /// The signature of the refused call.
    by: SignedBy,
    /// AWS's error code.
    code: String,
}

impl Refused {
    /// True if AWS refuses a call with this signature, too. Expired credentials are expired in every region.
    fn covers(&self, by: &SignedBy) -> bool {
        let everywhere = self.code.starts_with("ExpiredToken");
        self.by.key == by.key && (everywhere || self.by.region == by.region)
    }
}

/// The access key and region in the signature of an attempt. The request itself is gone after sending.
#[derive(Clone, Debug)]
struct SignedBy {
    /// The access key's id.
    key: String,
    /// The region: `us-east-1` for a service with one endpoint, such as IAM.
    region: String,
}

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
        let Some(by) = signed_by(context.request()) else { return Ok(()) };
        config.interceptor_state().store_put(by.clone());
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*refused {
            Some(last) if last.covers(&by) => Err(Box::new(KeyRefused { code: last.code.clone() })),
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
        if let (Some(by), Some(code)) = (config.load::<SignedBy>(), code) {
            let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *refused = Some(Refused { by: by.clone(), code });
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

/// The access key and region in the signature of a request; none without a signature. Source: Signature Version 4,
/// `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/…`.
fn signed_by(request: &HttpRequest) -> Option<SignedBy> {
    let signature = request.headers().get("authorization")?;
    let mut parts = signature.split_once("Credential=")?.1.split('/');
    let (key, region) = (parts.next()?, parts.nth(1)?);
    Some(SignedBy { key: key.to_owned(), region: region.to_owned() })
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
