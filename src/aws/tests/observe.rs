//! One look at a scripted AWS: every part, its paging, and what happens when a part is denied.

use std::time::Duration;

use serde_json::{Value, json};

use super::server::{Answer, Request, Server, json as answer, refusal, xml};
use crate::aws::Names;
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::color::ServiceColor;
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::{
    Alarm, AlarmState, Binding, Breaker, Condition, Pattern, Place, QueryPair, Rollout, Scalable, Service,
    ServiceDeploymentStatus, ServiceStatus, Snapshot, Threshold, Weighted,
};
use crate::plan::time::Time;

/// The load balancer of both colors.
const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/1";

/// A look at everything.
const ALL: ReadScope = ReadScope { scaling: true, alarms: true, causes: true, ..ReadScope::WHOLE };

/// A service as ECS describes it.
fn service(name: &str) -> Value {
    json!({
        "serviceName": name, "serviceArn": format!("arn:service/{name}"), "status": "ACTIVE",
        "taskDefinition": format!("arn:definition/{name}:3"), "desiredCount": 2, "runningCount": 2, "pendingCount": 1,
        "schedulingStrategy": "REPLICA", "deploymentController": { "type": "ECS" },
        "healthCheckGracePeriodSeconds": 30,
        "loadBalancers": [
            { "targetGroupArn": format!("arn:group/{name}"), "containerName": "app", "containerPort": 8080 }
        ],
        "deploymentConfiguration": {
            "strategy": "ROLLING", "minimumHealthyPercent": 50, "maximumPercent": 150,
            "deploymentCircuitBreaker": {
                "enable": true, "rollback": true, "thresholdConfiguration": { "type": "COUNT", "value": 5 }
            },
            "alarms": { "enable": true, "rollback": true, "alarmNames": ["web-5xx"] }
        },
        "deployments": [
            {
                "id": "ecs-svc/2", "status": "PRIMARY", "taskDefinition": format!("arn:definition/{name}:3"),
                "desiredCount": 2, "runningCount": 1, "pendingCount": 1, "failedTasks": 4,
                "rolloutState": "IN_PROGRESS", "rolloutStateReason": "going", "createdAt": 1_700_000_000.5
            },
            { "id": "ecs-svc/1", "status": "ACTIVE", "rolloutState": "COMPLETED" }
        ],
        "events": [{ "id": "e", "createdAt": 1_700_000_001, "message": "(service web) has begun" }]
    })
}

