"""`gh` and `docker` of the reader in .ci/infra_reader.py: `infra_shims.py NAME ARGUMENT...`. Each call is a line of the file
SHIM_CALLS. What GitHub would do, such as start a workflow, the reader's walk does afterwards."""

import json
import os
import sys
from pathlib import Path

import boto3

CALLS = Path(os.environ["SHIM_CALLS"])


def gh(words):
    """GitHub's CLI: the ids of the repository, environments, a pull request, comments and workflows to start."""
    if words[:1] == ["api"] and "--jq" in words and words[1].startswith("repos/"):
        owner, name = words[1].split("/")[1:3]
        if "issues" not in words[1] and "issues" not in " ".join(words):
            print(f"{owner}@65/{name}@74")
    bodies = [word.removeprefix("body=@") for word in words if word.startswith("body=@")]
    for file in bodies:
        (CALLS.parent / "comment.md").write_text(Path(file).read_text())
    if words[:2] == ["pr", "create"]:
        print("https://github.com/octo-org/stage/pull/1")


def docker(words):
    """Docker: a login that wants a password, a build that wants a Dockerfile, a push to the testbed's registry."""
    match words:
        case ["login", *_]:
            if not sys.stdin.read().strip():
                sys.exit("no password")
            print("Login Succeeded")
        case ["build", *rest]:
            if not (Path(rest[-1]) / "Dockerfile").is_file():
                sys.exit(f"failed to read dockerfile in {rest[-1]}")
        case ["push", image]:
            name, tag = image.split("/", 1)[1].split(":")
            ecr = boto3.client("ecr")
            made = ecr.put_image(repositoryName=name, imageTag=tag, imageManifest=json.dumps({"tag": tag}))
            print(f"{tag}: digest: {made['image']['imageId']['imageDigest']}")
        case _:
            sys.exit(f"docker {words}")


def main(name, *words):
    """Writes the call down, then does what the page's reader sees."""
    with CALLS.open("a") as file:
        file.write(json.dumps([name, *words]) + "\n")
    {"gh": gh, "docker": docker}[name](list(words))


if __name__ == "__main__":
    main(*sys.argv[1:])
