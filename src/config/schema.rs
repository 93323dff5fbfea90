//! The file's format as a JSON Schema, for editors: generated from the structs that it is read into, with what
//! `config.example.toml` says of each key. It may take what the program refuses, where keys must go together,
//! but refuses nothing that the program takes.

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use super::Config;

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// One of the numbers and units of a length of time, such as `5m` or `1day`.
const LENGTH: &str = r"([0-9.]+\s*[A-Za-zµ]+\s*)+";

/// A key of a table, and what the example says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Explained<'a> {
    /// Such as `metric.outliers`; empty for the keys of no table.
    table: &'a str,
    key: &'a str,
    text: String,
}

/// The schema, in Draft 7: the newest that editors of TOML have in common.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let settings = settings.with_transform(as_written);
    let schema = settings.into_generator().into_root_schema_for::<Config>();
    let mut schema = schema.to_value();
    schema["title"] = "The configuration of bandwatch".into();
    for Explained { table, key, text } in explained(EXAMPLE) {
        let properties = properties(&mut schema, table);
        if let Some(Value::Object(property)) = properties.and_then(|keys| keys.get_mut(key)) {
            property.insert("description".to_string(), text.into());
        }
    }
    schema
}

pub fn length(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": format!("^\\s*{LENGTH}$") })
}

/// It may be none.
pub fn delay(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": format!("^(0|\\s*{LENGTH})$") })
}

pub fn lengths(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": length(generator), "maxItems": 4 })
}

pub fn renotify(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": format!("^(never|\\s*{LENGTH})$") })
}

pub fn port(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 1, "maximum": u16::MAX })
}

pub fn count(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 1, "maximum": 1000 })
}

pub fn model(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["auto", "autoregression", "mstl", "prophet"] })
}

pub fn web_address(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^https?://[^/]" })
}

/// At least one.
pub fn some_texts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
}

/// TOML has no null, and what a key is without a value the example says better than a value of a struct does.
fn as_written(schema: &mut Schema) {
    transform_subschemas(&mut as_written, schema);
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.remove("default");
    object.remove("format");
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_string(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else {
        return;
    };
    choices.retain(|choice| choice.get("type") != Some(&"null".into()));
    if let [Value::Object(only)] = choices.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

/// The keys of a table.
fn properties<'a>(schema: &'a mut Value, table: &str) -> Option<&'a mut Map<String, Value>> {
    let mut names = table.split('.').filter(|name| !name.is_empty());
    let table = names.try_fold(schema, |schema, name| {
        let schema = schema.get_mut("properties")?.get_mut(name)?;
        if schema.get("items").is_some() {
            schema.get_mut("items")
        } else if schema.get("anyOf").is_some() {
            let mut choices = schema.get_mut("anyOf")?.as_array_mut()?.iter_mut();
            choices.find(|choice| choice.get("properties").is_some())
        } else {
            Some(schema)
        }
    });
    table?.get_mut("properties")?.as_object_mut()
}

/// The keys of the example, set or commented out. A key without a comment of its own has that of the key before
/// it, or of its table.
fn explained(example: &str) -> Vec<Explained<'_>> {
    let mut explained: Vec<Explained> = Vec::new();
    let (mut table, mut text, mut last) = ("", Vec::new(), String::new());
    for line in example.lines() {
        let bare = line.trim_start_matches(['#', ' ']);
        if let Some(name) = table_name(line) {
            table = name;
            last = std::mem::take(&mut text).join("\n");
        } else if let Some(key) = key_of(bare) {
            if !text.is_empty() {
                last = std::mem::take(&mut text).join("\n");
            }
            let text = last.clone();
            explained.push(Explained { table, key, text });
        } else if bare.is_empty() {
            text.clear();
        } else if line.starts_with('#') {
            text.push(bare);
        }
    }
    explained
}

/// Of a line such as `[mysql]` or `# [[channel]]`.
fn table_name(line: &str) -> Option<&str> {
    let name = line.strip_prefix('[').or(line.strip_prefix("# ["))?;
    let name = name.strip_suffix(']')?.trim_matches(['[', ']']);
    let is_part = |letter: char| letter.is_ascii_lowercase() || ".".contains(letter);
    name.chars().all(is_part).then_some(name)
}

fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(" = ")?;
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    key.chars().all(is_part).then_some(key)
}

#[cfg(test)]
mod tests {
    use boon::{Compiler, SchemaIndex, Schemas};
    use serde_json::json;

    use super::*;

    /// By the schema, which is itself held against Draft 7.
    struct Validator {
        schemas: Schemas,
        index: SchemaIndex,
    }

    impl Validator {
        fn new() -> Self {
            let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
            let added = compiler.add_resource("config.schema.json", schema());
            added.expect("a schema");
            let index = compiler.compile("config.schema.json", &mut schemas);
            let index = index.unwrap_or_else(|error| panic!("{error:#}"));
            Self { schemas, index }
        }