/// What the services with JSON answer: ECS and Application Auto Scaling.
fn ecs(request: &Request) -> Answer {
    let input = request.json();
    let output = match request.operation().as_str() {
        "DescribeServices" => json!({
            "services": [service("web-green"), service("web-blue")],
            "failures": [{ "arn": "arn:service/web-dev", "reason": "MISSING" }]
        }),
        "DescribeTaskDefinition" => json!({
            "taskDefinition": { "taskDefinitionArn": input["taskDefinition"], "family": "web", "new": 1 }
        }),
        "ListTasks" => match (input["desiredStatus"].as_str(), input["nextToken"].as_str()) {
            (Some("RUNNING"), None) => json!({ "taskArns": ["arn:task/shop/one"], "nextToken": "more" }),
            (Some("RUNNING"), Some("more")) => json!({ "taskArns": ["arn:task/shop/two"] }),
            _ => json!({ "taskArns": ["arn:task/shop/gone"] }),
        },
        "DescribeTasks" => tasks(&input),
        "DescribeContainerInstances" => json!({
            "containerInstances": [{ "containerInstanceArn": "arn:host/1", "ec2InstanceId": "i-0a" }]
        }),
        // No order is documented: a page of old ones comes first.
        "ListServiceDeployments" => match input["nextToken"].as_str() {
            None => {
                let old = |n: u32| json!({ "serviceDeploymentArn": format!("arn:sd/old-{n}"), "createdAt": 1_600_000_000 + n });
                json!({ "serviceDeployments": (0..12).map(old).collect::<Vec<_>>(), "nextToken": "more" })
            }
            Some(_) => json!({ "serviceDeployments": [
                { "serviceDeploymentArn": "arn:sd/1", "createdAt": 1_700_000_000 },
                { "serviceDeploymentArn": "arn:sd/2", "createdAt": 1_700_000_100 }
            ] }),
        },
        "DescribeServiceDeployments" if input["serviceDeploymentArns"][0] != "arn:sd/2" => {
            return refusal(request, 400, "InvalidParameterException", "not the newest");
        }
        "DescribeServiceDeployments" => json!({ "serviceDeployments": [
            {
                "serviceDeploymentArn": "arn:sd/1", "status": "SUCCESSFUL", "createdAt": 1_700_000_000,
                "targetServiceRevision": { "arn": "arn:rev/1" }
            },
            {
                "serviceDeploymentArn": "arn:sd/2", "status": "ROLLBACK_SUCCESSFUL", "createdAt": 1_700_000_100,
                "statusReason": "alarm", "targetServiceRevision": { "arn": "arn:rev/2" },
                "sourceServiceRevisions": [{ "arn": "arn:rev/1" }],
                "alarms": { "status": "TRIGGERED", "alarmNames": ["a", "b"], "triggeredAlarmNames": ["b"] }
            }
        ] }),
        "DescribeServiceRevisions" => json!({ "serviceRevisions": [
            { "serviceRevisionArn": "arn:rev/1", "taskDefinition": "arn:definition/web:1" },
            { "serviceRevisionArn": "arn:rev/2", "taskDefinition": "arn:definition/web:2" }
        ] }),
        "DescribeScalableTargets" => json!({ "ScalableTargets": [{
            "ServiceNamespace": "ecs", "ResourceId": "service/shop/web-blue",
            "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1, "MaxCapacity": 4,
            "RoleARN": "arn:role", "CreationTime": 1_700_000_000
        }] }),
        other => return refusal(request, 400, "InvalidAction", other),
    };
    answer(output.to_string())
}

/// DescribeTasks: one task with an address of its own, one on an EC2 instance, one that stopped.
fn tasks(input: &Value) -> Value {
    let of = |arn: &Value| match arn.as_str() {
        Some("arn:task/shop/one") => json!({
            "taskArn": arn, "lastStatus": "RUNNING", "startedBy": "ecs-svc/2",
            "taskDefinitionArn": "arn:definition/web:3", "containerInstanceArn": "arn:host/1",
            "attachments": [{ "type": "ElasticNetworkInterface", "details": [
                { "name": "subnetId", "value": "subnet-1" }, { "name": "privateIPv4Address", "value": "10.0.1.17" }
            ] }],
            "containers": [{ "name": "app", "image": "web:v1", "imageDigest": "sha256:abc", "networkInterfaces": [
                { "privateIpv4Address": "10.0.1.17", "ipv6Address": "2001:db8::17" }
            ] }]
        }),
        Some("arn:task/shop/two") => json!({
            "taskArn": arn, "lastStatus": "PENDING", "containerInstanceArn": "arn:host/1",
            "containers": [{ "name": "app", "networkBindings": [
                { "containerPort": 8080, "hostPort": 32768, "protocol": "tcp" },
                { "containerPortRange": "9000-9001", "hostPortRange": "40000-40001" }
            ] }]
        }),
        _ => json!({
            "taskArn": arn, "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited", "stoppedAt": 1_700_000_002,
            "containerInstanceArn": "arn:host/2",
            "containers": [{ "name": "app", "exitCode": 137, "reason": "OutOfMemoryError" }]
        }),
    };
    let all: Vec<Value> = input["tasks"].as_array().into_iter().flatten().map(of).collect();
    json!({ "tasks": all })
}

