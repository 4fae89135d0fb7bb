//! What each call of AWS needs of the caller's policies, from AWS's Service Authorization Reference.

use serde_json::Value;
use testbed::Call;

use super::iam::{Need, texts};

/// What an operation is about.
#[derive(Clone, Copy)]
enum On {
    /// No policy of the caller's grants it: GetCallerIdentity is always allowed, and whether a role may be assumed by a
    /// job's token is said by the role.
    Nothing,
    /// AWS has no resource-level permission, or shows less with a narrower one (DescribeAlarms, API_DescribeAlarms).
    Star,
    /// The services that this parameter names, in the sample's cluster.
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
    /// A scalable target.
    Target,
    /// The alarm with this name.
    Alarm,
}

/// Every operation that the product calls.
const OPERATIONS: [(&str, On); 26] = [
    ("application-autoscaling:DescribeScalableTargets", On::Star),
    ("application-autoscaling:DescribeScalingPolicies", On::Star),
    ("application-autoscaling:PutScalingPolicy", On::Target),
    ("application-autoscaling:RegisterScalableTarget", On::Target),
    ("cloudwatch:DescribeAlarms", On::Star),
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
    ("sts:GetCallerIdentity", On::Nothing),
];

/// Operations that no run here calls, with the reason, and that need nothing.
const ELSEWHERE: [(&str, &str); 1] =
    [("sts:AssumeRoleWithWebIdentity", "unsigned: the role's trust policy decides (docs/trust-policy.md)")];

/// The IAM action of a call.
pub fn action(call: &Call) -> String {
    format!("{}:{}", call.service.prefix(), call.operation)
}

/// The actions of all operations whose needs are known.
pub fn known() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|(action, _)| *action).chain(elsewhere())
}

/// The actions of those that no run here calls.
pub fn elsewhere() -> impl Iterator<Item = &'static str> {
    ELSEWHERE.iter().map(|(action, _)| *action)
}

/// An ARN in the sample's region and account.
pub fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:eu-west-1:123456789012:{resource}")
}

/// What a call needs.
pub fn needs(call: &Call) -> Vec<Need> {
    let action = action(call);
    if elsewhere().any(|known| known == action) {
        return Vec::new();
    }
    let (_, on) = OPERATIONS
        .iter()
        .find(|(known, _)| *known == action)
        .unwrap_or_else(|| panic!("nobody has said what {action} needs"));
    let need = |resource: String| Need { action: action.clone(), resource, context: None };
    let input = &call.input;
    let text = |key: &str| input[key].as_str().expect("a text").to_owned();
    match on {
        On::Nothing => Vec::new(),
        On::Star => vec![need("*".to_owned())],
        On::Services(key) => texts(&input[*key]).iter().map(|name| need(service(name))).collect(),
        On::Arns(key) => texts(&input[*key]).into_iter().map(need).collect(),
        On::Parts(key) => {
            texts(&input[*key]).into_iter().flat_map(|part| [need(service_of(&part)), need(part)]).collect()
        }
        On::Cluster => {
            let cluster = arn("ecs", &format!("cluster/{}", text("cluster")));
            vec![Need { context: Some(("ecs:cluster", cluster)), ..need("*".to_owned()) }]
        }
        On::Family => registering(input),
        On::Repository => {
            let (registry, repository) = (text("registryId"), text("repositoryName"));
            vec![need(format!("arn:aws:ecr:eu-west-1:{registry}:repository/{repository}"))]
        }
        On::Target => scaling(input, &action),
        On::Alarm => vec![need(arn("cloudwatch", &format!("alarm:{}", text("AlarmName"))))],
    }
}

/// The ARN of a service of the sample.
fn service(name: &str) -> String {
    arn("ecs", &format!("service/shop/{name}"))
}

/// A registration needs more than itself: tags at register, and the roles that the tasks get.
fn registering(input: &Value) -> Vec<Need> {
    let family = arn("ecs", &format!("task-definition/{}:*", input["family"].as_str().expect("a family")));
    let need = |action: &str, resource: &str, context: Option<(&'static str, &str)>| Need {
        action: action.to_owned(),
        resource: resource.to_owned(),
        context: context.map(|(key, value)| (key, value.to_owned())),
    };
    let mut all = vec![need("ecs:RegisterTaskDefinition", &family, None)];
    if input["tags"].as_array().is_some_and(|tags| !tags.is_empty()) {
        all.push(need("ecs:TagResource", &family, Some(("ecs:CreateAction", "RegisterTaskDefinition"))));
    }
    let to_tasks = Some(("iam:PassedToService", "ecs-tasks.amazonaws.com"));
    let roles = ["executionRoleArn", "taskRoleArn"].into_iter().filter_map(|role| input[role].as_str());
    all.extend(roles.map(|role| need("iam:PassRole", role, to_tasks)));
    all
}

/// A write of Application Auto Scaling: AWS makes up the id of a scalable target, so the namespace is the condition.
/// Before it does it, it makes sure that the caller could change the service, and write, see and delete alarms
/// ("Permissions validation for Application Auto Scaling API calls on target resources" in its user guide); these
/// calls come from AWS, on behalf of the caller.
fn scaling(input: &Value, action: &str) -> Vec<Need> {
    let namespace = input["ServiceNamespace"].as_str().expect("a namespace").to_owned();
    let target = arn("application-autoscaling", "scalable-target/1ec50a1b2c3d");
    let scaled = arn("ecs", input["ResourceId"].as_str().expect("a service"));
    let context = Some(("application-autoscaling:service-namespace", namespace));
    let mut all = vec![Need { action: action.to_owned(), resource: target, context }];
    let checked = |action: &str, resource: &str, context: Option<(&'static str, String)>| Need {
        action: action.to_owned(),
        resource: resource.to_owned(),
        context,
    };
    let via = Some(("aws:ViaAWSService", "true".to_owned()));
    all.push(checked("ecs:DescribeServices", &scaled, None));
    all.push(checked("ecs:UpdateService", &scaled, None));
    all.push(checked("cloudwatch:DescribeAlarms", "*", None));
    all.push(checked("cloudwatch:PutMetricAlarm", "*", via.clone()));
    all.push(checked("cloudwatch:DeleteAlarms", "*", via));
    all
}

/// The service-linked role by which AWS scales ECS.
pub const LINKED: &str = "arn:aws:iam::123456789012:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService";

/// What the first scalable target of ECS in an account needs besides: AWS makes its role on behalf of the caller.
pub fn first_use() -> Need {
    let service = "ecs.application-autoscaling.amazonaws.com".to_owned();
    Need {
        action: "iam:CreateServiceLinkedRole".to_owned(),
        resource: LINKED.to_owned(),
        context: Some(("iam:AWSServiceName", service)),
    }
}

/// The ARN of the service that a service deployment or a service revision is a part of.
fn service_of(part: &str) -> String {
    let pieces: Vec<&str> = part.split('/').collect();
    let [_, cluster, name, _] = pieces.as_slice() else { panic!("{part} is no part of a service") };
    arn("ecs", &format!("service/{cluster}/{name}"))
}
