"""`infra/` end to end: Terraform with the real provider, the testbed for what the action uses, and moto for the rest of AWS. A
reader follows path A of docs/getting-started.md; the plan stays empty; guards and refusals hold; everything is destroyed."""

import json

from bed import Bed, check, free_port
from infra_guard import rendered
from infra_permissions import compared
from infra_reader import BRANCH, WITH_IDS, Reader, walk_the_page
from infra_stage import BUCKET, NAME, REGION, Moto, Stage, plain

TRAFFIC, PRODUCTION = "environment:production-traffic", "environment:production"


def used(stage):
    """The action works by what the outputs say, with the roles that were made and no other permission."""
    attached = {job: stage.attached(f"{NAME}-{job}") for job in stage.outputs("roles")["role_to_assume"]}
    rendered(attached, stage.outputs("load-balancer")["load_balancer"])
    for job, context in {"deploy": BRANCH, "redirect": TRAFFIC, "promote": PRODUCTION}.items():
        log = stage.action("doctor", job, context)
        check("Nothing was found: each command can start." in log, f"doctor finds nothing, by the role of {job}")
    image = f"{stage.outputs('registry')['repository_url']}:{stage.tags()[0]}"
    log = stage.action("status", "promote", BRANCH, code=1)
    check("Not authorized to perform sts:AssumeRoleWithWebIdentity" in log, "a push to main can't promote")
    log = stage.action("deploy", "redirect", TRAFFIC, code=1, image=image)
    check("AWS denied `ecr:DescribeImages`" in log, "the button's role can't deploy")
    log = stage.action("deploy", "develop", "pull_request", code=1, color="blue", image=image)
    check("AWS denied `ecs:" in log, "a pull request can't deploy to blue")
    stage.action("deploy", "develop", "pull_request", color="develop", image=image)
    stage.action("redirect-traffic", "redirect", TRAFFIC, traffic="blue-80")


def unchanged(stage):
    """No plan undoes what the action did."""
    stage.run("plan", "all")
    text = stage.summary()
    changed = [line for line in text.splitlines() if line.startswith(("###", "-")) and "no changes" not in line]
    check(not changed and text.count(": no changes") == 8, f"after the action no plan has a change {changed}")


def edited(stage, name, before, after):
    """Changes a text of a file; gives what was there."""
    path = stage.terraform / name
    text = path.read_text()
    check(before in text, f"{name} has `{before}`")
    path.write_text(text.replace(before, after))
    return text


def controls(stage):
    """Without one of its guards, each directory would undo the action or replace production; and that is seen."""
    listeners = edited(stage, "load-balancer/listeners.tf", "ignore_changes", "# ignore_changes")
    said = stage.run("plan", "load-balancer", code=1)
    check("production would get another split" in said, "without ignore_changes the plan resets the split, and is refused")
    (stage.terraform / "load-balancer/listeners.tf").write_text(listeners)

    stage.variables("load-balancer", **{**stage.balancer, "rules": {"api": {"priority": 20, "paths": ["/api/*"]}}})
    said = stage.run("plan", "load-balancer", code=3)
    check("Instance cannot be destroyed" in said, "prevent_destroy stops a new priority")
    stage.variables("load-balancer", **stage.balancer, container_port=9000)
    said = stage.run("plan", "load-balancer", code=3)
    check("Instance cannot be destroyed" in said, "and a new port of the target groups")
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/1"
    stage.variables("load-balancer", **stage.balancer, certificate=certificate)
    said = plain(stage.run("apply", "load-balancer", code=3))
    check("A load balancer takes one of its own region, eu-west-1." in said, "a certificate in another region makes nothing")
    stage.variables("load-balancer", **{**stage.balancer, "rules": {"api": {"priority": 20, "paths": ["/api/*"]}}})
    edited(stage, "load-balancer/listeners.tf", "prevent_destroy", "# prevent_destroy")
    said = stage.run("apply", "load-balancer", code=1)
    check('production["api"] would be replaced' in said, "without it the apply is refused all the same")
    (stage.terraform / "load-balancer/listeners.tf").write_text(listeners)
    stage.variables("load-balancer", **stage.balancer)

    services = edited(stage, "services/main.tf", "ignore_changes", "# ignore_changes")
    stage.run("plan", "services")
    text = stage.summary()
    check("task_definition" in text and "desired_count" in text, "without ignore_changes the plan undoes the deploy")
    (stage.terraform / "services/main.tf").write_text(services)