/// What ELBv2 answers.
fn elb(request: &Request) -> Answer {
    let operation = request.operation();
    let marker = request.field("Marker");
    let result = match operation.as_str() {
        "DescribeTargetGroups" => format!(
            "<TargetGroups><member><TargetGroupArn>{}</TargetGroupArn><TargetGroupName>tg</TargetGroupName>\
             <TargetType>ip</TargetType><LoadBalancerArns><member>{BALANCER}</member></LoadBalancerArns></member>\
             </TargetGroups>",
            request.field("TargetGroupArns.member.1").unwrap_or_default()
        ),
        "DescribeTargetGroupAttributes" => "<Attributes>\
             <member><Key>deregistration_delay.timeout_seconds</Key><Value>5</Value></member>\
             <member><Key>target_group_health.unhealthy_state_routing.minimum_healthy_targets.count</Key>\
             <Value>2</Value></member>\
             <member><Key>target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage</Key>\
             <Value>off</Value></member></Attributes>"
            .to_owned(),
        "DescribeTargetHealth" => "<TargetHealthDescriptions><member><Target><Id>10.0.1.17</Id><Port>8080</Port>\
             </Target><TargetHealth><State>unhealthy</State><Reason>Target.ResponseCodeMismatch</Reason>\
             <Description>Health checks failed with these codes: [500]</Description></TargetHealth></member>\
             </TargetHealthDescriptions>"
            .to_owned(),
        "DescribeLoadBalancers" => format!(
            "<LoadBalancers><member><LoadBalancerArn>{BALANCER}</LoadBalancerArn><DNSName>shop.example</DNSName>\
             <LoadBalancerName>shop</LoadBalancerName></member></LoadBalancers>"
        ),
        "DescribeListeners" if marker.is_none() => {
            format!("<Listeners>{}</Listeners><NextMarker>two</NextMarker>", listener("arn:listener/8080", 8080))
        }
        "DescribeListeners" => format!("<Listeners>{}</Listeners>", listener("arn:listener/80", 80)),
        "DescribeRules" => rules(request),
        _ => return refusal(request, 400, "InvalidAction", &operation),
    };
    xml(&operation, &result)
}

/// A listener in XML.
fn listener(arn: &str, port: u16) -> String {
    format!(
        "<member><ListenerArn>{arn}</ListenerArn><Port>{port}</Port><Protocol>HTTP</Protocol>\
         <LoadBalancerArn>{BALANCER}</LoadBalancerArn></member>"
    )
}

/// The rules of a listener: on port 80 over two pages, on port 8080 a default action without weights.
fn rules(request: &Request) -> String {
    let lone = "<member><Type>forward</Type><TargetGroupArn>arn:group/web-green</TargetGroupArn></member>";
    let split = "<member><Type>forward</Type><Order>1</Order><ForwardConfig><TargetGroups>\
         <member><TargetGroupArn>arn:group/web-blue</TargetGroupArn><Weight>80</Weight></member>\
         <member><TargetGroupArn>arn:group/web-green</TargetGroupArn><Weight>0</Weight></member></TargetGroups>\
         <TargetGroupStickinessConfig><Enabled>true</Enabled><DurationSeconds>60</DurationSeconds>\
         </TargetGroupStickinessConfig></ForwardConfig></member>";
    let rule = |arn: &str, priority: &str, conditions: &str, actions: &str| {
        format!(
            "<Rules><member><RuleArn>{arn}</RuleArn><Priority>{priority}</Priority>\
             <Conditions>{conditions}</Conditions><Actions>{actions}</Actions></member></Rules>"
        )
    };
    if request.field("ListenerArn").as_deref() == Some("arn:listener/8080") {
        return rule("arn:rule/test", "default", "", lone);
    }
    if request.field("Marker").is_some() {
        return rule("arn:rule/default", "default", "", split);
    }
    let conditions = "<member><Field>http-header</Field><HttpHeaderConfig><HttpHeaderName>X-Test</HttpHeaderName>\
         <Values><member>yes</member></Values></HttpHeaderConfig></member>\
         <member><Field>path-pattern</Field><Values><member>/a*</member></Values><PathPatternConfig><Values>\
         <member>/a*</member></Values></PathPatternConfig></member>\
         <member><Field>query-string</Field><QueryStringConfig><Values><member><Key>v</Key><Value>2</Value></member>\
         </Values></QueryStringConfig></member>";
    let odd = format!("<member><Type>teleport</Type></member>{lone}");
    rule("arn:rule/5", "5", conditions, &odd) + "<NextMarker>two</NextMarker>"
}

