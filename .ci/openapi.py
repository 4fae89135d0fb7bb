"""Is the testbed like GitHub? Each of its answers held against the response schema of GitHub's published OpenAPI
description, fields that the schema doesn't name included; so are the requests that are sent here."""

import json
import re
import sys
import urllib.error
import urllib.request
from datetime import datetime

import jsonschema
from bed import Bed, Failed, check

# A field that GitHub sends in every error, and describes in some of them only.
UNDESCRIBED = {"status"}
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time", ValueError)
def is_date(text):
    """GitHub writes times to the second, in UTC."""
    return not isinstance(text, str) or bool(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


@FORMATS.checks("uri")
def is_uri(text):
    """Absolute; GitHub describes the empty address of a deployment's status as one too."""
    return not isinstance(text, str) or text == "" or re.match(r"https?://\S+$", text)


class Description:
    """GitHub's description, ready to validate with."""

    def __init__(self, path):
        """Reads it."""
        with open(path, encoding="utf-8") as file:
            self.root = json.load(file)
        self.made = {}

    def follow(self, part):
        """What a reference refers to; anything else is itself."""
        while "$ref" in part:
            name = part["$ref"]
            part = self.root
            for step in name.removeprefix("#/").split("/"):
                part = part[step]
        return part

    def schema(self, part, depth=0):
        """A schema as JSON Schema: references followed, null allowed where OpenAPI says nullable, and no field that is
        not named."""
        if not isinstance(part, dict):
            return part
        if depth > 12:
            return {}
        part = self.follow(part)
        made = {}
        for key, value in part.items():
            if key in ("anyOf", "oneOf", "allOf"):
                # GitHub's alternatives overlap: an app's owner is a user and an enterprise.
                made["allOf" if key == "allOf" else "anyOf"] = [self.schema(one, depth + 1) for one in value]
            elif key == "properties":
                made[key] = {name: self.schema(one, depth + 1) for name, one in value.items()}
            elif key in ("items", "additionalProperties"):
                made[key] = self.schema(value, depth + 1)
            elif key in ("type", "required", "enum", "format", "maxLength", "minItems"):
                made[key] = value
        if made.get("properties") and "additionalProperties" not in made:
            made["additionalProperties"] = False
        return {"anyOf": [made, {"type": "null"}]} if part.get("nullable") else made

    def operation(self, method, path):
        """The template that a path is of, and what is described for it."""
        for template, methods in self.root["paths"].items():
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
            if method in methods and re.fullmatch(pattern, path):
                return template, methods[method]
        raise Failed(f"GitHub describes no {method} {path}")

    def hold(self, where, schema, value):
        """Ends with every place where a value isn't what its schema says."""
        validator = jsonschema.Draft202012Validator(schema, format_checker=FORMATS)
        problems = [f"{error.json_path}: {error.message[:200]}" for error in deep(validator.iter_errors(value))]
        if problems:
            raise Failed(f"{where}:\n  " + "\n  ".join(problems))

    def answer(self, method, path, status, value):
        """Holds an answer against its schema; one without a described status against GitHub's plain error."""
        template, operation = self.operation(method, path)
        response = self.follow(operation["responses"].get(str(status), {}))
        described = [content["schema"] for content in response.get("content", {}).values() if "schema" in content]
        where = f"{status} of {method.upper()} {template}"
        if not response and status < 400:
            raise Failed(f"{where} is not described")
        if not described and status < 400:
            check(value is None, f"{where} has no body")
            return
        if status >= 400:
            value = {name: part for name, part in value.items() if name not in UNDESCRIBED}
            if not described:
                value.pop("errors", None)
            if "errors" not in value:
                # An error in one sentence, whatever form the status has otherwise.
                described = [{"$ref": "#/components/schemas/basic-error"}]
        self.hold(where, self.schema(described[0]), value)
        print(f"  ok: {where}", flush=True)

    def request(self, method, path, value):
        """Holds what is sent against its schema."""
        template, operation = self.operation(method, path)
        content = self.follow(operation.get("requestBody", {})).get("content", {}).get("application/json")
        if value is not None and content:
            self.hold(f"the body of {method.upper()} {template}", self.schema(content["schema"]), value)


def deep(errors):
    """The errors within alternatives instead of the alternative as a whole."""
    for error in errors:
        if error.context:
            yield from deep(error.context)
        else:
            yield error


class Client:
    """A client of the testbed's GitHub that looks at every answer."""

    def __init__(self, bed, description):
        """Where GitHub is, and as whom it is asked."""
        self.base = bed.github["GITHUB_API_URL"]
        self.repository = "/repos/" + bed.github["GITHUB_REPOSITORY"]
        self.token = bed.github["GITHUB_TOKEN"]
        self.description = description
        self.seen = set()

    def call(self, method, path, body=None, status=200, token=None):
        """One call that must answer with this status; gives the body."""
        bare = self.repository + path.split("?")[0]
        if status < 400:
            self.description.request(method, bare, body)
        headers = {"authorization": f"Bearer {token or self.token}", "user-agent": "openapi.py"}
        data = None if body is None else json.dumps(body).encode()
        url = self.base + self.repository + path
        request = urllib.request.Request(url, data, headers, method=method.upper())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=5) as answer:
                got, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            got, text = error.code, error.read()
        if got != status:
            raise Failed(f"{method.upper()} {path} answered {got}, not {status}: {text[:300]}")
        value = json.loads(text) if text else None
        self.description.answer(method, bare, got, value)
        self.seen.add((method, self.description.operation(method, bare)[0]))
        return value


