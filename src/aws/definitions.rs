//! Task definitions as raw JSON in both directions: a field that this SDK does not know neither breaks nor
//! vanishes.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::config::http::HttpRequest;
use aws_sdk_ecs::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ecs::config::{Config, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use aws_sdk_ecs::types::TaskDefinitionField;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use super::clients::Aws;
use super::errors::{read_error, unexpected_response, write_error};
use super::retry::NoBlindRetry;
use crate::plan::aws_error::{AwsError, AwsErrorKind, AwsResult};
use crate::plan::definition::{Content, family_name};
use crate::plan::snapshot::Revision;

/// The IAM action of DescribeTaskDefinition.
const DESCRIBE: &str = "ecs:DescribeTaskDefinition";

/// The IAM action of RegisterTaskDefinition.
const REGISTER: &str = "ecs:RegisterTaskDefinition";

impl Aws {
    /// A revision: the newest active revision of a family, `family:revision`, or an ARN.
    pub(crate) async fn revision(&self, which: &str) -> AwsResult<Revision> {
        let raw = Raw::default();
        self.ecs
            .describe_task_definition()
            .task_definition(which)
            .include(TaskDefinitionField::Tags)
            .customize()
            .interceptor(raw.clone())
            .send()
            .await
            .map_err(read_error(DESCRIBE, which))
            .map_err(missing_revision)?;
        raw.revision()
            .inspect(|read| (self.definitions)(&read.content))
            .ok_or_else(|| missing_definition_error(DESCRIBE, which))
    }

    /// Registers a new revision: sends the JSON unchanged, with fields that the SDK does not know.
    pub(crate) async fn register(&self, content: &Content) -> AwsResult<Revision> {
        let body = Value::Object(content.object().clone()).to_string().into_bytes();
        let family = family_name(content);
        let raw = Raw::default();
        let answer = self
            .ecs
            .register_task_definition()
            .family(family)
            .customize()
            .config_override(Config::builder().retry_classifier(NoBlindRetry))
            .interceptor(raw.clone())
            .mutate_request(move |request| replace_body(request, &body))
            .send()
            .await
            .map_err(write_error(REGISTER, family));
        self.patience.with(REGISTER, family, answer)?;
        raw.revision()
            .ok_or_else(|| AwsError { effect_unknown: true, ..missing_definition_error(REGISTER, family) })
    }
}

/// Sends these bytes instead of the SDK's body; runs before the request is signed.
fn replace_body(request: &mut HttpRequest, body: &[u8]) {
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
}

/// ECS reports a missing revision with a code for any invalid request; only the message is specific.
fn missing_revision(trouble: AwsError) -> AwsError {
    let missing = trouble.code.as_deref() == Some("ClientException")
        && trouble.message.starts_with("Unable to describe task definition");
    if missing { AwsError { kind: AwsErrorKind::Missing, ..trouble } } else { trouble }
}

/// An answer that the SDK accepts but this crate can't use.
fn missing_definition_error(action: &'static str, which: &str) -> AwsError {
    unexpected_response(AwsErrorKind::Unreachable, action, which, "AWS's answer holds no task definition")
}

/// Keeps the bytes of the answer, which the SDK would reduce to known fields.
#[derive(Clone, Debug, Default)]
struct Raw(Arc<Mutex<Vec<u8>>>);

impl Raw {
    /// The answer as a revision; none if unreadable.
    fn revision(&self) -> Option<Revision> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let answer: Value = serde_json::from_slice(&bytes).ok()?;
        let tag = |tag: &Value| {
            let part = |name| tag.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            (part("key"), part("value"))
        };
        let tags = answer.get("tags").and_then(Value::as_array).into_iter().flatten().map(tag).collect();
        let definition = answer.get("taskDefinition")?;
        let arn = definition.get("taskDefinitionArn")?.as_str()?.to_owned();
        let active = definition.get("status").and_then(Value::as_str) == Some("ACTIVE");
        Some(Revision { arn, content: Content::from_described(answer).ok()?, tags, active })
    }
}

impl Intercept for Raw {
    fn name(&self) -> &'static str {
        "raw task definition"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let bytes = context.response().body().bytes().unwrap_or_default();
        bytes.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }
}
