"""Runs the AWS CLI (`aws`) or PyPI's ecs-deploy (`ecs`), and holds every raw answer against botocore's model of it.

Botocore itself reads past whatever it does not know. Here a member that the model lacks, a required one that is
missing, a wrong type or a value outside of an enumeration is told on standard error, and the exit code is 99.

    python strict.py aws ecs list-clusters
"""

import json
import sys
from datetime import datetime
from xml.etree import ElementTree

from botocore import parsers

PROBLEMS = []


def problem(path, text):
    """Keeps what is wrong with a part of an answer."""
    PROBLEMS.append(f"{path}: {text}")


def check_enum(value, shape, path):
    """A text of an enumeration must be one of its values."""
    if getattr(shape, "enum", None) and value not in shape.enum:
        problem(path, f"{value!r} is not one of {shape.enum}")


def check_members(names, shape, path):
    """Required members are there."""
    for name in shape.required_members:
        if name not in names:
            problem(f"{path}.{name}", "missing")


JSON_TYPES = {
    "string": str, "boolean": bool, "integer": int, "long": int,
    "double": (int, float), "float": (int, float), "timestamp": (int, float, datetime),
}  # fmt: skip


def walk_json(value, shape, path):
    """A JSON value, or a CBOR value as botocore reads it, against its shape."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        check_members(value, shape, path)
        for name, part in value.items():
            if name in shape.members:
                walk_json(part, shape.members[name], f"{path}.{name}")
            else:
                problem(f"{path}.{name}", "unknown")
    elif kind == "list" and isinstance(value, list):
        for part in value:
            walk_json(part, shape.member, f"{path}[]")
    elif kind == "map" and isinstance(value, dict):
        for name, part in value.items():
            walk_json(part, shape.value, f"{path}.{name}")
    elif not isinstance(value, JSON_TYPES.get(kind, ())) or (isinstance(value, bool) and kind != "boolean"):
        problem(path, f"{value!r} is not a {kind}")
    else:
        check_enum(value, shape, path)


def tag(element):
    """An XML element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def walk_xml(element, shape, path):
    """An XML element against its shape."""
    kind = shape.type_name
    if kind == "structure":
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        check_members([tag(part) for part in element], shape, path)
        for part in element:
            if tag(part) in known:
                walk_xml(part, known[tag(part)], f"{path}.{tag(part)}")
            else:
                problem(f"{path}.{tag(part)}", "unknown")
    elif kind == "list":
        for part in element:
            if tag(part) != "member":
                problem(f"{path}.{tag(part)}", "a list holds only `member`")
            walk_xml(part, shape.member, f"{path}[]")
    else:
        walk_text(element, shape, path)


def walk_text(element, shape, path):
    """An XML element that holds text."""
    text, kind = element.text or "", shape.type_name
    reads = {
        "string": str, "integer": int, "long": int, "double": float, "float": float,
        "boolean": {"true": True, "false": False}.__getitem__,
        "timestamp": lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")),
    }  # fmt: skip
    try:
        reads[kind](text)
    except (KeyError, ValueError):
        problem(path, f"{text!r} is not a {kind}")
    if len(element):
        problem(path, "holds elements instead of text")
    check_enum(text, shape, path)


def walk(body, shape):
    """A whole answer."""
    if body.lstrip().startswith(b"<"):
        root = ElementTree.fromstring(body)
        names = [tag(part) for part in root]
        result = shape.serialization.get("resultWrapper", "") if shape else ""
        wanted = [result, "ResponseMetadata"] if result else ["ResponseMetadata"]
        if names != wanted:
            problem(tag(root), f"holds {names}, not {wanted}")
        elif result:
            walk_xml(root[0], shape, shape.name)
    elif shape is not None and not body.lstrip().startswith(b"{"):
        reader = parsers.RpcV2CBORParser()
        walk_json(reader.parse_data_item(reader.get_peekable_stream_from_bytes(body)), shape, shape.name)
    elif shape is not None:
        walk_json(json.loads(body or b"{}"), shape, shape.name)


def watch(parse):
    """Botocore's own parser, with a look at each good answer first."""

    def parse_and_walk(self, response, shape):
        if response["status_code"] < 300:
            walk(response["body"], shape)
        return parse(self, response, shape)

    return parse_and_walk


def main():
    """Runs the program that the first argument names."""
    parsers.ResponseParser.parse = watch(parsers.ResponseParser.parse)
    sys.argv = sys.argv[1:]
    if sys.argv[0] == "aws":
        from awscli.clidriver import main as run
    else:
        from ecs_deploy.cli import ecs as run
    try:
        code = run()
    except SystemExit as end:
        code = end.code
    for text in dict.fromkeys(PROBLEMS):
        print(f"not an answer of AWS: {text}", file=sys.stderr)
    return 99 if PROBLEMS else code


if __name__ == "__main__":
    sys.exit(main())
