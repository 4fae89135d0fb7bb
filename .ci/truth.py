"""Is the testbed like AWS? Asked with tools that nobody here wrote: the AWS CLI and PyPI's ecs-deploy, each answer held
against botocore's model (strict.py). They build a stack from nothing, use it, break it, and take it away again."""

import json
import sys
import time
import urllib.request
from collections import Counter

import botocore.session
import strict
from bed import Bed, Failed, check, free_port, get

CLUSTER = "truth"
SUBNETS = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
NETWORK = {"awsvpcConfiguration": {"subnets": SUBNETS, "securityGroups": ["sg-0a1b2c3d4e5f67890"]}}
LOGS = {"awslogs-group": "/truth", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "web"}
BREAKER = {
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
}
# A short sleep between two looks of our own; the waiters of the AWS CLI sleep as they like.
PAUSE = 0.2


def strictness():
    """The look at raw answers finds what is planted: this check can fail."""
    model = botocore.session.get_session().get_service_model
    planted = b'{"services": [{"status": 1, "launchType": "MOON", "pendingCount": true, "color": "blue"}], "failures": {}}'
    strict.walk(planted, model("ecs").operation_model("DescribeServices").output_shape)
    planted = (
        b'<R xmlns="x"><DescribeRulesResult><Rules><member><IsDefault>yes</IsDefault><Rule/></member></Rules>'
        b"</DescribeRulesResult><ResponseMetadata/></R>"
    )
    strict.walk(planted, model("elbv2").operation_model("DescribeRules").output_shape)
    # {"MetricAlarms": [{"Period": "1", "Mood": 1}]} in CBOR.
    planted = b"\xa1\x6cMetricAlarms\x81\xa2\x66Period\x611\x64Mood\x01"
    strict.walk(planted, model("cloudwatch").operation_model("DescribeAlarms").output_shape)
    found = [problem.split(":")[0].split(".")[-1] for problem in strict.PROBLEMS]
    wanted = ["status", "launchType", "pendingCount", "color", "failures", "IsDefault", "Rule", "Period", "Mood"]
    check(found == wanted, "what no model knows is found in a planted answer")


def identity(bed):
    """Who we are."""
    who = bed.aws("sts", "get-caller-identity")
    check(who["Account"] in who["Arn"] and who["UserId"], f"sts: {who['Arn']}")


