import json

import pytest
from eco2_sandbox.brain.schema import instance_of
from eco2_sandbox.brain.schema_parts import UnfillableSchema
from jsonschema import Draft202012Validator

NODE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "required": ["next"],
            "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
        }
    },
}
ENDLESS = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/$defs/node"}}}
    },
}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string", "minLength": 3},
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": "^[0-9]{4}$"},
        {"type": "integer", "minimum": 5},
        {"type": "integer", "exclusiveMinimum": 5, "multipleOf": 5},
        {"type": "integer", "maximum": -3},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": ["integer", "null"]},
        {"enum": ["a", "b"]},
        {"const": {"a": [1]}},
        {"type": "array", "minItems": 3, "uniqueItems": True, "items": {"type": "string"}},
        {"type": "array", "minItems": 2, "prefixItems": [{"type": "boolean"}], "items": {"type": "integer"}},
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "object"}, "b": {"type": "string"}},
        },
        {"oneOf": [{"type": "boolean"}, {"type": "string"}]},
        {
            "allOf": [
                {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
                {"required": ["b"], "properties": {"b": {"const": 1}}},
            ]
        },
        NODE,
    ],
)
def test_an_instance_fits_its_schema(schema):
    Draft202012Validator(schema).validate(instance_of(schema))


@pytest.mark.parametrize("schema", [ENDLESS, {"$ref": "#"}, {"$ref": "#/nowhere"}, {"anyOf": []}])
def test_a_schema_without_an_instance_is_said_to_be_so(schema):
    with pytest.raises(UnfillableSchema):
        instance_of(schema)


def test_over_http_such_a_schema_is_a_bad_request(sandbox):
    form = {"type": "json_schema", "json_schema": {"name": "Endless", "schema": ENDLESS}}
    body = {"model": "m", "messages": [{"role": "user", "content": "?"}], "response_format": form}
    refused = sandbox.post(body)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "response_format")
    form["json_schema"] = {"name": "Node", "schema": NODE}
    filled = sandbox.post(body).json()["choices"][0]["message"]["content"]
    Draft202012Validator(NODE).validate(json.loads(filled))
