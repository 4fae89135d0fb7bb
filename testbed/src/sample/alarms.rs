//! The alarms that guard the sample stack.

use crate::testbed::Testbed;
use crate::wire::{ApiError, Service};
use serde_json::json;

/// `app/NAME/ID` or `targetgroup/NAME/ID`, as in dimensions.
fn dimension(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    resource.strip_prefix("loadbalancer/").unwrap_or(resource)
}

/// Creates `web-5xx-blue` and `web-5xx-green`, which fire when a target of that color answers with a 5xx, and the
/// composite alarm `web-5xx`, which fires with either. Periods are short; without traffic, the state is OK.
pub(super) fn create(bed: &Testbed, balancer: &str, blue: &str, green: &str) -> Result<(), ApiError> {
    for (color, group) in [("blue", blue), ("green", green)] {
        let alarm = json!({
            "AlarmName": format!("web-5xx-{color}"),
            "AlarmDescription": format!("Users get errors from web-{color}"),
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "HTTPCode_Target_5XX_Count",
            "Dimensions": [
                { "Name": "LoadBalancer", "Value": dimension(balancer) },
                { "Name": "TargetGroup", "Value": dimension(group) },
            ],
            "Statistic": "Sum",
            "Period": 10,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        });
        bed.call(Service::CloudWatch, "PutMetricAlarm", alarm)?;
    }
    let rule = "ALARM(\"web-5xx-blue\") OR ALARM(\"web-5xx-green\")";
    let composite =
        json!({ "AlarmName": "web-5xx", "AlarmDescription": "Users get errors", "AlarmRule": rule });
    bed.call(Service::CloudWatch, "PutCompositeAlarm", composite)?;
    Ok(())
}
