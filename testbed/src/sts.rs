//! Security Token Service: who the caller is.

use crate::wire::ApiError;
use crate::world::World;
use serde_json::{Value, json};

/// Answers one call of STS, 2011-06-15.
///
/// # Errors
/// `InvalidAction` for an operation that the testbed does not have.
pub fn call(world: &mut World, operation: &str, _input: &Value) -> Result<Value, ApiError> {
    match operation {
        "GetCallerIdentity" => Ok(json!({
            "UserId": "AROAEXAMPLEEXAMPLEEXA:ci",
            "Account": world.account,
            "Arn": format!("arn:aws:sts::{}:assumed-role/deploy/ci", world.account),
        })),
        _ => {
            let text = format!("Could not find operation {operation} for version 2011-06-15");
            Err(ApiError::new("InvalidAction", text))
        }
    }
}
