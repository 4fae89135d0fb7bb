//! What the API answers and refuses.

use serde_json::{Value, json};

use super::stack::{Stack, forward, free_port, text};

/// The default actions of a listener.
fn actions(stack: &Stack, listener: &str) -> Value {
    stack.ok("DescribeListeners", json!({"ListenerArns": [listener]}))["Listeners"][0]["DefaultActions"]
        .clone()
}

#[test]
fn a_single_group_shows_both_forms_and_several_only_one() {
    let stack = Stack::start();
    let (blue, green) = (stack.group("blue"), stack.group("green"));
    let (listener, _) = stack.listener(json!([{"Type": "forward", "TargetGroupArn": blue}]));
    let single = json!([{"Type": "forward", "TargetGroupArn": blue, "ForwardConfig":
        {"TargetGroups": [{"TargetGroupArn": blue, "Weight": 1}], "TargetGroupStickinessConfig": {"Enabled": false}}}]);
    assert_eq!(actions(&stack, &listener), single);
    stack.ok(
        "ModifyListener",
        json!({"ListenerArn": listener, "DefaultActions": forward(&[(&blue, 80), (&green, 20)])}),
    );
    let several = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups":
        [{"TargetGroupArn": blue, "Weight": 80}, {"TargetGroupArn": green, "Weight": 20}],
        "TargetGroupStickinessConfig": {"Enabled": false}}}]);
    assert_eq!(actions(&stack, &listener), several);
    let rules = stack.ok("DescribeRules", json!({"ListenerArn": listener}));
    let rule = &rules["Rules"][0];
    assert_eq!(
        (&rule["IsDefault"], &rule["Priority"], &rule["Actions"]),
        (&json!(true), &json!("default"), &several)
    );
    let (code, message) =
        stack.refused("ModifyRule", json!({"RuleArn": rule["RuleArn"], "Actions": several}));
    assert_eq!(
        (code.as_str(), message.ends_with("cannot be modified")),
        ("OperationNotPermitted", true),
        "{message}"
    );
}

#[test]
fn a_forward_is_checked_as_aws_checks_it() {
    let stack = Stack::start();
    let groups: Vec<String> = (0..6).map(|number| stack.group(&format!("group-{number}"))).collect();
    let (blue, green) = (groups[0].as_str(), groups[1].as_str());
    let (listener, _) = stack.listener(forward(&[(blue, 1), (green, 0)]));
    let try_it = |actions: Value| {
        stack.refused("ModifyListener", json!({"ListenerArn": listener, "DefaultActions": actions}))
    };
    let one = |arn: &str| json!({"TargetGroupArn": arn});
    let weighted = |arn: &str, weight: Value| json!({"TargetGroupArn": arn, "Weight": weight});
    let of = |groups: Value| json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]);
    let sticky = |config: Value| {
        let mut actions = forward(&[(blue, 1), (green, 1)]);
        actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] = config;
        actions
    };
    let six: Vec<(&str, u32)> = groups.iter().map(|arn| (arn.as_str(), 1)).collect();
    let unknown = blue.replace("group-0", "group-x");
    let cases = [
        (
            of(json!([one(blue), one(green)])),
            "ValidationError",
            "A weight must be specified for each target group",
        ),
        (
            of(json!([weighted(blue, json!(1000)), weighted(green, json!(1))])),
            "ValidationError",
            "Weight '1000' must be between 0 and 999 inclusive",
        ),
        (
            of(json!([weighted(blue, json!(-1)), weighted(green, json!(1))])),
            "ValidationError",
            "Weight '-1' must be between 0 and 999 inclusive",
        ),
        (
            of(json!([weighted(blue, json!(1)), weighted(blue, json!(1))])),
            "ValidationError",
            "more than once",
        ),
        (forward(&six), "TooManyTargetGroups", "the limit is '5'"),
        (forward(&[(&unknown, 1)]), "TargetGroupNotFound", "not found"),
        (
            sticky(json!({"Enabled": true})),
            "ValidationError",
            "Target group stickiness duration must be between 1 and 604800 seconds",
        ),
        (
            sticky(json!({"Enabled": false, "DurationSeconds": 0})),
            "ValidationError",
            "Target group stickiness duration",
        ),
        (
            json!([{"Type": "forward", "TargetGroupArn": green, "ForwardConfig": {"TargetGroups": [one(blue)]}}]),
            "InvalidLoadBalancerAction",
            "same single target group",
        ),
        (json!([{"Type": "forward"}]), "InvalidLoadBalancerAction", "must be specified"),
        (
            json!([{"Type": "teleport"}]),
            "ValidationError",
            "Value 'teleport' at 'defaultActions.1.member.type' failed",
        ),
        (json!([]), "ValidationError", "An action must be specified"),
    ];
    for (actions, code, part) in cases {
        let (found, message) = try_it(actions.clone());
        assert_eq!(found, code, "{actions}: {message}");
        assert!(message.contains(part), "{actions}: {message}");
    }
    assert_eq!(
        stack.ok("DescribeListeners", json!({"ListenerArns": [listener]}))["Listeners"][0]["DefaultActions"]
            [0]["ForwardConfig"]["TargetGroups"][0]["Weight"],
        1
    );
}

