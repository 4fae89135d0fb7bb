"""The schema of today's AWS provider for the resource types that `infra/terraform` uses, read from the bindings that are
generated from it (npm's @cdktn/provider-aws). Each class of the bindings says of each attribute whether it is required,
optional or computed, and its getter says the type.

    python infra_schema.py BINDINGS TERRAFORM_FOLDER OUTPUT
"""

import json
import re
import sys
from pathlib import Path

# How a getter reads an attribute, and the type that it then has.
READERS = {
    "this.getStringAttribute(": "string",
    "this.getNumberAttribute(": "number",
    "this.getBooleanAttribute(": "bool",
    "this.getListAttribute(": ["list", "string"],
    "cdktn.Fn.tolist(this.getListAttribute(": ["set", "string"],
    "this.getNumberListAttribute(": ["list", "number"],
    "cdktn.Fn.tolist(this.getNumberListAttribute(": ["set", "number"],
    "this.getStringMapAttribute(": ["map", "string"],
    "this.getNumberMapAttribute(": ["map", "number"],
    "this.getBooleanMapAttribute(": ["map", "bool"],
    "new cdktn.StringMap(": ["map", "string"],
}
CLASS = re.compile(r"^class (\w+) extends ([\w.]+) \{\n(.*?)^\}$", re.M | re.S)
FLAGS = re.compile(r"^    // (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n(.*?)^    }$", re.M | re.S)
NESTED = re.compile(r'^    _\w+ = new (\w+?)(List|Map|OutputReference)\(this, "(\w+)"(?:, (true|false))?\);$', re.M)
USED = re.compile(r'^(resource|data) "(aws_\w+)"', re.M)
# The part of the provider's own block that the directories use.
PROVIDER = {
    "attributes": {"region": {"type": "string", "computed": False, "optional": True, "required": False}},
    "blocks": {
        "default_tags": {
            "nesting": "list", "min": 0, "max": 1,
            "block": {
                "attributes": {"tags": {"type": ["map", "string"], "computed": False, "optional": True, "required": False}},
                "blocks": {},
            },
        }
    },
}  # fmt: skip


def object_type(block):
    """The type of a value that has a block's attributes, for blocks that are written as attributes."""
    parts = {name: attribute["type"] for name, attribute in block["attributes"].items()}
    for name, nested in block["blocks"].items():
        parts[name] = [nested["nesting"], ["object", object_type(nested["block"])]]
    return parts


def read_class(classes, name):
    """The attributes and blocks that a class has."""
    body = classes[name]
    nested = {match[3]: (match[1], match[2], match[4]) for match in NESTED.finditer(body)}
    attributes, blocks = {}, {}
    for match in FLAGS.finditer(body):
        flags = {"computed": match[2] == "true", "optional": match[3] == "true", "required": match[4] == "true"}
        if match[1] not in nested:
            reader = re.search(r"""(?:return |= )((?:new )?\S+?\()(?:'|this, ")""", match[5])
            attributes[match[1]] = {"type": READERS[reader[1]], **flags}
            continue
        base, kind, is_set = nested[match[1]]
        block = read_class(classes, base + "OutputReference")
        nesting = "single" if match[1] == "timeouts" else "set" if is_set == "true" else "list"
        if flags["computed"]:
            attributes[match[1]] = {"type": [nesting, ["object", object_type(block)]], **flags}
        else:
            most = 0 if kind == "List" else 1
            blocks[match[1]] = {"nesting": nesting, "min": int(flags["required"]), "max": most, "block": block}
    return {"attributes": attributes, "blocks": blocks}


def read_type(bindings, kind, name):
    """A resource or data source."""
    folder = ("data-" if kind == "data" else "") + name.replace("_", "-").removeprefix("aws-" if kind == "resource" else "")
    text = (bindings / "lib" / folder / "index.js").read_text()
    found = list(CLASS.finditer(text))
    bases = ("cdktn.TerraformResource", "cdktn.TerraformDataSource")
    return read_class({match[1]: match[3] for match in found}, next(match[1] for match in found if match[2] in bases))


def main(bindings, folder, output):
    """Writes the schema of each type that a directory uses."""
    used = {match.groups() for path in Path(folder).glob("*/*.tf") for match in USED.finditer(path.read_text())}
    schema = {"provider": PROVIDER, "resource": {}, "data": {}}
    for kind, name in sorted(used):
        schema[kind][name] = read_type(Path(bindings), kind, name)
    Path(output).write_text(json.dumps(schema))
    print(f"  {len(schema['resource'])} resource types and {len(schema['data'])} data sources of today's provider")


if __name__ == "__main__":
    main(*sys.argv[1:])
