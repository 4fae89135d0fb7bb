//! The IAM policies of `infra/policies/` against the calls that the built binary makes: nothing more, nothing less.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may panic and look at the clock; its builder is shared with other tests"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use common::look::stack_with;
use common::{Action, stack};
use rustix::process::Signal;
use serde_json::Value;
use testbed::Call;
use testbed::sample::{Sample, Stack, task_definition};

/// The policy of `status`.
const READ: &str = "read.json";
/// What `deploy` needs beside it.
const DEPLOY: &str = "deploy.json";
/// What moving users needs, which no command does.
const TRAFFIC: &str = "traffic.json";

/// What the config's `scaling` needs beside them.
const SCALING: &str = "scaling.json";

/// The placeholders of the policies and what stands for them in the sample stack; longer names first.
const PLACES: [(&str, &str); 16] = [
    ("LOAD_BALANCER_ID", "*"),
    ("LOAD_BALANCER", "shop"),
    ("DEVELOP_SERVICE", "web-dev"),
    ("GREEN_SERVICE", "web-green"),
    ("BLUE_SERVICE", "web-blue"),
    ("DEVELOP_FAMILY", "web-dev"),
    ("GREEN_FAMILY", "web-green"),
    ("BLUE_FAMILY", "web-blue"),
    ("EXECUTION_ROLE", "shop-execution"),
    ("TASK_ROLE", "shop-task"),
    ("REPOSITORY", "shop/web"),
    ("ACCOUNT_ID", "123456789012"),
    ("REGION", "eu-west-1"),
    ("cluster/CLUSTER", "cluster/shop"),
    ("/CLUSTER/", "/shop/"),
    ("CLUSTER", "shop"),
];

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    /// The IAM action.
    action: String,
    /// The resource's ARN; `*` where AWS has no resource-level permission.
    resource: String,
    /// The condition key that AWS sends along, with its value.
    context: Option<(&'static str, String)>,
}

/// One statement of a policy.
#[derive(Debug)]
struct Statement {
    /// What it is called.
    sid: String,
    /// Its actions.
    actions: Vec<String>,
    /// The patterns of its resources.
    resources: Vec<String>,
    /// Condition keys with their values.
    conditions: Vec<(String, String)>,
}

impl Statement {
    /// Whether it allows this.
    fn allows(&self, need: &Need) -> bool {
        let sent = |key: &str, value: &str| {
            need.context.as_ref().is_some_and(|(sent, found)| *sent == key && found == value)
        };
        self.actions.contains(&need.action)
            && self.resources.iter().any(|pattern| fits(pattern, &need.resource))
            && self.conditions.iter().all(|(key, value)| sent(key, value))
    }
}

/// A string, or a list of strings.
fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    value.as_array().map_or_else(|| vec![text(value)], |all| all.iter().map(text).collect())
}

/// Whether a text fits a pattern with `*`.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => {
            let Some(rest) = text.strip_prefix(head) else { return false };
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(tail, &rest[at..]))
        }
    }
}

/// The statements of policies, with the sample stack's names in them.
fn policy(names: &[&str]) -> Vec<Statement> {
    names.iter().flat_map(|name| statements(name)).collect()
}

/// The statements of one file.
fn statements(name: &str) -> Vec<Statement> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/policies").join(name);
    let mut text = fs::read_to_string(path).expect("the policy is there");
    for (place, value) in PLACES {
        text = text.replace(place, value);
    }
    let policy: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(policy["Version"], "2012-10-17");
    policy["Statement"].as_array().expect("statements").iter().map(statement).collect()
}

/// One statement; all of them allow, and none is wider than it looks.
fn statement(from: &Value) -> Statement {
    assert_eq!(from["Effect"], "Allow");
    let conditions = from["Condition"].as_object().into_iter().flatten();
    let pairs = conditions.flat_map(|(_, pairs)| pairs.as_object().into_iter().flatten());
    Statement {
        sid: from["Sid"].as_str().expect("every statement has a name").to_owned(),
        actions: texts(&from["Action"]),
        resources: texts(&from["Resource"]),
        conditions: pairs.map(|(key, value)| (key.clone(), texts(value).concat())).collect(),
    }
}

/// An ARN of ECS in the sample stack.
fn ecs(resource: &str) -> String {
    format!("arn:aws:ecs:eu-west-1:123456789012:{resource}")
}

