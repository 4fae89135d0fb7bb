"""This action next to other tools, on the testbed: writes the table of docs/comparison.md, in about four minutes.

The lag is the time from the end of the deployment (`updatedAt`, which the testbed sets when it completes) to the end of the
tool's process. Each deploy has a testbed of its own, where AWS's seconds are real ones, and its own deregistration delay.

OFFICIAL_ACTION is the path of `dist/index.js` of aws-actions/amazon-ecs-deploy-task-definition at the version below. Without
that file, figures of the other tools are printed, and the page is left as it is."""

import hashlib
import json
import os
import re
import statistics
import sys
import tempfile
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import botocore.session
from bed import ROOT, Bed, Failed
from bench import BINARY, Run, counting, inputs

PAGE = ROOT / "docs/comparison.md"
BEGIN, END = "<!-- Figures: .ci/run bench -->", "<!-- End of the figures -->"
OFFICIAL = os.environ.get("OFFICIAL_ACTION", "")
OFFICIAL_VERSION = "2.6.3"
OFFICIAL_HASH = "a20128a1817ebcbbc8461042379d2337077b9640131dc9e69882c814cfec0137"
# The command of ecs-deploy.
ECS = Path(sys.executable).parent / "ecs"
# Deregistration delays of the slow deploys, in seconds, and the one at which requests are counted. 13 s apart, they end at all
# times between two looks of a tool that looks every 15 s.
DELAYS = range(15, 95, 13)
COUNTED_DELAY = 54
# Deploys where AWS's seconds are short.
RUNS = 3
# Limits of the tools' waits, in minutes.
LIMIT = 4
CRASH_LIMIT = 2
# The longest mean lag of this action, in seconds.
LAG = 2
FOLDER = tempfile.TemporaryDirectory(prefix="side-by-side-")
SESSION = botocore.session.get_session()
# A session makes one client at a time.
MAKING = threading.Lock()


class Tool:
    """A tool that deploys an image to green and waits."""

    def __init__(self, name, program, variables):
        """The name in the table, the command line and the environment; both are functions of testbed, tag and limit."""
        self.name, self.program, self.variables = name, program, variables

    def run(self, bed, tag, minutes, **more):
        """One deploy, which waits for at most this many minutes."""
        variables = {**self.variables(bed, tag, minutes), **more}
        return Run(variables, program=self.program(bed, tag, minutes))

    def deploys(self, bed, tag, **more):
        """One deploy that must succeed."""
        done = self.run(bed, tag, LIMIT, **more)
        if done.code != 0:
            raise Failed(f"{self.name} exited with {done.code}:\n{done.log}")
        return done


def client(bed, name):
    """A client of the testbed."""
    keys = {name.lower(): bed.variables[name] for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]}
    place = {"region_name": bed.variables["AWS_REGION"], "endpoint_url": bed.variables["AWS_ENDPOINT_URL"]}
    with MAKING:
        return SESSION.create_client(name, **keys, **place)


def green(bed):
    """The green service."""
    return client(bed, "ecs").describe_services(cluster="shop", services=["web-green"])["services"][0]


def ours(bed, tag, _):
    """The environment of this action, with its defaults."""
    return inputs(bed, "deploy", image=f"{bed.repository}:{tag}")


