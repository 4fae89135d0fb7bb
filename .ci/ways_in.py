"""The ways in: docs/getting-started.md (one service) and docs/migrate.md (a new pair), command by command as they are
written, by the AWS CLI on the testbed. Then the action works on what they made. Users ask all the while, and each gets an
answer. Only names and ports that the testbed has already are replaced."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bed import ROOT, Bed, Failed, check, get
from truth import SUBNETS, free_port, settle

NETWORK = {"awsvpcConfiguration": {"subnets": SUBNETS, "securityGroups": ["sg-0a1b2c3d4e5f67890"]}}


def blocks(document, first, last):
    """The shell blocks of a document between two headings, each as one text."""
    text = (ROOT / document).read_text()
    part = text[text.index(f"\n### {first}") : text.index(f"\n### {last}")]
    found = re.findall(r"^```sh\n(.*?)^```", part, re.S | re.M)
    return [block for block in found if not block.startswith("gh ")]


class Users:
    """Requests to production, one after the other, for the length of a `with` block."""

    def __init__(self, port):
        """Knows where to ask."""
        self.port, self.wrong, self.count, self.ended = port, [], 0, threading.Event()
        self.thread = threading.Thread(target=self.ask)

    def ask(self):
        """Asks until the block ends, and keeps each answer that is no 200."""
        while not self.ended.is_set():
            try:
                status, body = get(self.port)
            except OSError as error:
                status, body = 0, str(error)
            self.count += 1
            if status != 200:
                self.wrong.append((status, body))
            time.sleep(0.1)

    def __enter__(self):
        """Begins to ask."""
        self.thread.start()
        return self

    def __exit__(self, *_):
        """Ends."""
        self.ended.set()
        self.thread.join()


class Walk:
    """One reader in one shell, for whom a service `web` serves users behind a load balancer."""

    def __init__(self, bed, home):
        """Makes the service: what the reader has before the first command."""
        self.bed, self.variables = bed, Path(home) / "variables"
        self.ports = {name: free_port() for name in ("80", "8080", "8081", "8082")}
        made = bed.aws("elbv2", "create-load-balancer", "--subnets", *SUBNETS, name="walk")
        balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
        group = bed.aws(
            "elbv2", "create-target-group", name="web", protocol="HTTP", port="8080", vpc_id="vpc-0a1b2c3d4e5f67890",
            target_type="ip", health_check_path="/healthz",
        )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
        action = [{"Type": "forward", "TargetGroupArn": group}]
        bed.aws(
            "elbv2", "create-listener", load_balancer_arn=balancer, protocol="HTTP", port=self.ports["80"],
            default_actions=action,
        )  # fmt: skip
        bed.aws(
            "ecs", "create-service", cluster="shop", service_name="web", task_definition="web-blue:1", desired_count="2",
            launch_type="FARGATE", network_configuration=NETWORK,
            load_balancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}],
        )  # fmt: skip
        settle(bed, "web", cluster="shop")
        self.variables.write_text("")

    def placed(self, block):
        """A block with the names and ports of the testbed."""
        for name, port in self.ports.items():
            block = block.replace(f"--port {name} ", f"--port {port} ").replace(f"`{name}`", f"`{port}`")
        return block.replace("--names shop", "--names walk").replace("web-blue", "walk-blue").replace("web-green", "walk-green")

    def follows(self, *found):
        """Runs blocks; the variables of the shell stay."""
        for block in found:
            names = " ".join(sorted(set(re.findall(r"^(\w+)=\$\(", block, re.M))))
            keep = f'declare -p {names} >> "{self.variables}"' if names else ""
            script = f'set -eu; . "{self.variables}"\n{self.placed(block)}\n{keep}'
            environment = self.bed.environment()
            environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
            done = subprocess.run(
                ["bash", "-c", script], cwd=self.variables.parent, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180,
            )  # fmt: skip
            if done.returncode:
                raise Failed(f"a block of the page exited with {done.returncode}:\n{block}\n{done.stdout}")
            print("  ok: " + block.splitlines()[0][:100], flush=True)

    def acts(self, command, blue, **inputs):
        """Runs the action; gives its log. Fails if the command fails."""
        values = {"command": command, "cluster": "shop", "blue-service": blue, "green-service": "walk-green"}
        values.update({name.replace("_", "-"): value for name, value in inputs.items()})
        environment = {**self.bed.environment(), **{f"INPUT_{name.upper()}": value for name, value in values.items()}}
        binary = ROOT / "target/debug/ecs-blue-green"
        done = subprocess.run([binary], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)
        check(done.returncode == 0, f"{command}: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
        return done.stdout

    def sound(self, blue):
        """`doctor` has nothing to say, not even a warning."""
        log = self.acts("doctor", blue)
        if "Nothing was found: each command can start." not in log:
            raise Failed(f"doctor found mistakes:\n{log}")

    def serves(self, version):
        """Users get this version."""
        answer = get(self.ports["80"])
        check(answer == (200, version), f"users get {answer}")

    def releases(self, blue):
        """The action brings users to green, and back."""
        self.acts("deploy", blue, image=f"{self.bed.repository}:v2")
        self.serves("v1")
        self.acts("promote", blue, color="green", settle="2s")
        self.serves("v2")
        self.acts("rollback", blue, color="blue", settle="2s")
        self.serves("v1")


def one_service(walk):
    """Path B: the service becomes blue, and green joins it."""
    guide, production = "docs/getting-started.md", str(walk.ports["80"])
    walk.follows(*blocks(guide, "B1.", "B6."))
    walk.acts("status", "web", listener=production)
    walk.acts("redirect-traffic", "web", traffic="blue", listener=production, adopt="true")
    walk.sound("web")
    walk.releases("web")
    walk.follows(*blocks(guide, "B7.", "B8."))
    walk.serves("v1")


def new_pair(walk):
    """The new pair of migrate.md: users move by one write, and back by another."""
    walk.follows(*blocks("docs/getting-started.md", "B1.", "B2."))
    *there, back = blocks("docs/migrate.md", "2. Make the pair", "5. Use the action")
    walk.follows(*there)
    walk.acts("status", "walk-blue")
    walk.sound("walk-blue")
    walk.releases("walk-blue")
    walk.follows(back)
    walk.serves("v1")


def walked(way):
    """One way on a testbed of its own, under users."""
    with Bed() as bed, tempfile.TemporaryDirectory() as home:
        walk = Walk(bed, home)
        with Users(walk.ports["80"]) as users:
            way(walk)
        told = f"{way.__name__}: {users.count} requests, {len(users.wrong)} failed {users.wrong[:3]}"
        check(users.count > 50 and not users.wrong, told)


def small_app():
    """The app of the starter answers its health check and its users, and leaves at once when ECS stops it."""
    port = free_port()
    app = subprocess.Popen(["node", ROOT / "examples/app/server.js"], env={**os.environ, "PORT": str(port)})
    try:
        end = time.monotonic() + 20
        while app.poll() is None and time.monotonic() < end:
            try:
                check((get(port, "/healthz"), get(port)) == ((200, "ok"), (200, "version 1")), "the small app answers")
                break
            except OSError:
                time.sleep(0.1)
        app.terminate()
        check(app.wait(10) == 0, "and ends on SIGTERM")
    finally:
        app.kill()


def main():
    """The small app, then both ways at the same time."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    small_app()
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(walked, way) for way in (one_service, new_pair)]:
            done.result()


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"ways in: {failed}")
