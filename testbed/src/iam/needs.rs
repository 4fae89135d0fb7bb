//! The permissions that each call needs, from AWS's Service Authorization Reference.

use super::statement::texts;
use serde_json::Value;

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The IAM action.
    pub action: String,
    /// The resource's ARN; `*` if AWS has no resource-level permission.
    pub resource: String,
    /// The condition key in AWS's request, with its value.
    pub context: Option<(&'static str, String)>,
}

/// The region and the account of the calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Such as `eu-west-1`.
    pub region: String,
    /// The account's id.
    pub account: String,
}

impl Place {
    /// The ARN of a resource of a service.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }

    /// The ARN of a service of ECS by name or ARN, in a cluster by name or ARN.
    fn service(&self, cluster: &str, name: &str) -> String {
        if name.starts_with("arn:") {
            return name.to_owned();
        }
        let cluster = cluster.rsplit('/').next().unwrap_or(cluster);
        self.arn("ecs", &format!("service/{cluster}/{name}"))
    }
}

/// The resource of an operation.
#[derive(Clone, Copy)]
enum On {
    /// No policy of the caller is needed: GetCallerIdentity is always allowed, and a role's trust policy decides if a
    /// job's token may assume the role.
    Nothing,
    /// AWS has no resource-level permission, or shows less with a narrower permission (DescribeAlarms,
    /// API_DescribeAlarms).
    Star,
    /// The services in this parameter.
    Services(&'static str),
    /// The ARNs in this parameter.
    Arns(&'static str),
    /// The ARNs in this parameter, of parts of a service, and perhaps the service itself: the Service Authorization
    /// Reference names the parts, and the API reference is silent.
    Parts(&'static str),
    /// Any task of the cluster, which is sent as a condition key.
    Cluster,
    /// The family of a new task definition.
    Family,
    /// An ECR repository.
    Repository,
    /// A log stream.
    LogStream,
    /// A scalable target.
    Target,
    /// The alarm with this name.
    Alarm,
}

/// The operations of the product; all others but those of `PUSH` need their action on `*`.
const OPERATIONS: [(&str, On); 30] = [
    ("application-autoscaling:DescribeScalableTargets", On::Star),
    ("application-autoscaling:DescribeScalingPolicies", On::Star),
    ("application-autoscaling:PutScalingPolicy", On::Target),
    ("application-autoscaling:RegisterScalableTarget", On::Target),
    ("cloudwatch:DescribeAlarms", On::Star),
    ("cloudwatch:GetMetricData", On::Star),
    ("cloudwatch:PutMetricAlarm", On::Alarm),
    ("ecr:DescribeImages", On::Repository),
    ("ecs:DescribeContainerInstances", On::Arns("containerInstances")),
    ("ecs:DescribeServiceDeployments", On::Parts("serviceDeploymentArns")),
    ("ecs:DescribeServiceRevisions", On::Parts("serviceRevisionArns")),
    ("ecs:DescribeServices", On::Services("services")),
    ("ecs:DescribeTaskDefinition", On::Star),
    ("ecs:DescribeTasks", On::Arns("tasks")),
    ("ecs:ListServiceDeployments", On::Services("service")),
    ("ecs:ListTasks", On::Cluster),
    ("ecs:RegisterTaskDefinition", On::Family),
    ("ecs:UpdateService", On::Services("service")),
    ("elasticloadbalancing:DescribeListeners", On::Star),
    ("elasticloadbalancing:DescribeLoadBalancers", On::Star),
    ("elasticloadbalancing:DescribeRules", On::Star),
    ("elasticloadbalancing:DescribeTargetGroupAttributes", On::Star),
    ("elasticloadbalancing:DescribeTargetGroups", On::Star),
    ("elasticloadbalancing:DescribeTargetHealth", On::Star),
    ("elasticloadbalancing:ModifyListener", On::Arns("ListenerArn")),
    ("elasticloadbalancing:ModifyRule", On::Arns("RuleArn")),
    ("iam:SimulatePrincipalPolicy", On::Arns("PolicySourceArn")),
    ("logs:GetLogEvents", On::LogStream),
    ("sts:AssumeRoleWithWebIdentity", On::Nothing),
    ("sts:GetCallerIdentity", On::Nothing),
];

/// What the workflows around the product need: a push of an image, and its removal.
const PUSH: [(&str, On); 2] = [("ecr:BatchDeleteImage", On::Repository), ("ecr:PutImage", On::Repository)];

/// The IAM actions of the product's operations.
pub fn known() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|(action, _)| *action)
}

/// The permissions that a call of the operation with this IAM action needs.
pub fn needs(action: &str, input: &Value, place: &Place) -> Vec<Need> {
    let on =
        OPERATIONS.iter().chain(&PUSH).find(|(known, _)| *known == action).map_or(On::Star, |(_, on)| *on);
    let need = |resource: String| Need { action: action.to_owned(), resource, context: None };
    let text = |key: &str| input[key].as_str().unwrap_or_default();
    let cluster = input["cluster"].as_str().unwrap_or("default");
    match on {
        On::Nothing => Vec::new(),
        On::Star => vec![need("*".to_owned())],
        On::Services(key) => {
            texts(&input[key]).iter().map(|name| need(place.service(cluster, name))).collect()
        }
        On::Arns(key) => texts(&input[key]).into_iter().map(need).collect(),
        On::Parts(key) => {
            let with_service = |part: String| service_of(&part).into_iter().chain([part]);
            texts(&input[key]).into_iter().flat_map(with_service).map(need).collect()
        }
        On::Cluster => {
            let cluster = cluster.rsplit('/').next().unwrap_or(cluster);
            let arn = place.arn("ecs", &format!("cluster/{cluster}"));
            vec![Need { context: Some(("ecs:cluster", arn)), ..need("*".to_owned()) }]
        }
        On::Family => registering(input, place),
        On::Repository => {
            let registry = input["registryId"].as_str().unwrap_or(&place.account);
            let (region, repository) = (&place.region, text("repositoryName"));
            vec![need(format!("arn:aws:ecr:{region}:{registry}:repository/{repository}"))]
        }
        On::LogStream => {
            let (group, stream) = (text("logGroupName"), text("logStreamName"));
            vec![need(place.arn("logs", &format!("log-group:{group}:log-stream:{stream}")))]
        }
        On::Target => scaling(action, input, place),
        On::Alarm => vec![need(place.arn("cloudwatch", &format!("alarm:{}", text("AlarmName"))))],
    }
}

/// An action on a resource, with a condition key.
fn need(action: &str, resource: &str, context: Option<(&'static str, &str)>) -> Need {
    let context = context.map(|(key, value)| (key, value.to_owned()));
    Need { action: action.to_owned(), resource: resource.to_owned(), context }
}

/// A registration needs further permissions: tags at register, and the tasks' roles.
fn registering(input: &Value, place: &Place) -> Vec<Need> {
    let family = input["family"].as_str().unwrap_or_default();
    let family = place.arn("ecs", &format!("task-definition/{family}:*"));
    let mut all = vec![need("ecs:RegisterTaskDefinition", &family, None)];
    if input["tags"].as_array().is_some_and(|tags| !tags.is_empty()) {
        all.push(need("ecs:TagResource", &family, Some(("ecs:CreateAction", "RegisterTaskDefinition"))));
    }
    let to_tasks = Some(("iam:PassedToService", "ecs-tasks.amazonaws.com"));
    let roles = ["executionRoleArn", "taskRoleArn"].into_iter().filter_map(|role| input[role].as_str());
    all.extend(roles.map(|role| need("iam:PassRole", role, to_tasks)));
    all
}

/// A write of Application Auto Scaling: AWS generates the id of a scalable target, so the namespace is the condition.
/// Before the write, AWS checks that the caller could change the service, and write, see and delete alarms
/// ("Permissions validation for Application Auto Scaling API calls on target resources" in its user guide); these calls
/// come from AWS, on behalf of the caller.
fn scaling(action: &str, input: &Value, place: &Place) -> Vec<Need> {
    let target = place.arn("application-autoscaling", "scalable-target/1ec50a1b2c3d");
    let scaled = place.arn("ecs", input["ResourceId"].as_str().unwrap_or_default());
    let namespace = input["ServiceNamespace"].as_str().unwrap_or_default();
    let via = Some(("aws:ViaAWSService", "true"));
    vec![
        need(action, &target, Some(("application-autoscaling:service-namespace", namespace))),
        need("ecs:DescribeServices", &scaled, None),
        need("ecs:UpdateService", &scaled, None),
        need("cloudwatch:DescribeAlarms", "*", None),
        need("cloudwatch:PutMetricAlarm", "*", via),
        need("cloudwatch:DeleteAlarms", "*", via),
    ]
}

/// The service-linked role for AWS's scaling of ECS.
pub const LINKED: &str = "arn:aws:iam::123456789012:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService";

/// The further need of an account's first scalable target of ECS: AWS creates the role on behalf of the caller.
pub fn first_use() -> Need {
    let service = Some(("iam:AWSServiceName", "ecs.application-autoscaling.amazonaws.com"));
    need("iam:CreateServiceLinkedRole", LINKED, service)
}

/// The ARN of the service of a service deployment or a service revision.
fn service_of(part: &str) -> Option<String> {
    let pieces: Vec<&str> = part.split('/').collect();
    let [kind, cluster, name, _] = pieces.as_slice() else { return None };
    let (place, _) = kind.rsplit_once(':')?;
    Some(format!("{place}:service/{cluster}/{name}"))
}
