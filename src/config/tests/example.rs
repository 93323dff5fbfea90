//! The example configuration, and the table of it in README.md.

use super::*;

#[test]
fn each_commented_key_of_the_example_would_be_taken() {
    let example = &with_commented_tables();
    let commented: Vec<&str> = example
        .lines()
        .filter(|line| line.starts_with("# ") && line.contains(" = ") && !line.contains(". "))
        .filter(|line| {
            line[2..].split(' ').next().is_some_and(|key| {
                key.chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter == '_')
            })
        })
        .collect();
    assert!(commented.len() >= 20, "{commented:?}");
    for line in commented {
        let mut text = example.replacen(line, &line[2..], 1);
        if line.contains("explain_by") {
            text = text.replace("# aggregate =", "aggregate =");
        }
        let of_groups = ["top", "include", "exclude", "title_column", "forget_after"];
        if of_groups
            .iter()
            .any(|key| line.starts_with(&format!("# {key} =")))
        {
            text = text.replace("# group_by =", "group_by =");
        }
        if line.starts_with("# state =") {
            // It stands in the place of the table.
            let (before, table) = text.split_once("[state]\n").expect("the table");
            let (_, after) = table.split_once("\n#\n").expect("its end");
            text = format!("{before}{after}");
        }
        for (key, excluded) in [
            ("query =", "table ="),
            ("dates =", "from ="),
            ("calendar =", "from ="),
        ] {
            if line.contains(key) {
                text = text
                    .lines()
                    .filter(|line| !line.starts_with(excluded))
                    .collect::<Vec<_>>()
                    .join("\n");
            }
        }
        if let Err(error) = parse(&text) {
            panic!("{line}: {error:#}");
        }
    }
}

/// The example with the tables that are commented out as a whole.
fn with_commented_tables() -> String {
    let mut is_table = false;
    let example = include_str!("../../../config.example.toml").lines();
    let lines = example.map(|line| {
        is_table =
            line.starts_with("# [[") || line == "# [state]" || is_table && line.starts_with("# ");
        if is_table { &line[2..] } else { line }
    });
    let lines: Vec<&str> = lines.collect();
    lines.join("\n")
}

/// The keys of the example, commented out or not, as `table.key`.
fn keys_of_the_example() -> Vec<String> {
    let mut table = String::new();
    let mut keys = Vec::new();
    for line in include_str!("../../../config.example.toml").lines() {
        let line = line.trim_start_matches("# ");
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_matches(['[', ']']).to_string() + ".";
        } else if let Some((key, _)) = line.split_once(" = ")
            && key
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter == '_')
        {
            keys.push(format!("{table}{key}"));
        }
    }
    keys.sort();
    // Several tables explain what is of the same name.
    keys.dedup();
    keys
}

#[test]
fn the_table_in_the_readme_has_the_keys_of_the_example() {
    let readme = include_str!("../../../README.md");
    let section = readme
        .split("## Configuration")
        .nth(1)
        .and_then(|text| text.split("\n## ").next())
        .expect("a section");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    // A row is of one key or several.
    let keys = rows.filter_map(|row| row.split_once(" |"));
    let keys = keys.flat_map(|(keys, _)| keys.split(", "));
    let mut keys: Vec<String> = keys.map(|key| key.replace('`', "")).collect();
    keys.sort();
    assert!(keys.len() > 40, "{keys:?}");
    assert_eq!(keys, keys_of_the_example());
}
