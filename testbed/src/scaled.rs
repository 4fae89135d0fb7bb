//! Automatic scaling for the sample stack.

use crate::testbed::Testbed;
use crate::wire::{ApiError, Service};
use serde_json::{Value, json};

/// Registers scalable targets for blue and green of the sample stack, with nothing suspended. The desired counts move into
/// the bounds at once.
///
/// # Errors If Application Auto Scaling refuses: the stack is missing, or `min` is above `max`.
pub fn autoscaled(bed: &Testbed, min: u32, max: u32) -> Result<(), ApiError> {
    let services = bed.call(Service::Ecs, "ListServices", json!({ "cluster": "shop" }))?;
    let arns = services["serviceArns"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let names = arns.filter_map(|arn| arn.rsplit('/').next());
    for name in names.filter(|name| name.ends_with("-blue") || name.ends_with("-green")) {
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
