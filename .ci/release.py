"""The release, rehearsed: the scripts of release.yml, job by job, on a clone of this repository. A registry on this machine
stands in for ghcr.io, .ci/stand_ins for GitHub's command line and for `docker buildx`. The image is the real one.

Not rehearsed: the arm64 build (its image has the binary of this machine), BuildKit's provenance and SBOM, the attestations,
and GitHub's own permissions."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import yaml
from bed import ROOT, Failed, check
from container import engine
from registry import Registry

REPOSITORY = "Octo-Org/colors"  # a capital: the registry takes none
MOST_MIB = 5
TOOLS = ROOT / "target/ci/release"  # what the jobs install by cargo
UNRELEASED = ["There is no released image yet", "Nothing is released yet"]


class Rehearsal:
    """A clone, its remote, and the environment of a job."""

    def __init__(self, home, registry):
        """Clones what is in this work tree, with the changelog of a release."""
        self.home, self.clone, self.remote = home, home / "clone", home / "remote"
        self.registry, self.steps, self.outputs = registry, yaml.safe_load(workflow())["jobs"], {}
        self.version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
        self.environment = {
            **os.environ, "CARGO_INSTALL_ROOT": str(TOOLS),
            "PATH": f"{ROOT / '.ci/stand_ins'}:{TOOLS / 'bin'}:{os.environ['PATH']}",
            "REGISTRY": registry.address, "REMOTE": str(self.remote),
            "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_ACTOR": "octocat", "GITHUB_SERVER_URL": "https://github.com",
            "GIT_CONFIG_GLOBAL": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1",
            **{f"GIT_{role}_{what}": f"{what}@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }  # fmt: skip
        files = subprocess.check_output(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, text=True)
        for name in filter(None, files.split("\0")):
            if (ROOT / name).exists():
                (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.clone / name, follow_symlinks=False)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("As it is")

    def git(self, *words, folder=None):
        """Runs git in the clone, or in another folder; gives what it printed."""
        done = subprocess.run(
            ["git", *words], cwd=folder or self.clone, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True,
        )  # fmt: skip
        if done.returncode:
            raise Failed(f"git {' '.join(words)}: {done.stderr}")
        return done.stdout.strip()

    def commit(self, message):
        """Commits everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def filled(self, text, contexts):
        """A text with its expressions replaced, as far as release.yml has any."""
        return re.sub(r"\$\{\{ *([^}]+?) *\}\}", lambda found: contexts[found[1]], text)

    def job(self, name, *, only=None, code=0, folder=None, sha=None, **contexts):
        """Runs the scripts of a job; gives what they printed. `only`: the step whose name begins so. `sha`: the run's commit,
        if it is not the newest."""
        said = ""
        for step in self.steps[name]["steps"]:
            if "run" in step and step["run"] != ".ci/run" and (only is None or step["name"].startswith(only)):
                said += self.step(name, step, contexts, (code, folder or self.clone, sha or self.git("rev-parse", "HEAD")))
        return said

    def step(self, job, step, contexts, run):
        """Runs a step's script as the runner does; keeps its outputs. `run`: the exit code, the folder and the commit."""
        code, folder, sha = run
        output = self.home / "output"
        output.write_text("")
        known = {"inputs.version": self.version, "github.token": "job", "secrets.RELEASE_TOKEN": "release", **self.outputs, **contexts}
        env = {name: self.filled(str(value), known) for name, value in step.get("env", {}).items()}
        env = {**self.environment, **env, "GITHUB_OUTPUT": str(output), "GITHUB_SHA": sha}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self.filled(step["run"], known)], cwd=folder,
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800,
        )  # fmt: skip
        title = f"{job}: {step.get('name', step.get('id', 'a script'))}"
        if done.returncode != code:
            raise Failed(f"{title} exited with {done.returncode}, not {code}:\n{done.stdout}")
        print(f"  ok: {title}{f' (exit code {code}, as it must)' if code else ''}", flush=True)
        for line in output.read_text().splitlines():
            name, value = line.split("=", 1)
            self.outputs[f"steps.{step['id']}.outputs.{name}"] = self.outputs[f"needs.{job}.outputs.{name}"] = value
        return done.stdout