/// Answers over all protocols, except for one operation, which is denied.
async fn server(denied: &'static str) -> Server {
    Server::start(move |request, _| {
        if request.operation() == denied {
            return refusal(request, 400, "AccessDenied", "not authorized");
        }
        match request.operation().as_str() {
            "DescribeAlarms" => Answer::Cbor(
                200,
                json!({ "MetricAlarms": [{ "AlarmName": "web-5xx", "StateValue": "OK", "StateReason": "r" }] }),
            ),
            _ if request.header("x-amz-target").is_some() => ecs(request),
            _ => elb(request),
        }
    })
    .await
}

/// What one look shows when an operation is denied; an empty name denies none.
async fn look(denied: &'static str, look: ReadScope) -> (AwsResult<Snapshot>, Server) {
    let server = server(denied).await;
    let place = Place { cluster: "shop".to_owned(), ..Place::default() };
    let service = |color, name: &str| (color, name.to_owned());
    let services = vec![
        service(ServiceColor::Blue, "web-blue"),
        service(ServiceColor::Green, "web-green"),
        service(ServiceColor::Develop, "web-dev"),
    ];
    let names = Names { place, services, alarms: vec!["web-5xx".to_owned(), "gone".to_owned()] };
    let read = server.aws().await.observe(&names, look).await;
    (read, server)
}

/// A part that was asked for and read.
fn part<T>(seen: Option<&AwsResult<T>>) -> &T {
    seen.unwrap().as_ref().unwrap()
}

#[tokio::test]
async fn services_come_by_color_with_all_that_describes_them() {
    let (read, _) = look("", ALL).await;
    let snapshot = read.unwrap();
    assert_eq!(snapshot.place.cluster, "shop");
    assert_eq!(snapshot.missing, [(ServiceColor::Develop, "web-dev".to_owned())]);
    let colors: Vec<ServiceColor> = snapshot.services.iter().map(|service| service.color).collect();
    assert_eq!(colors, [ServiceColor::Blue, ServiceColor::Green]);
    assert!(snapshot.troubles().is_empty(), "{:?}", snapshot.troubles());

    let blue = snapshot.service(ServiceColor::Blue).unwrap();
    assert_eq!((blue.name.as_str(), blue.status), ("web-blue", ServiceStatus::Active));
    assert_eq!((blue.desired, blue.running, blue.pending), (2, 2, 1));
    let breaker = Breaker { rollback: true, threshold: Some(Threshold::Count(5)) };
    assert_eq!(blue.setup.breaker, Some(breaker));
    assert_eq!((blue.setup.minimum_percent, blue.setup.maximum_percent), (50, 150));
    assert_eq!((blue.setup.controller.as_str(), blue.setup.strategy.as_str()), ("ECS", "ROLLING"));
    assert_eq!(
        (blue.setup.alarms.as_slice(), blue.setup.alarms_roll_back),
        (&["web-5xx".to_owned()][..], true)
    );
    assert_eq!(blue.setup.grace, Duration::from_secs(30));
    let primary = blue.primary().unwrap();
    assert_eq!((primary.id.as_str(), primary.failed, primary.rollout), ("ecs-svc/2", 4, Rollout::InProgress));
    assert_eq!((primary.reason.as_str(), primary.created), ("going", Time(1_700_000_000_500)));
    assert_eq!(blue.events[0].message, "(service web) has begun");
    assert_eq!(part(blue.definition.as_ref()).arn, "arn:definition/web-blue:3");
}

#[tokio::test]
async fn a_group_comes_with_its_attributes_and_targets() {
    let (read, _) = look("", ALL).await;
    let snapshot = read.unwrap();
    let blue = snapshot.service(ServiceColor::Blue).unwrap();
    let group = part(blue.group.as_ref());
    assert_eq!((group.arn.as_str(), group.target_type.as_str()), ("arn:group/web-blue", "ip"));
    assert_eq!(group.balancers, [BALANCER]);
    let with = part(group.attributes.as_ref());
    assert_eq!(
        (with.deregistration_delay, with.minimum_count, with.minimum_percent),
        (Duration::from_secs(5), 2, 0)
    );
    let target = &part(blue.targets.as_ref())[0];
    assert_eq!((target.id.as_str(), target.port, target.state.as_str()), ("10.0.1.17", 8080, "unhealthy"));
    assert_eq!(target.reason.as_deref(), Some("Target.ResponseCodeMismatch"));
}