def plants(description):
    """What is wrong in a planted answer is found: this check can fail."""
    path = "/repos/a/b/labels/c"
    good = {"id": 1, "node_id": "x", "url": "https://a", "name": "c", "description": None, "color": "f00", "default": True}
    description.answer("get", path, 200, good)
    for field, wrong in [("id", "1"), ("description", 1), ("url", "a"), ("more", 1), ("color", None)]:
        try:
            description.answer("get", path, 200, {**good, field: wrong})
        except Failed as found:
            check(field in str(found), f"a label with {field}={wrong!r} is refused")
        else:
            raise Failed(f"a label with {field}={wrong!r} passed")


def talk(github):
    """Comments, as an action keeps one of its own."""
    made = github.call("post", "/issues/7/comments", {"body": "hello"}, 201)
    path = f"/issues/comments/{made['id']}"
    github.call("get", "/issues/7/comments?per_page=100")
    github.call("get", path)
    github.call("patch", path, {"body": "again"})
    github.call("post", "/issues/7/comments", {"body": "x" * 65_537}, 422)
    github.call("post", "/issues/7/comments", {"body": "x"}, 403, token="ghs_readonly")
    github.call("post", "/issues/9/comments", {"body": "x"}, 404)
    github.call("delete", path, status=204)
    github.call("get", path, status=404)


def labels(github):
    """Labels of the repository and of an issue."""
    label = {"name": "live: blue", "color": "0052cc", "description": "what users see"}
    github.call("post", "/labels", label, 201)
    github.call("post", "/labels", label, 422)
    github.call("get", "/labels")
    github.call("get", "/labels/live:%20blue")
    github.call("get", "/labels/nope", status=404)
    github.call("patch", "/labels/live:%20blue", {"color": "1d76db"})
    github.call("post", "/issues/7/labels", {"labels": ["live: blue", "new"]})
    github.call("get", "/issues/7/labels")
    github.call("put", "/issues/7/labels", {"labels": ["live: blue"]})
    github.call("get", "/pulls/7")
    github.call("delete", "/issues/7/labels/live:%20blue")
    github.call("delete", "/issues/7/labels/live:%20blue", status=404)
    github.call("delete", "/issues/7/labels", status=204)
    github.call("delete", "/labels/new", status=204)


def code(github):
    """The repository, its branches, commits and pull requests."""
    github.call("get", "")
    github.call("get", "", status=401, token="ghs_wrong")
    sha = github.call("get", "/branches/main")["commit"]["sha"]
    github.call("get", "/branches/nope", status=404)
    github.call("get", f"/commits/{sha}")
    github.call("get", f"/commits/{'9' * 40}", status=422)
    pulls = github.call("get", "/pulls?state=all")
    github.call("get", f"/commits/{pulls[-1]['head']['sha']}/pulls")
    github.call("get", "/pulls/8")
    github.call("get", "/pulls/99", status=404)
    return sha


def deploys(github, sha):
    """Deployments and commit statuses."""
    status = {"state": "pending", "context": "ci", "description": "runs", "target_url": "https://ci.example.com"}
    github.call("post", f"/statuses/{sha}", status, 201)
    github.call("get", "/commits/main/status")
    github.call("get", "/commits/main/statuses")
    github.call("post", "/deployments", {"ref": "main"}, 409)
    github.call("post", "/deployments", {"ref": "behind"}, 202)
    github.call("post", "/deployments", {"ref": "nope"}, 422)
    wanted = {"ref": "main", "environment": "staging", "auto_merge": False, "required_contexts": [], "payload": {"a": 1}}
    path = f"/deployments/{github.call('post', '/deployments', wanted, 201)['id']}"
    github.call("post", "/deployments", {**wanted, "payload": "text", "description": "again"}, 201)
    github.call("get", "/deployments?environment=staging")
    github.call("get", path)
    done = {"state": "success", "log_url": "https://log.example.com", "environment_url": "https://shop.example.com"}
    made = github.call("post", f"{path}/statuses", done, 201)
    github.call("post", f"{path}/statuses", {"state": "success", "description": "x" * 141}, 422)
    github.call("get", f"{path}/statuses")
    github.call("get", f"{path}/statuses/{made['id']}")
    github.call("delete", path, status=422)
    github.call("post", f"{path}/statuses", {"state": "inactive"}, 201)
    github.call("delete", path, status=204)
    github.call("get", path, status=404)


def main(path):
    """Every operation that the testbed has, with its good answers and its refusals."""
    description = Description(path)
    plants(description)
    with Bed() as bed:
        github = Client(bed, description)
        talk(github)
        labels(github)
        deploys(github, code(github))
        check(len(github.seen) == 31, f"{len(github.seen)} operations were looked at")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Failed as failed:
        sys.exit(f"openapi: {failed}")
