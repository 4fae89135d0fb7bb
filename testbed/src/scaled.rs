//! Automatic scaling for the sample stack.

use crate::testbed::Testbed;
use crate::wire::{ApiError, Service};
use serde_json::json;

/// Registers scalable targets for `web-blue` and `web-green` of the sample stack, with nothing suspended. The desired
/// counts move into the bounds at once.
///
/// # Errors If Application Auto Scaling refuses: the stack is missing, or `min` is above `max`.
pub fn autoscaled(bed: &Testbed, min: u32, max: u32) -> Result<(), ApiError> {
    for name in ["web-blue", "web-green"] {
        let input = json!({
            "ServiceNamespace": "ecs",
            "ResourceId": format!("service/shop/{name}"),
            "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": min,
            "MaxCapacity": max,
        });
        bed.call(Service::AutoScaling, "RegisterScalableTarget", input)?;
    }
    Ok(())
}