#[test]
fn sticky_targets_and_weights_need_group_stickiness() {
    let stack = Stack::start();
    let (blue, green) = (stack.group("blue"), stack.group("green"));
    let (listener, _) = stack.listener(forward(&[(&blue, 1), (&green, 0)]));
    let enable = |group: &str| json!({"TargetGroupArn": group, "Attributes": [{"Key": "stickiness.enabled", "Value": "true"}]});
    let (code, message) = stack.refused("ModifyTargetGroupAttributes", enable(&blue));
    assert_eq!(code, "InvalidConfigurationRequest");
    assert!(
        message.contains("You must enable group stickiness before enabling target stickiness"),
        "{message}"
    );
    let other = stack.group("other");
    stack.ok("ModifyTargetGroupAttributes", enable(&other));
    let actions = forward(&[(&blue, 1), (&other, 1)]);
    let (code, message) =
        stack.refused("ModifyListener", json!({"ListenerArn": listener, "DefaultActions": actions}));
    assert_eq!(code, "InvalidConfigurationRequest");
    assert!(message.starts_with("You must enable group stickiness on a rule"), "{message}");
}

#[test]
fn a_group_belongs_to_one_load_balancer() {
    let stack = Stack::start();
    let blue = stack.group("blue");
    stack.listener(forward(&[(&blue, 1)]));
    let described = stack.ok("DescribeTargetGroups", json!({"Names": ["blue"]}));
    assert_eq!(described["TargetGroups"][0]["LoadBalancerArns"], json!([stack.balancer]));
    let other = stack.ok("CreateLoadBalancer", json!({"Name": "other", "Subnets": ["subnet-1", "subnet-2"]}));
    let other = text(&other["LoadBalancers"][0]["LoadBalancerArn"]);
    let input = json!({"LoadBalancerArn": other, "Port": free_port(), "Protocol": "HTTP", "DefaultActions": forward(&[(&blue, 1)])});
    let (code, message) = stack.refused("CreateListener", input);
    assert_eq!(code, "TargetGroupAssociationLimit");
    assert!(message.ends_with(&blue), "{message}");
    let (code, message) = stack.refused("DeleteTargetGroup", json!({"TargetGroupArn": blue}));
    assert_eq!(
        (code.as_str(), message),
        ("ResourceInUse", format!("Target group '{blue}' is currently in use by a listener or a rule"))
    );
}