/// What a call needs. `GetCallerIdentity` needs nothing: no policy can grant or deny it to oneself.
fn needs(call: &Call) -> Vec<Need> {
    let action = format!("{}:{}", call.service.prefix(), call.operation);
    let need = |resource: String| Need { action: action.clone(), resource, context: None };
    let input = &call.input;
    let all = |key: &str| texts(&input[key]).into_iter().map(need).collect::<Vec<_>>();
    let service = |name: &str| ecs(&format!("service/shop/{name}"));
    let named = |key: &str| texts(&input[key]).iter().map(|name| need(service(name))).collect();
    match action.as_str() {
        "sts:GetCallerIdentity" => Vec::new(),
        "ecs:DescribeServices" => named("services"),
        "ecs:UpdateService" | "ecs:ListServiceDeployments" => named("service"),
        "ecs:DescribeServiceDeployments" => all("serviceDeploymentArns"),
        "ecs:DescribeServiceRevisions" => all("serviceRevisionArns"),
        "ecs:DescribeTasks" => all("tasks"),
        "ecs:DescribeContainerInstances" => all("containerInstances"),
        "ecs:ListTasks" => {
            let cluster = ecs(&format!("cluster/{}", input["cluster"].as_str().expect("a cluster")));
            vec![Need { context: Some(("ecs:cluster", cluster)), ..need("*".to_owned()) }]
        }
        "ecs:RegisterTaskDefinition" => registering(input, &need),
        "ecr:DescribeImages" => {
            let (registry, repository) =
                (&texts(&input["registryId"])[0], &texts(&input["repositoryName"])[0]);
            vec![need(format!("arn:aws:ecr:eu-west-1:{registry}:repository/{repository}"))]
        }
        "application-autoscaling:RegisterScalableTarget" => {
            let linked = "role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService";
            let role = Need {
                action: "iam:CreateServiceLinkedRole".to_owned(),
                resource: format!("arn:aws:iam::123456789012:{linked}"),
                context: Some(("iam:AWSServiceName", "ecs.application-autoscaling.amazonaws.com".to_owned())),
            };
            vec![of_scaling(input, &need), role]
        }
        "application-autoscaling:PutScalingPolicy" => vec![of_scaling(input, &need)],
        "cloudwatch:PutMetricAlarm" => {
            let name = input["AlarmName"].as_str().expect("a name");
            vec![need(format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"))]
        }
        _ => vec![need("*".to_owned())],
    }
}

/// A write of Application Auto Scaling: AWS makes up the id of a scalable target, so the namespace is the condition.
fn of_scaling(input: &Value, need: &dyn Fn(String) -> Need) -> Need {
    let namespace = input["ServiceNamespace"].as_str().expect("a namespace").to_owned();
    let target =
        "arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/1ec50a1b2c3d".to_owned();
    Need { context: Some(("application-autoscaling:service-namespace", namespace)), ..need(target) }
}

/// A registration needs more than itself: tags at register, and the roles that the tasks get.
fn registering(input: &Value, need: &dyn Fn(String) -> Need) -> Vec<Need> {
    let family = ecs(&format!("task-definition/{}:*", input["family"].as_str().expect("a family")));
    let mut all = vec![need(family.clone())];
    if input["tags"].as_array().is_some_and(|tags| !tags.is_empty()) {
        let context = Some(("ecs:CreateAction", "RegisterTaskDefinition".to_owned()));
        all.push(Need { action: "ecs:TagResource".to_owned(), resource: family, context });
    }
    for role in ["executionRoleArn", "taskRoleArn"] {
        if let Some(arn) = input[role].as_str() {
            let context = Some(("iam:PassedToService", "ecs-tasks.amazonaws.com".to_owned()));
            all.push(Need { action: "iam:PassRole".to_owned(), resource: arn.to_owned(), context });
        }
    }
    all
}

/// What all these calls need, each once.
fn all_needs(calls: &[Call]) -> BTreeSet<Need> {
    calls.iter().flat_map(needs).collect()
}

/// What `status` needs, on Fargate and on EC2.
static STATUS: LazyLock<BTreeSet<Need>> = LazyLock::new(|| {
    let stacks = [Stack::default(), Stack { ec2: true, ..Stack::default() }];
    let run = |stack: &Stack| {
        let (bed, _) = stack_with(stack);
        Action::new(&bed, "status").run().expect(0, "succeeded", "", "untouched");
        all_needs(&bed.calls())
    };
    stacks.iter().flat_map(run).collect()
});

/// What deploys need: good ones, failing ones, cancelled ones.
static DEPLOYS: LazyLock<BTreeSet<Need>> = LazyLock::new(|| {
    let fargate = Stack::default();
    let ec2 = Stack { ec2: true, ..Stack::default() };
    let rollback = Stack { rollback: true, ..Stack::default() };
    let probes = "[{path: /, contains: v2}]";
    let table: [Scene; 9] = [
        (&fargate, "v2", &[("color", "green"), ("desired-count", "3")], (0, "")),
        (&fargate, "v2", &[("probes", probes)], (0, "")),
        (&fargate, "v8-wrong-body", &[("probes", probes)], (1, "restored")),
        (&fargate, "v2", &[("task-definition", "web-green:1")], (0, "")),
        (&fargate, "v2", &[("task-definition", "task.json")], (0, "")),
        (&fargate, "v3-crash", &[], (1, "restored")),
        (&rollback, "v3-crash", &[], (1, "restored")),
        (&ec2, "v2", &[], (0, "")),
        (&ec2, "v3-crash", &[], (1, "restored")),
    ];
    let mut all = DEVELOP.clone();
    std::thread::scope(|scope| {
        let cancelled = scope.spawn(cancelled);
        all.extend(together(&table));
        all.extend(cancelled.join().expect("the run is cancelled"));
    });
    all
});

/// What deploys to develop need, a good one and a failing one.
static DEVELOP: LazyLock<BTreeSet<Need>> = LazyLock::new(|| {
    let fargate = Stack::default();
    together(&[
        (&fargate, "v2", &[("color", "develop")], (0, "")),
        (&fargate, "v3-crash", &[("color", "develop")], (1, "restored")),
    ])
});

/// A deploy: the stack, the image's tag, further inputs, and how it ends: its exit code, and `left` for a failure.
type Scene<'a> = (&'a Stack, &'a str, &'a [(&'a str, &'a str)], (i32, &'a str));

/// What several deploys need, two at the same time, each on a testbed of its own.
fn together(scenes: &[Scene<'_>]) -> BTreeSet<Need> {
    let mut all = BTreeSet::new();
    for two in scenes.chunks(2) {
        std::thread::scope(|scope| {
            let runs: Vec<_> = two.iter().map(|scene| scope.spawn(move || deployed(*scene))).collect();
            runs.into_iter().for_each(|run| all.extend(run.join().expect("the deploy ends as said")));
        });
    }
    all
}

/// What one deploy needs.
fn deployed((stack, tag, inputs, end): Scene<'_>) -> BTreeSet<Need> {
    let (bed, sample) = stack_with(stack);
    let mut action = Action::new(&bed, "deploy").input("image", &sample.image(tag));
    action =
        action.file("task.json", &task_definition("web-green", &sample.image("v1"), stack.ec2).to_string());
    for (name, value) in inputs {
        action = action.input(name, value);
    }
    let done = action.run();
    assert_eq!(done.code, end.0, "{tag} {inputs:?}:\n{}", done.log);
    if done.code != 0 {
        assert_eq!(done.output("left"), end.1, "{tag} {inputs:?}:\n{}", done.log);
    }
    all_needs(&bed.calls())
}

/// What a cancelled deploy and its post step need.
fn cancelled() -> BTreeSet<Need> {
    let (bed, sample) = stack();
    let action = || Action::new(&bed, "deploy").input("image", &sample.image("v4-unhealthy"));
    let run = action().spawn();
    let updated = bed.wait_until(Duration::from_secs(20), |world| {
        let service = world.ecs.service("shop", "web-green").expect("green is there");
        service.primary().is_some_and(|primary| primary.revision.definition.ends_with(":2"))
    });
    assert!(updated, "the deploy did not update its service");
    run.signal(Signal::INT);
    let done = run.wait();
    assert_eq!(done.output("result"), "cancelled", "{}", done.log);
    action().post(&done.state).run();
    all_needs(&bed.calls())
}

/// What deploys to each color need where the config has `scaling`.
static SCALED: LazyLock<BTreeSet<Need>> = LazyLock::new(|| {
    let (bed, sample) = stack();
    let config = "
cluster: shop
apps:
  web: { blue: web-blue, green: web-green, develop: web-dev, scaling: { min: 2, max: 10 } }
";
    for color in ["blue", "green", "develop"] {
        let action = Action::new(&bed, "deploy").file(".github/blue-green.yml", config);
        let action = action.input("color", color).input("allow-live", "true");
        action.input("image", &sample.image("v2")).run().expect(0, "succeeded", "", "changed");
    }
    all_needs(&bed.calls())
});

/// Asserts that every need is allowed.
#[track_caller]
fn allowed(needs: &BTreeSet<Need>, policies: &[&str]) {
    let statements = policy(policies);
    let denied: Vec<&Need> =
        needs.iter().filter(|need| !statements.iter().any(|statement| statement.allows(need))).collect();
    assert!(denied.is_empty(), "not allowed by {policies:?}: {denied:#?}");
}

/// Asserts that every action of a policy, on every kind of resource that it names, is needed by some call.
#[track_caller]
fn used(needs: &BTreeSet<Need>, name: &str) {
    for statement in policy(&[name]) {
        for action in &statement.actions {
            let of_action = |need: &&Need| need.action == *action;
            let needed = needs.iter().filter(of_action).any(|need| statement.allows(need));
            assert!(needed, "{name}, {}: no call needs {action}", statement.sid);
        }
    }
}

#[test]
fn status_is_allowed_by_the_read_policy_alone() {
    allowed(&STATUS, &[READ]);
}

#[test]
fn status_uses_all_of_the_read_policy() {
    used(&STATUS, READ);
}

#[test]
fn a_deploy_is_allowed_by_the_read_and_the_deploy_policy() {
    allowed(&DEPLOYS, &[READ, DEPLOY]);
}

#[test]
fn a_deploy_uses_all_of_the_deploy_policy() {
    used(&DEPLOYS, DEPLOY);
}

#[test]
fn a_deploy_with_scaling_is_allowed_by_the_scaling_policy_beside_the_others_and_uses_all_of_it() {
    allowed(&SCALED, &[READ, DEPLOY, SCALING]);
    used(&SCALED, SCALING);
    let role: Vec<&Need> =
        SCALED.iter().filter(|need| need.action == "iam:CreateServiceLinkedRole").collect();
    assert!(role[0].resource.ends_with("AWSServiceRoleForApplicationAutoScaling_ECSService"));
}

#[test]
fn a_deploy_to_develop_changes_nothing_but_develop() {
    let deploy: BTreeSet<String> = policy(&[DEPLOY]).into_iter().flat_map(|one| one.actions).collect();
    let services =
        DEVELOP.iter().filter(|need| deploy.contains(&need.action) && need.resource.contains(":ecs:"));
    let others: Vec<&Need> = services.filter(|need| !need.resource.contains("web-dev")).collect();
    assert_eq!(others, Vec::<&Need>::new());
}

#[test]
fn a_deploy_needs_roles_and_tags_by_name() {
    let of = |action: &str| -> Vec<String> {
        DEPLOYS.iter().filter(|need| need.action == action).map(|need| need.resource.clone()).collect()
    };
    let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
    assert_eq!(of("iam:PassRole"), [role("shop-execution"), role("shop-task")]);
    assert_eq!(of("ecs:TagResource"), [ecs("task-definition/web-dev:*"), ecs("task-definition/web-green:*")]);
}

#[test]
fn no_action_is_in_two_policies() {
    let mut seen = BTreeSet::new();
    for statement in policy(&[READ, DEPLOY, TRAFFIC, SCALING]) {
        for action in statement.actions {
            assert!(!action.contains('*'), "{action} is wider than one action");
            assert!(seen.insert(action.clone()), "{action} is there twice");
        }
    }
}

#[test]
fn invariant_10_no_command_needs_a_write_to_the_load_balancer() {
    let write = |need: &&Need| {
        need.action.starts_with("elasticloadbalancing:")
            && !need.action.starts_with("elasticloadbalancing:Describe")
    };
    let found: Vec<&Need> = STATUS.iter().chain(DEPLOYS.iter()).filter(write).collect();
    assert_eq!(found, Vec::<&Need>::new());
    let allowed: Vec<String> = policy(&[READ, DEPLOY]).into_iter().flat_map(|one| one.actions).collect();
    assert!(!allowed.iter().any(|action| action.starts_with("elasticloadbalancing:Modify")));
}

#[test]
fn the_traffic_policy_names_the_listener_and_nothing_else() {
    let (_bed, sample): (_, Sample) = stack();
    let need = |action: &str, resource: &str| Need {
        action: format!("elasticloadbalancing:{action}"),
        resource: resource.to_owned(),
        context: None,
    };
    allowed(&BTreeSet::from([need("ModifyListener", &sample.production_listener)]), &[TRAFFIC]);
    let rule =
        format!("{}/1234567890abcdef", sample.production_listener.replace(":listener/", ":listener-rule/"));
    allowed(&BTreeSet::from([need("ModifyRule", &rule)]), &[TRAFFIC]);
    let actions: Vec<String> = policy(&[TRAFFIC]).into_iter().flat_map(|one| one.actions).collect();
    assert_eq!(actions, ["elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"]);
}

#[test]
fn the_readme_gives_a_reason_for_each_permission() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("a README");
    let row = |action: &str| {
        let start = format!("| `{action}` |");
        readme.lines().filter(|line| line.starts_with(&start)).count()
    };
    for action in policy(&[READ, DEPLOY, TRAFFIC, SCALING]).into_iter().flat_map(|one| one.actions) {
        assert_eq!(row(&action), 1, "the README has one row with the reason for {action}");
    }
}