#[tokio::test]
async fn rules_come_from_all_pages_of_all_listeners() {
    let (read, server) = look("", ALL).await;
    let snapshot = read.unwrap();
    let [balancer] = part(snapshot.balancers.as_ref()).as_slice() else { panic!("one load balancer") };
    assert_eq!((balancer.name.as_str(), balancer.dns.as_str()), ("shop", "shop.example"));
    let rules: Vec<(&str, u16, Option<u32>)> =
        balancer.rules.iter().map(|rule| (rule.arn.as_str(), rule.port, rule.priority)).collect();
    assert_eq!(
        rules,
        [("arn:rule/5", 80, Some(5)), ("arn:rule/default", 80, None), ("arn:rule/test", 8080, None)]
    );
    let weighted = |group: &str, weight| Weighted { group: group.to_owned(), weight };
    assert_eq!(balancer.rules[0].actions, ["teleport", "forward"]);
    assert_eq!(*balancer.rules[0].whole, Value::Null, "what is not understood can't be sent back");
    assert_eq!(
        *balancer.rules[1].whole,
        json!([{ "Type": "forward", "Order": 1, "ForwardConfig": {
            "TargetGroups": [
                { "TargetGroupArn": "arn:group/web-blue", "Weight": 80 },
                { "TargetGroupArn": "arn:group/web-green", "Weight": 0 }
            ],
            "TargetGroupStickinessConfig": { "Enabled": true, "DurationSeconds": 60 }
        } }])
    );
    assert_eq!(
        balancer.rules[1].forward,
        [weighted("arn:group/web-blue", 80), weighted("arn:group/web-green", 0)]
    );
    assert_eq!(balancer.rules[1].stickiness, Some(Duration::from_secs(60)));
    assert_eq!(balancer.rules[2].forward, [weighted("arn:group/web-green", 1)]);
    assert_eq!(balancer.rules[2].stickiness, None);
    let pattern = |text: &str| vec![Pattern::Wildcards(text.to_owned())];
    assert_eq!(
        balancer.rules[0].conditions,
        [
            Condition::Header { name: "X-Test".to_owned(), values: pattern("yes") },
            Condition::Path(pattern("/a*")),
            Condition::Query(vec![QueryPair { key: Some("v".to_owned()), value: "2".to_owned() }]),
        ]
    );
    let asked = server.operations();
    let times = |operation: &str| asked.iter().filter(|it| *it == operation).count();
    assert_eq!(
        (times("DescribeServices"), times("DescribeLoadBalancers"), times("DescribeRules")),
        (1, 1, 3)
    );
}

#[tokio::test]
async fn tasks_come_with_the_place_of_their_targets() {
    let (read, _) = look("", ALL).await;
    let snapshot = read.unwrap();
    let blue = snapshot.service(ServiceColor::Blue).unwrap();
    let [one, two] = part(blue.tasks.as_ref()).as_slice() else { panic!("two tasks") };
    assert_eq!(
        (one.id.as_str(), one.started_by.as_str(), one.hosts.as_slice()),
        ("one", "ecs-svc/2", ["10.0.1.17", "2001:db8::17"].map(str::to_owned).as_slice())
    );
    assert_eq!(one.containers[0].digest.as_deref(), Some("sha256:abc"));
    assert_eq!((two.status.as_str(), two.hosts.as_slice()), ("PENDING", ["i-0a".to_owned()].as_slice()));
    let binding = Binding { container: "app".to_owned(), container_port: 8080, host_port: 32768 };
    assert_eq!(two.bindings, [binding]);
    let [gone] = part(blue.stopped.as_ref()).as_slice() else { panic!("one stopped task") };
    assert_eq!(gone.stop_code.as_deref(), Some("EssentialContainerExited"));
    assert_eq!(gone.stopped_at, Some(Time(1_700_000_002_000)));
    assert_eq!(gone.containers[0].exit_code, Some(137));
}