def web_identity(bed):
    """A run's token opens the role that trusts it, and no other."""
    url = bed.github["ACTIONS_ID_TOKEN_REQUEST_URL"] + "&audience=sts.amazonaws.com"
    headers = {"authorization": "Bearer " + bed.github["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=headers), timeout=5) as answer:
        token = json.load(answer)["value"]
    role = "arn:aws:iam::123456789012:role/"
    words = ["sts", "assume-role-with-web-identity"]
    options = {"role_session_name": "run-1", "web_identity_token": token}
    opened = bed.aws(*words, role_arn=role + "deploy", **options)
    keys, arn = opened["Credentials"], opened["AssumedRoleUser"]["Arn"]
    check(opened["SubjectFromWebIdentityToken"].startswith("repo:octo-org/shop:"), f"the token opens {arn}")
    said = bed.aws(*words, code=255, role_arn=role + "other", **options)
    check("AccessDenied" in said, "and not a role that does not trust it")
    before = dict(bed.variables)
    names = {"AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey", "AWS_SESSION_TOKEN": "SessionToken"}
    bed.variables.update({name: keys[key] for name, key in names.items()})
    check(bed.aws("sts", "get-caller-identity")["Arn"] == arn, "its keys are those of the session")
    bed.variables = before


def images(bed):
    """A repository with images; gives the reference without a tag."""
    made = bed.aws("ecr", "create-repository", repository_name="truth/web")["repository"]
    for tag in ["v1", "v2", "v3-crash"]:
        bed.aws("ecr", "put-image", repository_name="truth/web", image_tag=tag, image_manifest="{}")
    details = bed.aws("ecr", "describe-images", repository_name="truth/web")["imageDetails"]
    digests = {detail["imageTags"][0]: detail["imageDigest"] for detail in details}
    check(sorted(digests) == ["v1", "v2", "v3-crash"], "ecr describe-images has the tags that were pushed")
    one = bed.aws("ecr", "describe-images", repository_name="truth/web", image_ids=[{"imageTag": "v2"}])["imageDetails"]
    check([image["imageDigest"] for image in one] == [digests["v2"]], "ecr describe-images finds a tag's digest")
    said = bed.aws("ecr", "describe-images", code=255, repository_name="truth/web", image_ids=[{"imageTag": "v9"}])
    check("ImageNotFoundException" in said, "ecr describe-images refuses a tag that is not there")
    return made["repositoryUri"]


def within(sent, read):
    """Whether what was sent is in what is read; AWS adds its defaults."""
    if isinstance(sent, dict):
        return all(key in read and within(value, read[key]) for key, value in sent.items())
    if isinstance(sent, list):
        return len(sent) == len(read) and all(map(within, sent, read))
    return sent == read


def register(bed, family, image):
    """Registers a task definition; gives its ARN."""
    container = {
        "name": "app",
        "image": image,
        "essential": True,
        "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
        "environment": [{"name": "STAGE", "value": "truth"}],
        "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 5, "timeout": 2, "retries": 2, "startPeriod": 1},
        "logConfiguration": {"logDriver": "awslogs", "options": LOGS},
    }
    answer = bed.aws(
        "ecs",
        "register-task-definition",
        family=family,
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        execution_role_arn="arn:aws:iam::123456789012:role/truth-execution",
        container_definitions=[container],
        tags=[{"key": "team", "value": "truth"}],
    )
    arn = answer["taskDefinition"]["taskDefinitionArn"]
    read = bed.aws("ecs", "describe-task-definition", task_definition=arn, include="TAGS")
    kept = read["taskDefinition"]["containerDefinitions"][0]
    check(within(container, kept), f"{arn.split('/')[1]} reads back as it was registered")
    check(read["tags"] == [{"key": "team", "value": "truth"}], "with its tags")
    return arn


def group(bed, name):
    """A target group with quick health checks; gives its ARN."""
    made = bed.aws(
        "elbv2",
        "create-target-group",
        name=name,
        protocol="HTTP",
        port="8080",
        vpc_id="vpc-0a1b2c3d4e5f67890",
        target_type="ip",
        health_check_path="/healthz",
        health_check_interval_seconds="5",
        health_check_timeout_seconds="2",
        healthy_threshold_count="2",
        unhealthy_threshold_count="2",
    )["TargetGroups"][0]
    arn = made["TargetGroupArn"]
    drain = {"Key": "deregistration_delay.timeout_seconds", "Value": "5"}
    bed.aws("elbv2", "modify-target-group-attributes", target_group_arn=arn, attributes=[drain])
    attributes = bed.aws("elbv2", "describe-target-group-attributes", target_group_arn=arn)["Attributes"]
    check(drain in attributes, f"target group {name} keeps its attributes")
    return arn


def forward(groups):
    """A forward action to groups with weights."""
    tuples = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": tuples}}]


def balancer(bed):
    """A load balancer with a production listener over two groups and a rule; gives what the other checks need."""
    made = bed.aws("elbv2", "create-load-balancer", "--subnets", *SUBNETS, name="truth")["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    bed.aws("elbv2", "wait", "load-balancer-available", load_balancer_arns=arn)
    blue, green = group(bed, "truth-blue"), group(bed, "truth-green")
    port = free_port()
    listener = bed.aws(
        "elbv2",
        "create-listener",
        load_balancer_arn=arn,
        protocol="HTTP",
        port=str(port),
        default_actions=forward([(blue, 100), (green, 0)]),
    )["Listeners"][0]["ListenerArn"]
    rule = bed.aws(
        "elbv2",
        "create-rule",
        listener_arn=listener,
        priority="10",
        conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/green/*"]}}],
        actions=forward([(green, 1)]),
    )["Rules"][0]
    rules = bed.aws("elbv2", "describe-rules", listener_arn=listener)["Rules"]
    check([rule["Priority"] for rule in rules] == ["10", "default"], "the listener has its rule and its default")
    check(rules[0] == rule, "the rule reads back as it was made")
    groups = bed.aws("elbv2", "describe-target-groups", load_balancer_arn=arn)["TargetGroups"]
    check({group["TargetGroupArn"] for group in groups} == {blue, green}, "the balancer has both target groups")
    return {"balancer": arn, "listener": listener, "port": port, "rule": rule["RuleArn"], "blue": blue, "green": green}


def service(bed, name, definition, target_group):
    """Creates a service and waits until AWS's own waiter finds it stable."""
    bed.aws(
        "ecs",
        "create-service",
        cluster=CLUSTER,
        service_name=name,
        task_definition=definition,
        desired_count="2",
        launch_type="FARGATE",
        network_configuration=NETWORK,
        deployment_configuration=BREAKER,
        load_balancers=[{"targetGroupArn": target_group, "containerName": "app", "containerPort": 8080}],
    )
    stable(bed, name, definition)
    bed.aws("elbv2", "wait", "target-in-service", target_group_arn=target_group)
    health = bed.aws("elbv2", "describe-target-health", target_group_arn=target_group)["TargetHealthDescriptions"]
    check([target["TargetHealth"]["State"] for target in health] == ["healthy"] * 2, f"{name} has 2 healthy targets")


def stable(bed, name, definition):
    """`aws ecs wait services-stable` returns, and the service runs this task definition and nothing else."""
    # The waiter sleeps 15 s after a look that came too early.
    settle(bed, name)
    bed.aws("ecs", "wait", "services-stable", cluster=CLUSTER, services=name)
    now = bed.service(CLUSTER, name)
    check(len(now["deployments"]) == 1 and now["runningCount"] == 2, f"{name} is stable with 2 running")
    check(now["taskDefinition"] == definition, f"{name} runs {definition.split('/')[1]}")


def settle(bed, name, seconds=60, cluster=CLUSTER):
    """Waits until one deployment is left that is not in progress."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        deployments = bed.service(cluster, name)["deployments"]
        if len(deployments) == 1 and deployments[0]["rolloutState"] != "IN_PROGRESS":
            return
        time.sleep(PAUSE)
    raise Failed(f"{name} did not settle within {seconds} s")


def share(port, path="/", count=500):
    """How often each answer comes, of so many requests."""
    return Counter(get(port, path) for _ in range(count))


def updates(bed, stack, definition):
    """An update of green reaches its targets; users on blue see nothing."""
    bed.aws("ecs", "update-service", cluster=CLUSTER, service="green", task_definition=definition)
    stable(bed, "green", definition)
    check(share(stack["port"], "/green/", 20) == {(200, "v2"): 20}, "the rule's traffic gets v2")
    check(share(stack["port"], "/", 20) == {(200, "v1"): 20}, "production gets v1")
    tasks = bed.aws("ecs", "list-tasks", cluster=CLUSTER, service_name="green")["taskArns"]
    told = bed.aws("ecs", "describe-tasks", "--tasks", *tasks, cluster=CLUSTER)["tasks"]
    check({task["taskDefinitionArn"] for task in told} == {definition}, "the tasks of green run it")


def weights(bed, stack):
    """Weights read back and show in traffic."""
    for blue, green in [(80, 20), (0, 100), (50, 50), (100, 0)]:
        wanted = forward([(stack["blue"], blue), (stack["green"], green)])
        bed.aws("elbv2", "modify-listener", listener_arn=stack["listener"], default_actions=wanted)
        read = bed.aws("elbv2", "describe-listeners", listener_arns=stack["listener"])["Listeners"][0]
        tuples = read["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        check(tuples == wanted[0]["ForwardConfig"]["TargetGroups"], f"weights {blue}/{green} read back")
        seen = share(stack["port"])
        share_of_green = seen[(200, "v2")] / 5
        check(set(seen) <= {(200, "v1"), (200, "v2")}, "every request is answered")
        # 500 requests: 7 points are more than three standard deviations; at 0 and 100 there are none.
        slack = 7 if blue and green else 0
        check(abs(share_of_green - green) <= slack, f"{share_of_green:.1f} % of the requests went to green")
    said = bed.aws(
        "elbv2", "modify-listener", code=255, listener_arn=stack["listener"],
        default_actions=forward([(stack["blue"], 1000)] * 2),
    )  # fmt: skip
    check("ValidationError" in said or "Invalid" in said or "Duplicate" in said, "wrong weights are refused")


def rolls_back(bed, stack, crash):
    """A crashing image: the breaker trips and rolls back, and the service deployment says so."""
    before = bed.service(CLUSTER, "green")["taskDefinition"]
    bed.aws("ecs", "update-service", cluster=CLUSTER, service="green", task_definition=crash)
    settle(bed, "green")
    bed.aws("ecs", "wait", "services-stable", cluster=CLUSTER, services="green")
    now = bed.service(CLUSTER, "green")
    check(now["taskDefinition"] == before, f"after the crash green runs {before.split('/')[1]} again")
    listed = bed.aws("ecs", "list-service-deployments", cluster=CLUSTER, service="green")["serviceDeployments"]
    # AWS documents no order of the list.
    brief = max(listed, key=lambda one: one["createdAt"])
    told = bed.aws("ecs", "describe-service-deployments", service_deployment_arns=brief["serviceDeploymentArn"])
    told = told["serviceDeployments"][0]
    check(told["status"] == "ROLLBACK_SUCCESSFUL", f"its service deployment is {told['status']}")
    breaker = told["deploymentCircuitBreaker"]["status"]
    check(breaker == "TRIGGERED", f"its circuit breaker is {breaker}")
    check("circuit breaker" in told["statusReason"], f"the reason: {told['statusReason']}")
    revision = told["targetServiceRevision"]["arn"]
    told = bed.aws("ecs", "describe-service-revisions", service_revision_arns=revision)["serviceRevisions"][0]
    check(told["taskDefinition"] == crash, "its target revision is of the crashing task definition")
    stopped = bed.aws("ecs", "list-tasks", cluster=CLUSTER, service_name="green", desired_status="STOPPED")["taskArns"]
    tasks = bed.aws("ecs", "describe-tasks", "--tasks", *stopped, cluster=CLUSTER)["tasks"]
    crashed = [task for task in tasks if task["taskDefinitionArn"] == crash]
    check({task["stopCode"] for task in crashed} == {"EssentialContainerExited"}, "the tasks that crashed say so")
    check(share(stack["port"], "/green/", 20) == {(200, "v2"): 20}, "the rule's traffic gets v2 all the same")


def other_tool(bed, stack, repository):
    """ecs-deploy deploys, and takes a rollback for a success: it only looks for one deployment that runs."""
    said = bed.run("ecs", "deploy", CLUSTER, "green", "--image", "app", f"{repository}:v1", "--timeout", "60")
    check("Deployment successful" in said, "ecs-deploy deploys v1")
    check(share(stack["port"], "/green/", 20) == {(200, "v1"): 20}, "the rule's traffic gets v1")
    before = bed.service(CLUSTER, "green")["taskDefinition"]
    options = ["--timeout", "60", "--no-deregister", "--ignore-warnings"]
    said = bed.run("ecs", "deploy", CLUSTER, "green", "--image", "app", f"{repository}:v3-crash", *options)
    check("Deployment successful" in said, "ecs-deploy calls a deployment that was rolled back a success")
    check(bed.service(CLUSTER, "green")["taskDefinition"] == before, "though green runs what it ran before")


def alarms(bed):
    """Alarms on a metric of our own: one follows it, a composite one follows that."""
    shown = {"namespace": "Truth", "metric_name": "Orders"}
    bed.aws(
        "cloudwatch", "put-metric-alarm", alarm_name="orders", **shown, statistic="Maximum", period="10",
        evaluation_periods="1", threshold="5", comparison_operator="GreaterThanThreshold", treat_missing_data="notBreaching",
    )  # fmt: skip
    rule = 'ALARM("orders")'
    bed.aws("cloudwatch", "put-composite-alarm", alarm_name="any", alarm_rule=rule)
    metric_data = [{"MetricName": "Orders", "Value": 7.5}]
    bed.aws("cloudwatch", "put-metric-data", namespace="Truth", metric_data=metric_data)
    now = time.time()
    queries = [{"Id": "m", "MetricStat": {"Metric": {"Namespace": "Truth", "MetricName": "Orders"}, "Period": 60, "Stat": "Sum"}}]
    data = bed.aws("cloudwatch", "get-metric-data", metric_data_queries=queries, start_time=str(now - 60), end_time=str(now + 60))
    check(data["MetricDataResults"][0]["Values"] == [7.5], "get-metric-data gives what was put")
    kinds = ["MetricAlarm", "CompositeAlarm"]
    bed.aws("cloudwatch", "set-alarm-state", alarm_name="any", state_value="ALARM", state_reason="by hand")
    told = bed.aws("cloudwatch", "describe-alarms", "--alarm-types", *kinds, alarm_names=["orders", "any"])
    check(told["CompositeAlarms"][0]["StateReason"] == "by hand", "set-alarm-state sets a composite alarm")
    check(told["MetricAlarms"][0]["Threshold"] == 5.0, "describe-alarms gives both kinds when asked for both")
    known = bed.aws("cloudwatch", "list-metrics", **shown)["Metrics"]
    check([metric["MetricName"] for metric in known] == ["Orders"], "list-metrics knows what was put")
    said = bed.aws("cloudwatch", "put-metric-alarm", code=255, alarm_name="x", evaluation_periods="1",
                   comparison_operator="GreaterThanThreshold")  # fmt: skip
    check("ValidationError" in said, "an alarm that watches nothing is refused")
    bed.aws("cloudwatch", "delete-alarms", alarm_names=["orders", "any"])
    said = bed.aws("cloudwatch", "delete-alarms", code=255, alarm_names=["orders"])
    check("ResourceNotFound" in said, "an alarm that is gone can't be deleted")


def takes_away(bed, stack):
    """Everything can be taken away again."""
    said = bed.aws("elbv2", "delete-target-group", code=255, target_group_arn=stack["green"])
    check("ResourceInUse" in said, "a target group that a listener forwards to stays")
    for name in ["blue", "green"]:
        bed.aws("ecs", "update-service", cluster=CLUSTER, service=name, desired_count="0")
        bed.aws("ecs", "delete-service", "--force", cluster=CLUSTER, service=name)
    bed.aws("ecs", "wait", "services-inactive", cluster=CLUSTER, services="green")
    gone = bed.aws("ecs", "describe-services", cluster=CLUSTER, services="nobody")
    check(gone["failures"][0]["reason"] == "MISSING", "an unknown service is MISSING")
    bed.aws("elbv2", "delete-rule", rule_arn=stack["rule"])
    bed.aws("elbv2", "delete-listener", listener_arn=stack["listener"])
    bed.aws("elbv2", "delete-load-balancer", load_balancer_arn=stack["balancer"])
    for color in ["blue", "green"]:
        bed.aws("elbv2", "delete-target-group", target_group_arn=stack[color])
    said = bed.aws("elbv2", "describe-load-balancers", code=255, names="truth")
    check("LoadBalancerNotFound" in said, "the load balancer is gone")


def main():
    """All checks in order; the first that does not hold ends them."""
    strictness()
    with Bed() as bed:
        identity(bed)
        web_identity(bed)
        repository = images(bed)
        bed.aws("ecs", "create-cluster", cluster_name=CLUSTER)
        told = bed.aws("ecs", "describe-clusters", clusters=CLUSTER)["clusters"][0]
        check(told["status"] == "ACTIVE", "the cluster is ACTIVE")
        stack = balancer(bed)
        first = register(bed, "truth", f"{repository}:v1")
        for color in ["blue", "green"]:
            service(bed, color, first, stack[color])
        updates(bed, stack, register(bed, "truth", f"{repository}:v2"))
        weights(bed, stack)
        rolls_back(bed, stack, register(bed, "truth", f"{repository}:v3-crash"))
        other_tool(bed, stack, repository)
        alarms(bed)
        takes_away(bed, stack)


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"truth: {failed}")
