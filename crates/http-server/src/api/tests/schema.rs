//! As much of JSON Schema as the document uses. Stricter in one way: what is not documented must not be
//! there.

use serde_json::Value;

/// `value` is as `schema` (within `document`) says; else what is not.
pub(super) fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document
            .pointer(reference.trim_start_matches('#'))
            .ok_or_else(|| format!("{reference} leads nowhere"))?;
        return check(document, target, value);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let results: Vec<_> = choices
            .iter()
            .map(|choice| check(document, choice, value))
            .collect();
        let fitting = results.iter().filter(|result| result.is_ok()).count();
        return if fitting == 1 {
            Ok(())
        } else {
            Err(format!("{fitting} choices fit {value}: {results:?}"))
        };
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts
            .iter()
            .try_for_each(|part| check(document, part, value));
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Err(format!("a schema without a type: {schema}")),
    };
    if !types.iter().any(|kind| is_a(kind, value)) {
        return Err(format!("{value} is none of {types:?}"));
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        return Err(format!("{value} is none of {values:?}"));
    }
    match value {
        Value::Object(object) => check_object(document, schema, object),
        Value::Array(elements) => elements
            .iter()
            .try_for_each(|element| check(document, &schema["items"], element)),
        _ => Ok(()),
    }
}

fn check_object(
    document: &Value,
    schema: &Value,
    object: &serde_json::Map<String, Value>,
) -> Result<(), String> {
    let (properties, others) = (&schema["properties"], &schema["additionalProperties"]);
    if properties.is_null() && others.is_null() {
        return Ok(());
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        if !object.contains_key(required.as_str().unwrap_or_default()) {
            return Err(format!("{required} is missing"));
        }
    }
    for (name, value) in object {
        let schema = match &properties[name] {
            Value::Null if others.is_null() => return Err(format!("{name} is not documented")),
            Value::Null => others,
            schema => schema,
        };
        check(document, schema, value).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[test]
fn it_finds_what_is_wrong() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a"],
        "properties": {"a": {"type": "integer"}, "b": {"type": ["string", "null"], "enum": ["x", null]}},
    });
    let cases = [
        (serde_json::json!({"a": 1}), Ok(())),
        (serde_json::json!({"a": 1, "b": null}), Ok(())),
        (serde_json::json!({"b": "x"}), Err("\"a\" is missing")),
        (
            serde_json::json!({"a": 1.5}),
            Err("a: 1.5 is none of [\"integer\"]"),
        ),
        (
            serde_json::json!({"a": 1, "c": 1}),
            Err("c is not documented"),
        ),
        (serde_json::json!([]), Err("[] is none of [\"object\"]")),
    ];
    for (value, expected) in cases {
        let expected = expected.map_err(str::to_owned);
        assert_eq!(check(&Value::Null, &schema, &value), expected, "{value}");
    }
}
