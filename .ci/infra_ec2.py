"""`capacity = "ec2"` end to end: an Auto Scaling group of instances in place of Fargate. moto has launch templates and groups,
and starts no agent: the instances that it gives are registered with the testbed, as their agents would."""

import json
import re

from bed import ROOT, Bed, check, free_port
from infra_e2e import unchanged
from infra_permissions import compared
from infra_reader import BRANCH
from infra_stage import NAME, REGION, Moto, Stage, plain


def bootstrapped(stage):
    """The stack of bootstrap.yml, with the role that applies."""
    values = {"Name": NAME, "Repository": stage.repository}
    stage.client("cloudformation", stage.moto.url).create_stack(
        StackName="bootstrap", TemplateBody=(ROOT / "infra/bootstrap.yml").read_text(), Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
    )  # fmt: skip
    stage.attaches()


def made(stage):
    """The cluster asks for an instance type, and makes nothing without one; then all directories are applied."""
    stage.run("apply", "network")
    said = stage.run("apply", "cluster", code=3)
    sentence = 'network has capacity = "ec2", so `instance_type` must be set, such as t3.small.'
    check(sentence in plain(said), sentence)
    check(not stage.exists("cluster"), "and nothing is made without one")
    stage.variables("cluster", instance_type="t3.small")
    stage.run("apply", "cluster")
    joins(stage)
    stage.run("apply", "registry")
    ecr = stage.client("ecr", stage.bed.variables["AWS_ENDPOINT_URL"])
    for tag in ("initial", "v2"):
        ecr.put_image(repositoryName=f"{NAME}/web", imageTag=tag, imageManifest="{}")
    stage.run("apply", "all")


def joins(stage):
    """The group's instances join the cluster, as their agents would bring them there."""
    ecs = stage.client("ecs", stage.bed.variables["AWS_ENDPOINT_URL"])
    group = stage.client("autoscaling", stage.moto.url).describe_auto_scaling_groups()["AutoScalingGroups"][0]
    check(len(group["Instances"]) == 2, "two instances, as `instances` says by default")
    for instance in group["Instances"]:
        document = json.dumps({"instanceId": instance["InstanceId"], "region": REGION})
        ecs.register_container_instance(cluster=NAME, instanceIdentityDocument=document)


def sound(stage):
    """The instances are private, ask for tokens, stay when ECS wants them, and need no bastion."""
    ec2, groups = stage.client("ec2", stage.moto.url), stage.client("autoscaling", stage.moto.url)
    template = ec2.describe_launch_template_versions(LaunchTemplateName=stage.template())["LaunchTemplateVersions"][0]
    data = template["LaunchTemplateData"]
    check(data["MetadataOptions"]["HttpTokens"] == "required", "IMDSv2 alone")
    check(data["NetworkInterfaces"][0]["AssociatePublicIpAddress"] is False, "no public address")
    group = groups.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    check(group["NewInstancesProtectedFromScaleIn"], "the group takes no instance by itself")
    ecs = stage.client("ecs", stage.bed.variables["AWS_ENDPOINT_URL"])
    provider = ecs.describe_capacity_providers(capacityProviders=[f"{NAME}-instances"])["capacityProviders"][0]
    settings = provider["autoScalingGroupProvider"]
    check(settings["autoScalingGroupArn"] == group["AutoScalingGroupARN"], "the capacity provider is that of the group")
    check(settings["managedTerminationProtection"] == "ENABLED", "ECS decides which instance goes")
    attached = stage.client("iam", stage.moto.url).list_attached_role_policies(RoleName=f"{NAME}-instance")
    names = [policy["PolicyName"] for policy in attached["AttachedPolicies"]]
    check("AmazonSSMManagedInstanceCore" in names, "Session Manager in place of a bastion")
    service = ecs.describe_services(cluster=NAME, services=[f"{NAME}-blue"])["services"][0]
    strategy = [item["capacityProvider"] for item in service["capacityProviderStrategy"]]
    check(strategy == [f"{NAME}-instances"] and "launchType" not in service, "services run on the instances")


def used(stage):
    """Tasks start on the instances, and the action deploys there."""
    stage.client("ecs", stage.bed.variables["AWS_ENDPOINT_URL"]).get_waiter("services_stable").wait(
        cluster=NAME, services=[f"{NAME}-{color}" for color in ("blue", "green", "develop")], WaiterConfig={"Delay": 1}
    )
    log = stage.action("doctor", "status", BRANCH)
    check("Nothing was found: each command can start." in log, "doctor finds nothing")
    stage.action("deploy", "deploy", BRANCH, image=stage.outputs("registry")["repository_url"] + ":v2")


def destroyed(stage):
    """Everything goes. Today's provider takes the protection from the instances itself; their agents end with them."""
    for directory in ("observability", "services"):
        stage.run("destroy", directory, NAME)
    ecs = stage.client("ecs", stage.bed.variables["AWS_ENDPOINT_URL"])
    for arn in ecs.list_container_instances(cluster=NAME)["containerInstanceArns"]:
        ecs.deregister_container_instance(cluster=NAME, containerInstance=arn)
    groups = stage.client("autoscaling", stage.moto.url)
    group = groups.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    groups.set_instance_protection(
        AutoScalingGroupName=group["AutoScalingGroupName"], ProtectedFromScaleIn=False,
        InstanceIds=[instance["InstanceId"] for instance in group["Instances"]],
    )  # fmt: skip
    stage.empties()
    stage.run("destroy", "all", NAME)


def on_ec2(tools):
    """The walk on instances."""
    # moto gives a launch template's own tags back as those of its instances, which would be a change in each plan.
    tags = re.compile(r"^  default_tags \{.*?^  \}\n", re.S | re.M)
    home = tools / "infra/ec2"
    with Bed() as bed, Moto(home.parent / "moto-ec2.log") as moto:
        stage = Stage(home, tools / "infra/providers", bed, moto)
        bootstrapped(stage)
        versions = stage.terraform / "cluster/versions.tf"
        versions.write_text(tags.sub("", versions.read_text()))
        stage.variables("network", zones=[f"{REGION}a", f"{REGION}b"], capacity="ec2")
        ports = {name: free_port() for name in ("production", "blue", "green", "develop")}
        stage.variables("load-balancer", ports=ports)
        for part in (made, sound, used, unchanged, destroyed):
            part(stage)
        compared(f"{NAME}-infra-apply", stage.attached(f"{NAME}-infra-apply"), moto.noted())
