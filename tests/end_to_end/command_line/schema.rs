//! `bandwatch schema`: what the program prints keeps to the schema that it prints.

use boon::{Compiler, Schemas};
use serde_json::Value;

use crate::scene::{Ending, Scene, csv, rows, write};
use crate::support::{Run, Workspace};

/// The schema of what is printed as JSON, in which no object has other fields than those it names.
fn closed_schema() -> Value {
    let run = Workspace::new().run(&["schema", "json"]);
    run.assert_status(0);
    let mut schema = serde_json::from_str(&run.stdout).expect("JSON");
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if object.get("properties").is_some_and(Value::is_object) {
                object.insert("additionalProperties".to_string(), false.into());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}

/// Holds each line that was printed against the schema of a command.
#[track_caller]
pub fn assert_keeps(command: &str, run: &Run) -> Vec<Value> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let added = compiler.add_resource("json.schema.json", closed_schema());
    added.expect("a schema");
    compiler.enable_format_assertions();
    let place = format!("json.schema.json#/$defs/{command}");
    let index = compiler.compile(&place, &mut schemas);
    let index = index.unwrap_or_else(|error| panic!("{error:#}"));
    let objects = run.stdout.lines();
    let objects = objects.map(|line| serde_json::from_str(line).expect("an object"));
    let objects: Vec<Value> = objects.collect();
    assert!(!objects.is_empty(), "{run:?}");
    for object in &objects {
        if let Err(error) = schemas.validate(object, index) {
            panic!("{command}: {error:#}\n{object:#}");
        }
    }
    objects
}

#[test]
fn what_a_check_prints_keeps_to_its_schema_whatever_the_verdict() {
    let (workspace, all) = (Workspace::new(), rows(Ending::Spike));
    write(&workspace, "high.csv", &csv(&all));
    write(&workspace, "low.csv", &csv(&rows(Ending::Drop)));
    write(&workspace, "normal.csv", &csv(&rows(Ending::Usual)));
    write(&workspace, "undecided.csv", &csv(&all[..20]));
    for verdict in ["high", "low", "normal", "undecided"] {
        let file = format!("{verdict}.csv");
        let run = workspace.run(&["--input", &file, "--dry-run", "--format", "json"]);
        let objects = assert_keeps("check", &run);
        assert_eq!(objects[0]["verdict"], verdict);
    }
    let run = workspace.run(&["--input", "absent.csv", "--dry-run", "--format", "json"]);
    let objects = assert_keeps("check", &run);
    assert_eq!(objects[0]["verdict"], "failed");
}

#[test]
fn what_the_other_commands_print_keeps_to_theirs() {
    let scene = Scene::ending_in(Ending::Spike);
    scene.workspace.config(&scene.config());
    let password = [("smtp_password", scene.server.password())];
    let run = |words: &[&str]| scene.workspace.run_with(words, &password);
    let input = ["--input", "sales.csv", "--format", "json"];
    let backtest = run(&[&["backtest", "--window", "4d"], &input[..]].concat());
    let points = &assert_keeps("backtest", &backtest)[0]["points"];
    assert!(points.as_array().is_some_and(|points| points.len() > 5));
    let explained = run(&[&["explain"], &input[..]].concat());
    let explained = &assert_keeps("explain", &explained)[0];
    assert_eq!(explained["verdict"], "high");
    assert_keeps("status", &run(&["status", "--format", "json"]));
    assert_keeps("doctor", &run(&["doctor", "--format", "json"]));
}

#[test]
fn the_schema_of_the_configuration_is_one_of_draft_7() {
    let run = Workspace::new().run(&["schema", "config"]);
    run.assert_status(0);
    let schema: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(schema["additionalProperties"], false);
    let port = &schema["properties"]["mysql"]["properties"]["port"];
    assert_eq!(port["maximum"], 65535);
}