#[tokio::test]
async fn history_comes_newest_first_with_task_definitions() {
    let (read, _) = look("", ALL).await;
    let snapshot = read.unwrap();
    let history = part(snapshot.services[0].history.as_ref());
    let [newest, oldest] = history.as_slice() else { panic!("two service deployments") };
    assert_eq!(newest.status, ServiceDeploymentStatus::RolledBack);
    assert_eq!(newest.target.as_deref(), Some("arn:definition/web:2"));
    assert_eq!(newest.sources, ["arn:definition/web:1"]);
    assert_eq!((newest.reason.as_str(), newest.alarms.as_slice()), ("alarm", &["b".to_owned()][..]));
    assert_eq!(oldest.status, ServiceDeploymentStatus::Successful);
    assert_eq!((newest.number.as_deref(), oldest.number.as_deref()), (Some("2"), Some("1")));
}

#[tokio::test]
async fn scalable_targets_and_alarms_come_as_far_as_they_exist() {
    let (read, server) = look("", ALL).await;
    let snapshot = read.unwrap();
    let target = Scalable { min: 1, max: 4, ..Scalable::default() };
    let scaling: Vec<_> = snapshot.services.iter().map(|service| *part(service.scaling.as_ref())).collect();
    assert_eq!(scaling, [Some(target), None]);
    let alarm = Alarm { name: "web-5xx".to_owned(), state: AlarmState::Fine, reason: "r".to_owned() };
    assert_eq!(part(snapshot.alarms.as_ref()).as_slice(), [alarm]);
    let asked = server.operations();
    let times = |operation: &str| asked.iter().filter(|it| *it == operation).count();
    assert_eq!((times("DescribeScalableTargets"), times("DescribeAlarms")), (1, 1));
}

#[tokio::test]
async fn what_needs_only_the_services_is_asked_at_the_same_time() {
    let calls = [
        ("DescribeTargetGroups", 2),
        ("DescribeTargetGroupAttributes", 2),
        ("DescribeTargetHealth", 2),
        ("DescribeTaskDefinition", 2),
        ("ListTasks", 4),
        ("ListServiceDeployments", 2),
        ("DescribeScalableTargets", 1),
        ("DescribeAlarms", 1),
    ];
    let server = Server::start(|request, _| match request.operation().as_str() {
        "DescribeServices" => ecs(request),
        _ => Answer::Hang,
    })
    .await;
    let service = |color, name: &str| (color, name.to_owned());
    let services = vec![service(ServiceColor::Blue, "web-blue"), service(ServiceColor::Green, "web-green")];
    let names = Names { services, alarms: vec!["web-5xx".to_owned()], ..Names::default() };
    let aws = server.aws().await;
    let all_are_asked = async {
        let times = |operation: &str| server.operations().iter().filter(|it| *it == operation).count();
        while !calls.iter().all(|(operation, wanted)| times(operation) == *wanted) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        read = aws.observe(&names, ALL) => panic!("not all was asked: {:?} {:?}", server.operations(), read),
        () = all_are_asked => {}
    }
}

#[tokio::test]
async fn only_what_is_asked_for_is_read() {
    let (read, server) =
        look("", ReadScope { wiring: false, health: false, definitions: false, ..ReadScope::WHOLE }).await;
    let snapshot = read.unwrap();
    assert!(snapshot.balancers.is_none() && snapshot.services.iter().all(|service| service.group.is_none()));
    assert_eq!(server.operations(), ["DescribeServices"]);
    let (read, server) =
        look("", ReadScope { only: Some(ServiceColor::Green), wiring: false, ..ReadScope::WHOLE }).await;
    let names: Vec<String> = read.unwrap().services.into_iter().map(|service| service.name).collect();
    assert_eq!(names, ["web-green"]);
    assert_eq!(server.requests()[0].json()["services"], json!(["web-green"]));
}