def locked(stage):
    """Another run's lock stops an apply."""
    s3, key = stage.client("s3", stage.moto.url), f"{NAME}/observability.tfstate.tflock"
    lock = {"ID": "6b6fd2f4-0000-4000-8000-000000000000", "Operation": "OperationTypeApply", "Who": "someone@elsewhere"}
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(lock))
    said = stage.run("apply", "observability", code=3)
    check("Error acquiring the state lock" in said and "someone@elsewhere" in said, "another run's lock stops an apply")
    s3.delete_object(Bucket=BUCKET, Key=key)


# A directory, its variables, and the sentence that refuses them.
BAD = [
    ("network", {"zones": [f"{REGION}a"]}, "`zones` must name at least two different zones: a load balancer needs two."),
    ("network", {"cidr": "10.0.0.0/24"}, "`cidr` must be a range of IPv4 addresses with /16 to /20, such as 10.0.0.0/16."),
    ("registry", {"keep_images": 5}, "`keep_images` must be a whole number, at least 20: what both colors run has to stay."),
    (
        "dns", {"domain": "shop.example.com"},
        "`domain` is set, so `zone` must name the hosted zone in Route 53 that holds it, such as example.com.",
    ),
]  # fmt: skip

def refused(stage):
    """What is typed wrongly, or too early, gets a sentence and makes nothing."""
    for directory, values, sentence in BAD:
        stage.variables(directory, **values)
        check(sentence in plain(stage.run("apply", directory, code=3)), sentence)
        (stage.terraform / directory / "terraform.tfvars.json").unlink()
    said = plain(stage.run("apply", "registry", code=3, TF_VAR_name="a-name-of-twenty-five-cha"))
    check("`name` must have 2 to 24 characters" in said, "a name that is too long for a target group")
    said = stage.run("apply", "services", code=4)
    check("services needs cluster load-balancer network registry roles: apply that first." in said, "services needs five others")
    for words, sentence in {
        ("destroy", "all"): f"to destroy all, type the name, {NAME}",
        ("destroy", "services", "other"): f"to destroy services, type the name, {NAME}",
        ("apply", "netwrok"): "`netwrok` is none of network",
    }.items():
        check(sentence in stage.run(*words, code=2), sentence)
    said = stage.run("apply", "load-balancer", code=2, ALLOW_REPLACE="yes")
    check("type allow-replace" in said, "`yes` allows no replacement")
    left = stage.client("s3", stage.moto.url).list_objects_v2(Bucket=BUCKET)
    check(left["KeyCount"] == 0, "no state was written")
    vpcs = [vpc for vpc in stage.client("ec2", stage.moto.url).describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    check(not vpcs, "nothing was made")


def bad_input(tools):
    """Wrong input, in an account without anything but the bucket of the states."""
    home = tools / "infra/refused"
    with Bed() as bed, Moto(home.parent / "moto-refused.log") as moto:
        stage = Stage(home, tools / "infra/providers", bed, moto)
        stage.makes_bucket()
        refused(stage)


def destroyed(stage):
    """Everything goes, in reverse order."""
    stage.empties()
    role, before = f"{NAME}-infra-apply", len(stage.moto.noted())
    policies = stage.attached(role)
    stage.run("destroy", "all", NAME)
    compared(role, policies, stage.moto.noted()[before:])
    world = stage.bed.variables["AWS_ENDPOINT_URL"]
    left = [len(stage.client("elbv2", world).describe_load_balancers()["LoadBalancers"])]
    left.append(len(stage.client("ecs", world).list_clusters()["clusterArns"]))
    check(left == [1, 1], "what is left is the testbed's own stack")


def end_to_end(tools):
    """The whole walk."""
    home = tools / "infra/stage"
    with Bed() as bed, Moto(home.parent / "moto.log") as moto:
        stage = Stage(home, tools / "infra/providers", bed, moto)
        stage.variables("network", zones=[f"{REGION}a", f"{REGION}b"])
        ports = {name: free_port() for name in ("production", "blue", "green", "develop")}
        stage.balancer = {"ports": ports, "rules": {"api": {"priority": 10, "paths": ["/api/*"]}}}
        stage.variables("load-balancer", **stage.balancer)
        reader = Reader(stage, tools)
        stage.variables("roles", repository_with_ids=WITH_IDS)
        walk_the_page(reader)
        for part in (used, unchanged, controls, locked, destroyed):
            part(stage)