#[test]
fn priorities_are_unique_and_may_swap() {
    let stack = Stack::start();
    let blue = stack.group("blue");
    let (listener, _) = stack.listener(forward(&[(&blue, 1)]));
    let rule = |priority: u32, path: &str| {
        json!({"ListenerArn": listener, "Priority": priority, "Actions": forward(&[(&blue, 1)]),
            "Conditions": [{"Field": "path-pattern", "Values": [path]}]})
    };
    let make = |priority, path| text(&stack.ok("CreateRule", rule(priority, path))["Rules"][0]["RuleArn"]);
    let (two, one) = (make(20, "/two"), make(10, "/one"));
    let (code, message) = stack.refused("CreateRule", rule(10, "/three"));
    assert_eq!((code.as_str(), message.as_str()), ("PriorityInUse", "Priority '10' is currently in use"));
    let order = || -> Vec<String> {
        let rules = stack.ok("DescribeRules", json!({"ListenerArn": listener}))["Rules"].clone();
        rules
            .as_array()
            .expect("rules")
            .iter()
            .map(|rule| text(&rule["Conditions"][0]["Values"][0]) + &text(&rule["Priority"]))
            .collect()
    };
    assert_eq!(order(), ["/one10", "/two20", "default"]);
    let swap =
        json!({"RulePriorities": [{"RuleArn": one, "Priority": 20}, {"RuleArn": two, "Priority": 10}]});
    stack.ok("SetRulePriorities", swap);
    assert_eq!(order(), ["/two10", "/one20", "default"]);
    let (code, _) =
        stack.refused("SetRulePriorities", json!({"RulePriorities": [{"RuleArn": one, "Priority": 10}]}));
    assert_eq!(code, "PriorityInUse");
    let modified = stack.ok("ModifyRule", json!({"RuleArn": one, "Actions": forward(&[(&blue, 5)])}));
    assert_eq!(modified["Rules"][0]["Conditions"][0]["PathPatternConfig"]["Values"], json!(["/one"]));
    stack.ok("DeleteRule", json!({"RuleArn": one}));
    assert_eq!(
        stack.refused("DeleteRule", json!({"RuleArn": one})),
        ("RuleNotFound".to_owned(), "One or more rules not found".to_owned())
    );
}

