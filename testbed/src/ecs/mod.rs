//! Elastic Container Service.

use crate::wire::ApiError;
use crate::world::World;
use serde_json::Value;
use std::time::Instant;

/// State of ECS.
#[derive(Debug, Default)]
pub struct Ecs {}

impl Ecs {
    /// A service's desired count; `None` when it does not exist.
    pub fn desired_count(&self, _arn: &str) -> Option<u32> {
        None
    }
}

/// Answers one call.
pub fn call(_world: &mut World, _operation: &str, _input: &Value) -> Result<Value, ApiError> {
    Err(ApiError::new("UnknownOperationException", ""))
}

/// Lets time act.
pub(crate) fn tick(_world: &mut World, _now: Instant) {}
