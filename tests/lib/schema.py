# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks a JSON document against a JSON Schema: schema.py SCHEMA DOCUMENT.

Prints one line for each place that is not as the schema says, and exits 1 where there is one. Knows
the words of JSON Schema 2020-12 that the schemas of this project use; any other word is an error,
so that no rule of theirs goes unseen.
"""
import json
import re
import sys

SAID_ONLY = {"$schema", "$id", "title", "description"}
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def is_type(name, value):
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def same(a, b):
    """1 and true are equal in Python, and not in JSON."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def of_object(schema, value, at):
    named = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for key in schema.get("required", []):
        if key not in value:
            yield f"{at}: '{key}' is missing"
    for key, child in value.items():
        rules = [named[key]] if key in named else []
        rules += [rule for pattern, rule in patterns.items() if re.search(pattern, key)]
        if not rules:
            rules = [schema.get("additionalProperties", True)]
        for rule in rules:
            yield from problems(rule, child, f"{at}.{key}")


def of_array(schema, value, at):
    if len(value) > schema.get("maxItems", len(value)):
        yield f"{at}: too many items"
    for i, item in enumerate(value):
        yield from problems(schema.get("items", True), item, f"{at}[{i}]")


def of_scalar(schema, value, at):
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{at}: '{value}' is not of the form {schema['pattern']}"
    if is_number(value) and value < schema.get("minimum", value):
        yield f"{at}: {value} is too small"
    if is_number(value) and value > schema.get("maximum", value):
        yield f"{at}: {value} is too large"


WORDS = SAID_ONLY | {
    "type", "enum", "const", "anyOf", "not", "properties", "patternProperties",
    "additionalProperties", "required", "items", "maxItems", "pattern", "minimum", "maximum",
}


def problems(schema, value, at):
    if isinstance(schema, bool):
        if not schema:
            yield f"{at}: may not be here"
        return
    unknown = set(schema) - WORDS
    if unknown:
        raise SystemExit(f"schema.py: {at}: the word {unknown} is not known")
    types = schema.get("type", list(TYPES))
    types = [types] if isinstance(types, str) else types
    if not any(is_type(name, value) for name in types):
        yield f"{at}: is none of {', '.join(types)}"
        return
    if not any(same(value, word) for word in schema.get("enum", [value])):
        yield f"{at}: {value!r} is none of {schema['enum']}"
    if not same(value, schema.get("const", value)):
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if "anyOf" in schema and all(list(problems(s, value, at)) for s in schema["anyOf"]):
        yield f"{at}: is none of the forms"
    if "not" in schema and not list(problems(schema["not"], value, at)):
        yield f"{at}: is not accepted"
    if isinstance(value, dict):
        yield from of_object(schema, value, at)
    elif isinstance(value, list):
        yield from of_array(schema, value, at)
    else:
        yield from of_scalar(schema, value, at)


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main():
    found = list(problems(read(sys.argv[1]), read(sys.argv[2]), "document"))
    print("\n".join(found))
    return 1 if found else 0


sys.exit(main())