#[test]
fn what_is_not_there_has_its_own_error() {
    let stack = Stack::start();
    let blue = stack.group("blue");
    let (listener, port) = stack.listener(forward(&[(&blue, 1)]));
    let cases = [
        (
            "DescribeListeners",
            json!({"ListenerArns": [listener.clone() + "0"]}),
            "ListenerNotFound",
            "One or more listeners not found",
        ),
        (
            "DescribeListeners",
            json!({}),
            "ValidationError",
            "You must specify either listener ARNs or a load balancer ARN",
        ),
        (
            "DescribeRules",
            json!({"RuleArns": [listener]}),
            "ValidationError",
            "is not a valid listener rule ARN",
        ),
        (
            "DescribeTargetGroups",
            json!({"Names": ["red"]}),
            "TargetGroupNotFound",
            "One or more target groups not found",
        ),
        (
            "DescribeLoadBalancers",
            json!({"Names": ["red"]}),
            "LoadBalancerNotFound",
            "Load balancers '[red]' not found",
        ),
        (
            "DescribeTargetHealth",
            json!({}),
            "ValidationError",
            "Value null at 'targetGroupArn' failed to satisfy constraint: Member must not be null",
        ),
        (
            "DescribeTargetHealth",
            json!({"TargetGroupArn": "blue"}),
            "ValidationError",
            "'blue' is not a valid target group ARN",
        ),
        (
            "ModifyTargetGroupAttributes",
            json!({"TargetGroupArn": blue, "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "9999"}]}),
            "ValidationError",
            "must be between '0-3600' inclusive",
        ),
        (
            "ModifyTargetGroupAttributes",
            json!({"TargetGroupArn": blue, "Attributes": [{"Key": "speed", "Value": "9"}]}),
            "ValidationError",
            "Key 'speed' is not recognized",
        ),
        (
            "CreateListener",
            json!({"LoadBalancerArn": stack.balancer, "Port": port, "Protocol": "HTTP", "DefaultActions": forward(&[(&blue, 1)])}),
            "DuplicateListener",
            "already exists",
        ),
        (
            "CreateTargetGroup",
            json!({"Name": "blue", "Protocol": "HTTP", "Port": 81, "VpcId": "vpc-1"}),
            "DuplicateTargetGroupName",
            "but with different settings",
        ),
        (
            "Frobnicate",
            json!({}),
            "InvalidAction",
            "Could not find operation Frobnicate for version 2015-12-01",
        ),
    ];
    for (operation, input, code, part) in cases {
        let (found, message) = stack.refused(operation, input);
        assert_eq!(found, code, "{operation}: {message}");
        assert!(message.contains(part), "{operation}: {message}");
    }
}

#[test]
fn long_lists_come_in_pages() {
    let stack = Stack::start();
    for number in 0..5 {
        stack.group(&format!("group-{number}"));
    }
    stack.bed.world(|world| world.elb.page_limit = Some(2));
    let mut names = Vec::new();
    let mut marker = Value::Null;
    for size in [2, 2, 1] {
        let page = stack.ok("DescribeTargetGroups", json!({"Marker": marker, "PageSize": 100}));
        let list = page["TargetGroups"].as_array().expect("groups");
        assert_eq!(list.len(), size);
        names.extend(list.iter().map(|group| text(&group["TargetGroupName"])));
        marker = page["NextMarker"].clone();
    }
    assert_eq!(names, ["group-0", "group-1", "group-2", "group-3", "group-4"]);
    assert_eq!(marker, Value::Null);
    assert_eq!(stack.refused("DescribeTargetGroups", json!({"PageSize": 401})).0, "ValidationError");
}

#[test]
fn tags_are_kept_on_every_resource() {
    let stack = Stack::start();
    let blue = stack.group("blue");
    let (listener, _) = stack.listener(forward(&[(&blue, 1)]));
    let rule = text(&stack.ok("DescribeRules", json!({"ListenerArn": listener}))["Rules"][0]["RuleArn"]);
    let arns = json!([stack.balancer, blue, listener, rule]);
    stack.ok(
        "AddTags",
        json!({"ResourceArns": arns, "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}),
    );
    stack.ok("AddTags", json!({"ResourceArns": arns, "Tags": [{"Key": "a", "Value": "3"}]}));
    stack.ok("RemoveTags", json!({"ResourceArns": arns, "TagKeys": ["b", "c"]}));
    let described = stack.ok("DescribeTags", json!({"ResourceArns": arns}));
    for (index, arn) in arns.as_array().expect("arns").iter().enumerate() {
        assert_eq!(
            described["TagDescriptions"][index],
            json!({"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "3"}]})
        );
    }
}

#[test]
fn secrets_are_never_shown_and_go_on_when_asked() {
    let stack = Stack::start();
    let blue = stack.group("blue");
    let login = |extra: Value| {
        let mut config = json!({"Issuer": "https://id.example.com", "AuthorizationEndpoint": "https://id.example.com/a",
            "TokenEndpoint": "https://id.example.com/t", "UserInfoEndpoint": "https://id.example.com/u", "ClientId": "me"});
        config.as_object_mut().expect("map").extend(extra.as_object().expect("map").clone());
        json!([{"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": config},
            {"Type": "forward", "Order": 2, "TargetGroupArn": blue}])
    };
    let certificate = stack.bed.certificate(&["shop.example"]).expect("AWS takes it");
    let mut input = json!({"LoadBalancerArn": stack.balancer, "Port": free_port(), "Protocol": "HTTPS",
        "Certificates": [{"CertificateArn": certificate}],
        "DefaultActions": login(json!({"ClientSecret": "hush"}))});
    let created = stack.ok("CreateListener", input.clone());
    assert!(!created.to_string().contains("hush"), "{created}");
    let arn = text(&created["Listeners"][0]["ListenerArn"]);
    let change = |actions: Value| json!({"ListenerArn": arn, "DefaultActions": actions});
    let (code, message) = stack.refused("ModifyListener", change(login(json!({}))));
    assert_eq!(code, "InvalidLoadBalancerAction");
    assert!(message.contains("UseExistingClientSecret"), "{message}");
    stack.ok("ModifyListener", change(login(json!({"UseExistingClientSecret": true}))));
    stack.ok("ModifyListener", change(login(json!({"UseExistingClientSecret": "true"}))));
    let shown = actions(&stack, &arn);
    assert_eq!(shown[0]["AuthenticateOidcConfig"]["ClientId"], "me");
    assert!(shown[0]["AuthenticateOidcConfig"]["UseExistingClientSecret"].is_null(), "{shown}");
    assert_eq!(shown[1]["Order"], 2);
    input["Port"] = json!(free_port());
    input["Protocol"] = json!("HTTP");
    input["Certificates"] = json!([]);
    assert_eq!(stack.refused("CreateListener", input).0, "InvalidLoadBalancerAction");
}

#[test]
fn an_action_of_the_future_is_shown_as_it_is() {
    let stack = Stack::start();
    let blue = stack.group("blue");
    let (listener, _) = stack.listener(forward(&[(&blue, 1)]));
    let rule = text(&stack.ok("DescribeRules", json!({"ListenerArn": listener}))["Rules"][0]["RuleArn"]);
    let action = json!({"Type": "teleport", "Order": 1, "TeleportConfig": {"Where": "moon"}});
    let added =
        stack.bed.world(|world| world.elb.add_raw_action(&rule, action.as_object().expect("map").clone()));
    assert!(added);
    let shown = actions(&stack, &listener)[0].clone();
    assert_eq!((&shown["Type"], &shown["TeleportConfig"]["Where"]), (&json!("teleport"), &json!("moon")));
}

#[test]
fn other_load_balancers_and_target_types_are_data() {
    let stack = Stack::start();
    let net =
        stack.ok("CreateLoadBalancer", json!({"Name": "net", "Type": "network", "Subnets": ["subnet-1"]}));
    let arn = text(&net["LoadBalancers"][0]["LoadBalancerArn"]);
    assert!(arn.contains(":loadbalancer/net/net/"), "{arn}");
    let group = stack.ok(
        "CreateTargetGroup",
        json!({"Name": "tcp", "Protocol": "TCP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"}),
    );
    let tcp = text(&group["TargetGroups"][0]["TargetGroupArn"]);
    let input = json!({"LoadBalancerArn": arn, "Port": 80, "Protocol": "TCP", "DefaultActions": [{"Type": "forward", "TargetGroupArn": tcp}]});
    stack.ok("CreateListener", input);
    let lambda = stack.ok("CreateTargetGroup", json!({"Name": "fn", "TargetType": "lambda"}));
    assert_eq!(lambda["TargetGroups"][0]["TargetType"], "lambda");
    let alb = json!({"Name": "alb", "Protocol": "TCP", "Port": 80, "VpcId": "vpc-1", "TargetType": "alb"});
    assert_eq!(stack.ok("CreateTargetGroup", alb)["TargetGroups"][0]["TargetType"], "alb");
    let spare = json!({"Name": "spare", "Protocol": "TCP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"});
    let spare = text(&stack.ok("CreateTargetGroup", spare)["TargetGroups"][0]["TargetGroupArn"]);
    let http = json!({"LoadBalancerArn": stack.balancer, "Port": free_port(), "Protocol": "HTTP", "DefaultActions": [{"Type": "forward", "TargetGroupArn": spare}]});
    assert_eq!(stack.refused("CreateListener", http).0, "InvalidConfigurationRequest");
}