def workflow():
    """The text of release.yml."""
    return (ROOT / ".github/workflows/release.yml").read_text()


def checked(rehearsal):
    """A repository that is not ready is refused; then it is made ready as CONTRIBUTING.md says."""
    rehearsal.job("check", only="The version", code=1)
    changelog = rehearsal.clone / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## Unreleased", f"## {rehearsal.version} (2026-12-01)", 1))
    said = rehearsal.job("check", only="The version", code=1)
    check("not ready" in said, "a release whose documents say that there is none is refused")
    for path in [rehearsal.clone / "README.md", changelog, *(rehearsal.clone / "docs").glob("*.md")]:
        paragraphs = path.read_text().split("\n\n")
        path.write_text("\n\n".join(part for part in paragraphs if not any(word in part for word in UNRELEASED)))
    rehearsal.commit("Prepare the release")
    rehearsal.git("clone", "--quiet", str(rehearsal.clone), str(rehearsal.remote), folder=rehearsal.home)
    rehearsal.job("check", only="The version")
    rehearsal.job("check", only="The version", code=1, **{"inputs.version": "0.0.0"})


def built(rehearsal):
    """The binary of this machine, built as the job does; for arm64 it is taken once more. Its crates become the SBOM."""
    rehearsal.job("binary", only="Build", folder=ROOT)
    (rehearsal.clone / "target").symlink_to(ROOT / "target")
    upload = next(step for step in rehearsal.steps["binary"]["steps"] if "upload-artifact" in step.get("uses", ""))
    binaries = rehearsal.clone / "binaries"
    binaries.mkdir()
    for arch in ("amd64", "arm64"):
        for step in ("Pack", "List"):
            rehearsal.job("binary", only=step, **{"matrix.arch": arch})
        for name in rehearsal.filled(upload["with"]["path"], {"matrix.arch": arch}).split():
            (rehearsal.clone / name).rename(binaries / name)
    (rehearsal.clone / "target").unlink()
    crates = json.loads((binaries / "ecs-blue-green-linux-amd64.cdx.json").read_text())["components"]
    locked = set(re.findall(r'^name = "(.+)"\nversion = "(.+)"', (ROOT / "Cargo.lock").read_text(), re.M))
    listed = {(crate["name"], crate["version"]) for crate in crates}
    check(listed <= locked, f"the SBOM lists {len(listed)} crates, each of them in Cargo.lock")
    check({"aws-sdk-ecs", "tokio"} <= {name for name, _ in listed}, "aws-sdk-ecs and tokio are among them")


def pushed(rehearsal):
    """The image is in the registry for both platforms, small enough, with its labels; and it is what the job put out."""
    rehearsal.job("image")
    name, version = REPOSITORY.lower(), rehearsal.version
    index = rehearsal.registry.manifest(name, version)
    platforms = {image["platform"]["architecture"]: image["digest"] for image in index["manifests"]}
    check(set(platforms) == {"amd64", "arm64"}, f"the tag {version} has an image for {' and '.join(sorted(platforms))}")
    by_digest = rehearsal.registry.manifest(name, rehearsal.outputs["steps.push.outputs.digest"])
    check(by_digest == index, "the digest that the job put out is that of the tag")
    image = rehearsal.registry.manifest(name, platforms["amd64"])
    config = json.loads(rehearsal.registry.get(f"{name}/blobs/{image['config']['digest']}"))
    labels = config["config"]["Labels"]
    check(labels["org.opencontainers.image.version"] == version, f"its labels: {labels}")
    check(config["config"]["Entrypoint"] == ["/ecs-blue-green"] and not config["config"].get("User"), "its entry point, and no user")
    size = rehearsal.registry.compressed(image) / 1024 / 1024
    check(size <= MOST_MIB, f"the image has {size:.2f} MiB compressed; at most {MOST_MIB} are allowed")


