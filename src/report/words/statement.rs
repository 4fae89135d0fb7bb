//! The IAM statement that grants a denied action: the one of `infra/policies/`, for what was denied.

use crate::plan::arn::Arn;
use crate::report::names::one_line;

/// Actions without resource-level permissions (AWS's Service Authorization Reference), and
/// `cloudwatch:DescribeAlarms`, which shows no composite alarm to somebody who may see only some alarms
/// (API_DescribeAlarms). Every `Describe` action of Elastic Load Balancing is one, too.
const STAR_ONLY: [&str; 7] = [
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "cloudwatch:DescribeAlarms",
    "ecr:GetAuthorizationToken",
    "ecs:DescribeTaskDefinition",
    "ecs:ListTaskDefinitions",
    "sts:GetCallerIdentity",
];

/// Actions on things whose ids AWS makes up: the next one has another id.
const OF_IDS: [&str; 6] = [
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:RegisterScalableTarget",
    "ecs:DescribeContainerInstances",
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeServiceRevisions",
    "ecs:DescribeTasks",
];

/// The IAM statement that allows an action, as narrow as AWS takes it and as wide as the next run needs it.
pub(super) fn statement(action: &str, resource: &str) -> String {
    let plain = Arn::looks_like(resource) && !resource.contains(['"', '\\']);
    let found = if plain { resource } else { "*" };
    let on = resource_of(action, found);
    let condition = condition(action, found)
        .map(|(operator, key, value)| {
            format!(r#", "Condition": {{ "{operator}": {{ "{key}": "{value}" }} }}"#)
        })
        .unwrap_or_default();
    let action = one_line(action).replace('"', "");
    format!(r#"  {{ "Effect": "Allow", "Action": "{action}", "Resource": "{on}"{condition} }}"#)
}

/// What the statement is about, from the ARN that was denied, or from `*` where none is known.
fn resource_of(action: &str, found: &str) -> String {
    let star = STAR_ONLY.contains(&action) || action.starts_with("elasticloadbalancing:Describe");
    if star || action == "ecs:ListTasks" {
        return "*".to_owned();
    }
    match found.rsplit_once('/') {
        Some((head, _)) if OF_IDS.contains(&action) && !found.contains(":service/") => format!("{head}/*"),
        _ => found.to_owned(),
    }
}

/// The condition under which the action is needed: operator, key and value.
/// Application Auto Scaling makes sure that the role may write and delete alarms, whichever: AWS alone may do that.
fn condition(action: &str, found: &str) -> Option<(&'static str, &'static str, String)> {
    let equals = |key, value: &str| Some(("StringEquals", key, value.to_owned()));
    match action {
        "iam:PassRole" => equals("iam:PassedToService", "ecs-tasks.amazonaws.com"),
        "iam:CreateServiceLinkedRole" => {
            equals("iam:AWSServiceName", "ecs.application-autoscaling.amazonaws.com")
        }
        "ecs:TagResource" => equals("ecs:CreateAction", "RegisterTaskDefinition"),
        "application-autoscaling:PutScalingPolicy" | "application-autoscaling:RegisterScalableTarget" => {
            equals("application-autoscaling:service-namespace", "ecs")
        }
        "cloudwatch:DeleteAlarms" | "cloudwatch:PutMetricAlarm" if found == "*" => {
            Some(("Bool", "aws:ViaAWSService", "true".to_owned()))
        }
        "ecs:ListTasks" => cluster(found).map(|cluster| ("ArnEquals", "ecs:cluster", cluster)),
        _ => None,
    }
}

/// The cluster's ARN, from its own or from one of its container instances, by which AWS names it for ListTasks.
fn cluster(found: &str) -> Option<String> {
    if found.contains(":cluster/") {
        return Some(found.to_owned());
    }
    let (head, instance) = found.split_once(":container-instance/")?;
    let (name, _) = instance.split_once('/')?;
    Some(format!("{head}:cluster/{name}"))
}

#[cfg(test)]
mod tests {
    use super::statement;

    /// The start of ARNs of a service.
    fn arn(service: &str) -> String {
        format!("arn:aws:{service}:eu-west-1:123456789012")
    }

    #[test]
    fn ids_that_aws_makes_up_are_left_open() {
        let ecs = arn("ecs");
        assert_eq!(
            statement("ecs:DescribeTasks", &format!("{ecs}:task/shop/0123456789abcdef")),
            format!(
                r#"  {{ "Effect": "Allow", "Action": "ecs:DescribeTasks", "Resource": "{ecs}:task/shop/*" }}"#
            )
        );
        let scaling = arn("application-autoscaling");
        let told = statement(
            "application-autoscaling:RegisterScalableTarget",
            &format!("{scaling}:scalable-target/1ec50a1b2c3d"),
        );
        assert!(told.contains(&format!(r#""Resource": "{scaling}:scalable-target/*""#)), "{told}");
        let condition = r#""StringEquals": { "application-autoscaling:service-namespace": "ecs" }"#;
        assert!(told.contains(condition), "{told}");
    }

    #[test]
    fn tags_are_allowed_only_as_a_revision_is_registered() {
        let family = format!("{}:task-definition/web-green:*", arn("ecs"));
        let told = statement("ecs:TagResource", &family);
        let condition = r#""StringEquals": { "ecs:CreateAction": "RegisterTaskDefinition" }"#;
        assert!(told.contains(&family) && told.contains(condition), "{told}");
    }

    #[test]
    fn tasks_are_listed_in_one_cluster_however_aws_names_it() {
        let cluster = format!("{}:cluster/shop", arn("ecs"));
        let expected = format!(
            r#"  {{ "Effect": "Allow", "Action": "ecs:ListTasks", "Resource": "*", "Condition": {{ "ArnEquals": {{ "ecs:cluster": "{cluster}" }} }} }}"#
        );
        assert_eq!(statement("ecs:ListTasks", &cluster), expected);
        assert_eq!(
            statement("ecs:ListTasks", &format!("{}:container-instance/shop/*", arn("ecs"))),
            expected
        );
        assert!(!statement("ecs:ListTasks", "web-green").contains("Condition"));
    }

    #[test]
    fn a_role_that_may_see_one_alarm_sees_no_composite_one() {
        let told = statement("cloudwatch:DescribeAlarms", &format!("{}:alarm:web-5xx", arn("cloudwatch")));
        assert!(told.contains(r#""Resource": "*""#), "{told}");
    }

    #[test]
    fn any_alarm_may_be_written_by_aws_alone() {
        let told = statement("cloudwatch:DeleteAlarms", "*");
        assert!(
            told.contains(r#""Resource": "*", "Condition": { "Bool": { "aws:ViaAWSService": "true" } }"#)
        );
        let ours = format!("{}:alarm:ecs-blue-green/shop/web-green/low", arn("cloudwatch"));
        let told = statement("cloudwatch:PutMetricAlarm", &ours);
        assert!(told.contains(&ours) && !told.contains("Condition"), "{told}");
    }

    #[test]
    fn what_is_no_arn_is_not_put_into_a_policy() {
        for odd in ["web-green", "arn:\"}", ""] {
            assert_eq!(
                statement("ecs:UpdateService", odd),
                r#"  { "Effect": "Allow", "Action": "ecs:UpdateService", "Resource": "*" }"#
            );
        }
    }
}