def definition_file(bed, tag):
    """A file of the task definition with the image, as the official action wants it."""
    known = client(bed, "ecs").describe_task_definition(taskDefinition="web-green")["taskDefinition"]
    kept = ["family", "containerDefinitions", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn"]
    content = {name: known[name] for name in kept if name in known}
    content["containerDefinitions"][0]["image"] = f"{bed.repository}:{tag}"
    with tempfile.NamedTemporaryFile("w", dir=FOLDER.name, suffix=".json", delete=False) as file:
        json.dump(content, file)
    return file.name


def official(longest=""):
    """The environment of the official action, with its longest wait between two looks."""

    def variables(bed, tag, minutes):
        given = {
            "task-definition": definition_file(bed, tag),
            "service": "web-green",
            "cluster": "shop",
            "wait-for-service-stability": "true",
            "wait-for-minutes": str(minutes),
            "wait-max-delay-seconds": longest,
        }
        return {**bed.environment(), **{f"INPUT_{name.upper()}": value for name, value in given.items()}}

    return variables


def ecs_deploy(bed, tag, minutes):
    """The command line of ecs-deploy."""
    image = f"{bed.repository}:{tag}"
    return [ECS, "deploy", "shop", "web-green", "--image", "app", image, "--timeout", str(60 * minutes)]


def tools():
    """This action and the tools that are there."""
    found = [Tool("this action", lambda *_: [BINARY], ours)]
    if OFFICIAL:
        if hashlib.sha256(Path(OFFICIAL).read_bytes()).hexdigest() != OFFICIAL_HASH:
            raise Failed(f"{OFFICIAL} is not the bundle of version {OFFICIAL_VERSION}")
        found.append(Tool("official action", lambda *_: ["node", OFFICIAL], official()))
        found.append(Tool("with `wait-max-delay-seconds: 15`", lambda *_: ["node", OFFICIAL], official("15")))
    found.append(Tool("ecs-deploy", ecs_deploy, lambda bed, *_: bed.environment()))
    return found


def quick(tool):
    """Deploys where AWS's seconds are short."""
    with Bed() as bed:
        return [tool.deploys(bed, ["v2", "v1"][index % 2]) for index in range(RUNS)]


def crash(tool):
    """A deploy of an image that crashes, and whether the service has the earlier task definition afterwards."""
    with Bed(fast=False) as bed:
        before = green(bed)["taskDefinition"]
        done = tool.run(bed, "v3-crash", CRASH_LIMIT)
        return done, green(bed)["taskDefinition"] == before


def set_delay(bed, seconds):
    """Sets the deregistration delay of green."""
    attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": str(seconds)}
    group = green(bed)["loadBalancers"][0]["targetGroupArn"]
    client(bed, "elbv2").modify_target_group_attributes(TargetGroupArn=group, Attributes=[attribute])


def slow(tool, delay):
    """A deploy, the seconds from the end of the deployment to the end of the process, and the counted requests."""
    with Bed(fast=False) as bed, ExitStack() as stack:
        set_delay(bed, delay)
        counts, proxied = stack.enter_context(counting(bed)) if delay == COUNTED_DELAY else (None, {})
        done = tool.deploys(bed, "v2", **proxied)
        deployment = green(bed)["deployments"][0]
        if deployment["rolloutState"] != "COMPLETED":
            raise Failed(f"{tool.name} ended before the deployment:\n{done.log}")
        return done, done.ended - deployment["updatedAt"].timestamp(), counts and sum(counts.seen.values())


def measure(found):
    """The figures of each tool. The slow deploys are all under way at once: they wait, for most of the time."""
    with ThreadPoolExecutor(len(found) * (len(DELAYS) + 1)) as pool:
        crashes = [pool.submit(crash, tool) for tool in found]
        quicks = list(pool.map(quick, found))
        slows = [[pool.submit(slow, tool, delay) for delay in DELAYS] for tool in found]
        parts = zip(quicks, crashes, slows, strict=True)
        return [figures(quick, crash.result(), [one.result() for one in slows]) for quick, crash, slows in parts]


def figures(quick, crash, slows):
    """The figures of one tool."""
    (crashed, is_restored), (runs, seconds, counts) = crash, zip(*slows, strict=True)
    if crashed.code == 0:
        raise Failed(f"a crash loop was a success:\n{crashed.log}")
    return {
        "mean lag": statistics.mean(seconds),
        "longest lag": max(seconds),
        "quick": statistics.median(run.ms for run in quick) / 1000,
        "peak": max(run.peak_mib for run in [*quick, *runs]),
        "requests": counts[DELAYS.index(COUNTED_DELAY)],
        "crash": crashed.ms / 1000,
        "exit code": bool(re.search(r"exit(ed|s)?( with)?( code)? 1\b", crashed.log.lower())),
        "restored": is_restored,
    }


# The rows of the table: a figure with its decimals, or none for a fact.
ROWS = [
    ("mean lag", "seconds from the end of the deployment to the end of the step, mean", 1),
    ("longest lag", "the longest of them", 1),
    ("quick", "seconds of a whole deploy if AWS's seconds are 20 ms long", 1),
    ("peak", "peak memory, in MiB", 0),
    ("requests", f"AWS requests of a deploy with a deregistration delay of {COUNTED_DELAY} s", 0),
    ("crash", "crash loop: seconds until the step fails", 0),
    ("exit code", "crash loop: the log has the container's exit code", None),
    ("restored", "crash loop: the service has its earlier task definition again", None),
]


def cell(key, decimals, own, of):
    """A figure with its ratio to this action's, or a fact."""
    if decimals is None:
        return "yes" if of[key] else "no"
    limit = ", its limit" if key == "crash" and of[key] > 0.8 * 60 * CRASH_LIMIT else ""
    times = of[key] / own[key]
    ratio = "" if of is own else f" ({times:{'.0f' if times > 10 else '.2g'}} x)"
    return f"{of[key]:.{decimals}f}{limit}{ratio}"


def table(found, measured):
    """The table, in Markdown."""
    lines = [[text, *(cell(key, decimals, measured[0], of) for of in measured)] for key, text, decimals in ROWS]
    head = f"| | {' | '.join(tool.name for tool in found)} |\n|{'---|' * (len(found) + 1)}\n"
    return head + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def notes():
    """The conditions of the measurement."""
    text = f"""Measured by `.ci/run bench` on {os.cpu_count()} cores, on the [testbed](testbed.md) and not on AWS: the release
        build with default inputs, version {OFFICIAL_VERSION} of the official action, and version {version("ecs-deploy")} of
        ecs-deploy. In brackets: times this action's figure. The first two rows are of {len(DELAYS)} deploys per tool, with
        deregistration delays from {DELAYS[0]} to {DELAYS[-1]} s. `wait-for-minutes` of the official action is {LIMIT}, and
        {CRASH_LIMIT} in the crash loop; its default is 30."""
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False) + "\n"


def write(text):
    """Puts the text between the two comments of the page."""
    page = PAGE.read_text()
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise Failed(f"{PAGE} must have `{BEGIN}` and `{END}` once")
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.partition(END)[2]}")


def main():
    """Measures all tools, and writes the page if all are there."""
    found = tools()
    measured = measure(found)
    text = f"{table(found, measured)}\n{notes()}"
    print(text, flush=True)
    if OFFICIAL:
        write(text)
    else:
        print("OFFICIAL_ACTION is not set: docs/comparison.md is left as it is", flush=True)
    if measured[0]["mean lag"] > LAG:
        raise Failed(f"the mean lag must not be longer than {LAG} s")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"side by side: {failed}")