        fn check(&self, value: &Value) -> Result<(), String> {
            let checked = self.schemas.validate(value, self.index);
            checked.map_err(|error| format!("{error:#}"))
        }

        fn is_valid(&self, value: &Value) -> bool {
            self.check(value).is_ok()
        }
    }

    fn read(text: &str) -> Value {
        toml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    #[test]
    fn the_example_keeps_to_it() {
        assert_eq!(Validator::new().check(&read(EXAMPLE)), Ok(()));
    }

    #[test]
    fn it_knows_each_key_of_the_example_with_what_is_said_of_it() {
        let mut schema = schema();
        let explained = explained(EXAMPLE);
        assert!(explained.len() > 90, "{}", explained.len());
        for Explained { table, key, text } in &explained {
            let keys = properties(&mut schema, table).unwrap_or_else(|| panic!("[{table}]"));
            let property = keys.get(*key).unwrap_or_else(|| panic!("{table}.{key}"));
            assert!(!text.is_empty(), "nothing is said of {table}.{key}");
            let is_told = explained
                .iter()
                .filter(|one| (one.table, one.key) == (*table, *key))
                .any(|one| property["description"] == one.text);
            assert!(is_told, "{table}.{key}: {property}");
        }
        let port = &schema["properties"]["mysql"]["properties"]["socket"];
        assert_eq!(port["description"], "Instead of host and port:");
        let worse = &schema["properties"]["metric"]["items"]["properties"]["exclude"];
        let told = worse["description"].as_str().expect("a text");
        assert!(told.starts_with("Only these, and not those;"), "{told}");
    }

    #[test]
    fn the_example_leads_editors_to_where_the_package_has_it() {
        let (hint, _) = EXAMPLE.split_once('\n').expect("a line");
        assert_eq!(
            hint,
            "#:schema file:///usr/share/bandwatch/config.schema.json"
        );
        let packaged = r#"config.schema.json", "usr/share/bandwatch/", "644"]"#;
        assert!(include_str!("../../Cargo.toml").contains(packaged));
    }

    #[test]
    fn a_key_that_nobody_knows_is_refused_in_each_table() {
        let validator = Validator::new();
        for table in [
            "",
            "[mysql]",
            "[smtp]",
            "[state]",
            "[metric.outliers]",
            "[[event]]\nname = \"a\"\neffect = \"mute\"\nfrom = \"2026-01-02\"",
            "[[channel]]\nname = \"a\"\nkind = \"email\"\nrecipients = [\"a@example.com\"]",
        ] {
            let with = |line: &str| match table {
                "" => read(&format!("{line}\n[[metric]]\nname = \"a\"")),
                _ => read(&format!("[[metric]]\nname = \"a\"\n{table}\n{line}")),
            };
            assert!(validator.is_valid(&with("")), "{table}");
            assert!(!validator.is_valid(&with("no_such_key = 1")), "{table}");
        }
        assert!(!validator.is_valid(&json!({ "metric": [{ "name": "a", "no_such_key": 1 }] })));
        assert!(!validator.is_valid(&json!({ "metric": [] })));
    }

    #[test]
    fn values_are_those_that_the_program_takes() {
        let validator = Validator::new();
        for (line, is_taken) in [
            ("every = \"5m\"", true),
            ("every = \"1mo\"", true),
            ("every = 5", false),
            ("window = \"1h 30min\"", true),
            ("window = \"long\"", false),
            ("delay = \"0\"", true),
            ("delay = \"0s\"", true),
            ("aggregate = \"sum\"", true),
            ("aggregate = \"total\"", false),
            ("level = 0.95", true),
            ("level = 95", false),
            ("max_false_alerts = \"0.5/month\"", true),
            ("max_false_alerts = \"weekly\"", false),
            ("confirm = 2", true),
            ("confirm = \"2 of 3\"", true),
            ("confirm = true", false),
            ("renotify = \"never\"", true),
            ("renotify = \"4h\"", true),
            ("renotify = \"often\"", false),
            ("include = [\"4*\", 17]", true),
            ("recipients = []", false),
            ("recover = 0", false),
            ("min = 0", true),
            ("seasons = []", true),
            ("time = \"epoch_ms\"", true),
            ("time = \"epoch_ps\"", false),
        ] {
            let text = format!("[[metric]]\nname = \"a\"\n{line}");
            assert_eq!(validator.is_valid(&read(&text)), is_taken, "{line}");
        }
        for state in ["state = \"mysql\"", "[state]\nhosts = [\"10.0.0.1\"]"] {
            let text = format!("{state}\n[[metric]]\nname = \"a\"");
            assert!(validator.is_valid(&read(&text)), "{state}");
        }
    }
}
