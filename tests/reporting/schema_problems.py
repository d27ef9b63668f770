"""Hold a document to the part of JSON Schema that our own schemas use."""

TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "array": list,
    "object": dict,
}


def problems(schema, value, at="$"):
    """Yield where a value breaks the part of JSON Schema that our schemas use."""
    if "anyOf" in schema:
        if all(list(problems(one, value, at)) for one in schema["anyOf"]):
            yield f"{at}: none of the alternatives"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{at}: not {schema['const']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: not one of {schema['enum']}"
    wanted = schema.get("type")
    if wanted and (not isinstance(value, TYPES[wanted]) or (value is True and wanted != "boolean")):
        yield f"{at}: not {wanted}"
        return
    if value.__class__ is int and value < schema.get("minimum", value):
        yield f"{at}: below {schema['minimum']}"
    yield from inside(schema, value, at)


def inside(schema, value, at):
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}.{name}: missing"
    if isinstance(value, dict):
        for name, item in value.items():
            rule = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            yield from problems(rule, item, f"{at}.{name}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from problems(schema.get("items", {}), item, f"{at}[{index}]")
