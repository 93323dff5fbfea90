//! `bandwatch schema`: the formats of the configuration and of what `--format json` prints, as JSON Schemas. They
//! are generated from the types that are read and printed.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::Failure;
use super::backtest::BacktestObject;
use super::doctor::DoctorObject;
use super::explain::ExplainObject;
use super::report::CheckObject;
use super::status::StatusObject;
use super::weekly::ReportObject;
use crate::cli::{Exit, SchemaOf};
use crate::config;
use crate::output::print;

pub fn run(of: SchemaOf) -> Result<Exit, Failure> {
    let schema = match of {
        SchemaOf::Config => config::schema(),
        SchemaOf::Json => of_json(),
    };
    print(&format!("{schema:#}\n"))?;
    Ok(Exit::Done)
}

/// In `$defs` the object of each command, by its name; that of a check is `check`.
fn of_json() -> Value {
    let objects = [
        ("check", of::<CheckObject>(&["field"])),
        ("backtest", of::<BacktestObject>(&["backtest field"])),
        ("explain", of::<ExplainObject>(&["field", "explain field"])),
        ("status", of::<StatusObject>(&["status field"])),
        ("doctor", of::<DoctorObject>(&["doctor field"])),
        ("report", of::<ReportObject>(&["report field"])),
    ];
    let any = objects.iter();
    let any = any.map(|(name, _)| json!({ "$ref": format!("#/$defs/{name}") }));
    let any: Vec<Value> = any.collect();
    let objects = objects.map(|(name, schema)| (name.to_string(), schema));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What bandwatch prints with --format json",
        "anyOf": any,
        "$defs": Value::Object(objects.into_iter().collect()),
    })
}

/// The schema of an object, with what the tables under these headings say of its fields.
fn of<Object: JsonSchema>(headings: &[&str]) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<Object>();
    let mut schema = schema.to_value();
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        object.remove("title");
    }
    for (field, meaning) in headings.iter().flat_map(|heading| explained(heading)) {
        if let Some(Value::Object(field)) = schema["properties"].get_mut(field) {
            field.insert("description".to_string(), meaning.into());
        }
    }
    schema
}

/// Each field of a table of README.md, with its meaning.
fn explained(heading: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let start = format!("| {heading} | meaning |");
    let tables = include_str!("README.md").split("\n\n");
    let rows = tables.filter(move |table| table.starts_with(&start));
    let rows = rows.flat_map(str::lines);
    let rows = rows.filter_map(|row| {
        row.strip_prefix("| ")?
            .strip_suffix(" |")?
            .split_once(" | ")
    });
    rows.flat_map(|(names, meaning)| {
        let names = names.split(", ").map(|name| name.trim_matches('`'));
        names.map(move |name| (name, meaning))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_that_is_documented_is_in_the_schema_with_its_meaning() {
        let schema = of_json();
        let objects = schema["$defs"].as_object().expect("objects");
        assert_eq!(objects.len(), 6);
        for (command, object) in objects {
            let fields = object["properties"].as_object().expect("fields");
            assert!(!fields.is_empty(), "{command}");
            for (name, field) in fields {
                let told = field["description"].as_str();
                assert!(
                    told.is_some_and(|told| !told.is_empty()),
                    "{command}: {name}"
                );
            }
        }
        let verdict = &objects["check"]["properties"]["verdict"];
        assert!(verdict.to_string().contains("unchanged"), "{verdict}");
    }
}