#[tokio::test]
async fn a_denied_part_is_named_and_the_rest_is_there() {
    let parts = |service: &Service| {
        let mut good = 0;
        good += usize::from(matches!(service.group, Some(Ok(_))));
        good += usize::from(matches!(service.targets, Some(Ok(_))));
        good += usize::from(matches!(service.definition, Some(Ok(_))));
        good += usize::from(matches!(service.tasks, Some(Ok(_))));
        good += usize::from(matches!(service.stopped, Some(Ok(_))));
        good + usize::from(matches!(service.history, Some(Ok(_))))
    };
    // Denied operation; its IAM action; good parts of each service, of six; whether the balancers can be read.
    let table = [
        ("DescribeTargetGroups", "elasticloadbalancing:DescribeTargetGroups", 5, false),
        ("DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetGroupAttributes", 6, true),
        ("DescribeTargetHealth", "elasticloadbalancing:DescribeTargetHealth", 5, true),
        ("DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancers", 6, false),
        ("DescribeListeners", "elasticloadbalancing:DescribeListeners", 6, false),
        ("DescribeRules", "elasticloadbalancing:DescribeRules", 6, false),
        ("DescribeTaskDefinition", "ecs:DescribeTaskDefinition", 5, true),
        ("ListTasks", "ecs:ListTasks", 4, true),
        ("DescribeTasks", "ecs:DescribeTasks", 4, true),
        ("DescribeContainerInstances", "ecs:DescribeContainerInstances", 5, true),
        ("ListServiceDeployments", "ecs:ListServiceDeployments", 5, true),
        ("DescribeServiceDeployments", "ecs:DescribeServiceDeployments", 5, true),
        ("DescribeScalableTargets", "application-autoscaling:DescribeScalableTargets", 6, true),
        ("DescribeAlarms", "cloudwatch:DescribeAlarms", 6, true),
    ];
    for (operation, action, good, balancers) in table {
        let (read, _) = look(operation, ALL).await;
        let snapshot = read.unwrap();
        let troubles = snapshot.troubles();
        assert!(!troubles.is_empty(), "{operation}");
        for trouble in troubles {
            assert_eq!((trouble.action, trouble.kind), (action, AwsErrorKind::Denied));
        }
        assert_eq!(parts(&snapshot.services[0]), good, "{operation}");
        assert_eq!(matches!(snapshot.balancers, Some(Ok(_))), balancers, "{operation}");
    }
}

#[tokio::test]
async fn denied_service_revisions_leave_only_the_task_definitions_unknown() {
    let (read, _) = look("DescribeServiceRevisions", ALL).await;
    let snapshot = read.unwrap();
    let history = part(snapshot.services[0].history.as_ref());
    assert!(history.len() == 2 && history.iter().all(|it| it.target.is_none() && it.sources.is_empty()));
}

#[tokio::test]
async fn denied_services_end_the_look() {
    let (read, server) = look("DescribeServices", ALL).await;
    let trouble = read.unwrap_err();
    assert_eq!(trouble.resource, "web-blue, web-green, web-dev in cluster shop");
    assert_eq!(server.operations(), ["DescribeServices"]);
}

#[tokio::test]
async fn a_service_with_several_groups_keeps_its_links_alone() {
    let server = Server::start(|request, _| {
        let mut odd = service("web-blue");
        odd["loadBalancers"] = json!([{ "targetGroupArn": "arn:a" }, { "targetGroupArn": "arn:b" }]);
        match request.operation().as_str() {
            "DescribeServices" => answer(json!({ "services": [odd] }).to_string()),
            _ => ecs(request),
        }
    })
    .await;
    let names = Names { services: vec![(ServiceColor::Blue, "web-blue".to_owned())], ..Names::default() };
    let snapshot = server.aws().await.observe(&names, ALL).await.unwrap();
    let blue = &snapshot.services[0];
    assert_eq!(blue.setup.links.len(), 2);
    assert!(blue.group.is_none() && blue.targets.is_none());
    assert_eq!(part(snapshot.balancers.as_ref()).len(), 0);
}