def drafted(rehearsal):
    """The release's commits name the image and each other, and the draft has everything that users download."""
    before = rehearsal.git("rev-parse", "HEAD")
    rehearsal.job("draft")
    remote, branch = rehearsal.remote, f"release-{rehearsal.version}"
    show = lambda thing: rehearsal.git("show", thing, folder=remote)  # noqa: E731
    last = rehearsal.git("rev-parse", branch, folder=remote)
    check(rehearsal.git("rev-parse", "main", folder=remote) == before, "main has no new commit")
    image = f"docker://ghcr.io/{REPOSITORY.lower()}:{rehearsal.version}@{rehearsal.outputs['steps.push.outputs.digest']}"
    action = yaml.safe_load(show(f"{last}:action.yml"))
    check(action["runs"]["image"] == image, f"action.yml names {image}")
    text = rehearsal.git("grep", "-hE", r"uses: [^ ]*@", last, "--", "examples", ".github/workflows", "docs", "README.md", folder=remote)
    own = re.findall(rf"uses: ({REPOSITORY}[^@ ]*)@([0-9a-f]{{40}})", text)
    check(len(own) >= 20 and "OWNER/" not in text, f"{len(own)} steps and jobs use the release, and none a placeholder")
    for uses, commit in set(own):
        called = show(f"{commit}:{uses.removeprefix(REPOSITORY + '/')}") if uses != REPOSITORY else ""
        runs = image in show(f"{commit}:action.yml") and "OWNER/" not in called
        check(runs, f"{uses}@{commit[:8]} can run")
    left = subprocess.run(["git", "grep", "-n", "github.com/OWNER/", last, "--", "docs", "README.md"], cwd=remote, capture_output=True, text=True).stdout
    check(not left, f"no address of a document has a placeholder {left}")
    draft = remote / ".git/draft"
    tag, target, title = (draft / "about").read_text().split()
    check((tag, target, title) == (f"v{rehearsal.version}", last, tag), f"the draft {tag} is of the last commit")
    notes = (draft / "notes.md").read_text()
    check("- `deploy`:" in notes and "## " not in notes, f"the notes are the changelog's section of {len(notes.splitlines())} lines")
    names = sorted(path.name for path in (draft / "assets").iterdir())
    expected = [f"ecs-blue-green-linux-{arch}{end}" for arch in ("amd64", "arm64") for end in ("", ".cdx.json")]
    check(names == sorted(["SHA256SUMS", *expected]), f"its files: {', '.join(names)}")
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=draft / "assets", check=True)
    sums = (draft / "assets/SHA256SUMS").read_text()
    check(all(name in sums for name in expected), "SHA256SUMS has each of them, and agrees")


def published(rehearsal):
    """The tag that GitHub makes, and the major tag, which moves from one release to the next."""
    version, remote = rehearsal.version, rehearsal.remote
    last = rehearsal.git("rev-parse", f"release-{version}", folder=remote)
    major = f"v{version.split('.')[0]}"
    for commit in (rehearsal.git("rev-parse", f"{last}~1", folder=remote), last):
        tag = {"github.event.release.tag_name": f"v{version}"}
        rehearsal.job("major", sha=commit, **tag)
        check(rehearsal.git("rev-parse", major, folder=remote) == commit, f"the tag {major} is at {commit[:8]}")
    rehearsal.job("major", sha=last, code=1, **{"github.event.release.tag_name": f"{version}-rc1"})


def main():
    """The whole release."""
    with ExitStack() as stack:
        registry = stack.enter_context(Registry())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="release-")))
        rehearsal = Rehearsal(home, registry)
        for part in (checked, built, pushed, drafted, published):
            print(part.__name__, flush=True)
            if part is pushed:  # an engine is tried with the image that was built
                rehearsal.environment["DOCKER"] = engine(stack)
                rehearsal.environment["DOCKER_HOST"] = os.environ.get("DOCKER_HOST", "")
            part(rehearsal)


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"release: {failed}")
