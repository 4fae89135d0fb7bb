"""How fast and how small the release build is, against the testbed: `.ci/run bench`.

Times are of whole processes, start to end. Memory is the kernel's peak of the process (`/usr/bin/time`'s %M). Requests are
counted in runs of their own, by a small proxy in front of the testbed, which would disturb the times. The image is pulled from
a registry on this machine, so its time has no network in it."""

import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bed import ROOT, Bed, Failed
from container import IMAGE, engine
from registry import Registry

BINARY = Path(os.environ.get("BENCH_BINARY", ROOT / "target/image/ecs-blue-green"))
# What is promised: an answer to a missing input, and the peak of a whole deploy.
MISSING_INPUT_MS = 10
DEPLOY_PEAK_MIB = 20
PULLS = 5


class Run:
    """One run of the binary in a cleared environment: its time, peak and exit code."""

    def __init__(self, variables, weigh=True, program=(BINARY,)):
        """Runs it to its end. Not weighed, its time is its own alone, without that of `time`."""
        with tempfile.TemporaryDirectory() as folder:
            peak = Path(folder) / "peak"
            files = {f"GITHUB_{name}": f"{folder}/{name}" for name in ["OUTPUT", "STATE", "STEP_SUMMARY"]}
            for file in files.values():
                Path(file).touch()
            command = ["/usr/bin/time", "--format", "%M", "--output", peak, *program] if weigh else [*program]
            began = time.perf_counter()
            done = subprocess.run(
                command, env={**files, **variables}, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
            )
            self.ms = (time.perf_counter() - began) * 1000
            self.ended = time.time()
            self.code = done.returncode
            self.log = done.stdout + done.stderr
            self.peak_mib = int(peak.read_text().split()[-1]) / 1024 if weigh else None


def inputs(bed, command, **more):
    """The environment of a command on the sample stack."""
    given = {"command": command, "cluster": "shop", "blue-service": "web-blue", "green-service": "web-green", **more}
    return {**bed.variables, **{f"INPUT_{name.upper()}": value for name, value in given.items()}}


def deploy(bed, index):
    """The environment of a deploy; by turns of two versions, so that there is always something to do."""
    return inputs(bed, "deploy", image=f"{bed.repository}:v{index % 2 + 1}", **{"poll-interval": "100ms"})


def measure(name, count, variables, code=0, weigh=True):
    """Runs a scene several times and prints what it took; gives the median time and the highest peak."""
    runs = []
    for index in range(count):
        run = Run(variables(index), weigh)
        if run.code != code:
            raise Failed(f"{name} exited with {run.code}, not {code}:\n{run.log}")
        runs.append(run)
    times, peak = [run.ms for run in runs], max(run.peak_mib or 0 for run in runs)
    middle = statistics.median(times)
    weight = f", peak {peak:.1f} MiB" if weigh else ""
    spread = f"{min(times):.1f} / {middle:.1f} / {max(times):.1f} ms (least, median, most)"
    print(f"{name}: {count} runs, {spread}{weight}", flush=True)
    return middle, peak


class Counting(BaseHTTPRequestHandler):
    """Passes a request on to the testbed and counts it. Each proxy has a class of its own, with its target and counts."""

    protocol_version = "HTTP/1.1"
    target = ""
    seen = Counter()
    first = None

    def do_POST(self):
        """One AWS call."""
        if self.first is None:
            type(self).first = time.perf_counter()
        body = self.rfile.read(int(self.headers["content-length"]))
        # By header in JSON, by the path in CBOR, otherwise by a parameter.
        action = self.headers["x-amz-target"] or self.path.rpartition("/operation/")[2]
        if not action or action == self.path:
            action = parse_qs(body.decode())["Action"][0]
        self.seen[action.split(".")[-1]] += 1
        backend = http.client.HTTPConnection(self.target)
        backend.request("POST", self.path, body, dict(self.headers))
        answer = backend.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Says nothing."""


@contextmanager
def counting(bed):
    """The proxy in front of the testbed; gives its counts and the variable that leads to it."""
    target = urlsplit(bed.variables["AWS_ENDPOINT_URL"]).netloc
    counts = type("Counts", (Counting,), {"target": target, "seen": Counter()})
    with ThreadingHTTPServer(("127.0.0.1", 0), counts) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield counts, {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.server_port}"}
        finally:
            proxy.shutdown()


def docker(client, *words, env=None):
    """Runs a command of the engine."""
    done = subprocess.run([client, *words], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"docker {words[0]} exited with {done.returncode}:\n{done.stdout}{done.stderr}")


def pulled(bed):
    """Measures a job that has no image yet: from the start of the pull to the first request that reaches AWS."""
    with ExitStack() as stack:
        client, registry = engine(stack), stack.enter_context(Registry())
        counts, proxied = stack.enter_context(counting(bed))
        name = f"{registry.address}/colors:bench"
        docker(client, "tag", IMAGE, name)
        docker(client, "push", "--quiet", name)
        image = registry.manifest("colors", "bench")
        print(f"image: {registry.compressed(image) / 1024 / 1024:.2f} MiB compressed", flush=True)
        variables = {**inputs(bed, "status"), **proxied}
        given = [word for variable in variables for word in ("-e", variable)]
        pulls, calls = [], []
        for _ in range(PULLS):
            docker(client, "image", "rm", "--force", name, IMAGE)
            docker(client, "builder", "prune", "--all", "--force")
            counts.first, began = None, time.perf_counter()
            docker(client, "pull", "--quiet", name)
            pulls.append((time.perf_counter() - began) * 1000)
            docker(client, "run", "--rm", "--network=host", *given, name, env={**os.environ, **variables})
            calls.append((counts.first - began) * 1000)
            docker(client, "tag", name, IMAGE)
        for what, times in [("the pull", pulls), ("from the pull to the first AWS call", calls)]:
            spread = f"{min(times):.0f} / {statistics.median(times):.0f} / {max(times):.0f} ms (least, median, most)"
            print(f"{what}: {PULLS} runs, {spread}", flush=True)


def count(bed, name, variables):
    """Counts the AWS requests of one run."""
    with counting(bed) as (counts, proxied):
        run = Run({**variables, **proxied})
    if run.code != 0:
        raise Failed(f"{name} exited with {run.code}:\n{run.log}")
    kinds = ", ".join(f"{kind} {times}" for kind, times in sorted(counts.seen.items()))
    print(f"{name}: {sum(counts.seen.values())} AWS requests ({kinds})", flush=True)


def main():
    """All scenes, and whether the promises hold."""
    print(f"binary: {BINARY.stat().st_size / 1024 / 1024:.1f} MiB")
    missing, _ = measure("missing input", 50, lambda _: {}, code=1, weigh=False)
    with Bed() as bed:
        measure("status", 20, lambda _: inputs(bed, "status"))
        _, peak = measure("deploy", 20, lambda index: deploy(bed, index + 1))
        count(bed, "status", inputs(bed, "status"))
        count(bed, "deploy", deploy(bed, 1))
        pulled(bed)
    if missing >= MISSING_INPUT_MS:
        raise Failed(f"a missing input must be answered in less than {MISSING_INPUT_MS} ms")
    if peak >= DEPLOY_PEAK_MIB:
        raise Failed(f"a deploy must stay below {DEPLOY_PEAK_MIB} MiB")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"bench: {failed}")
