//! Where a configuration is looked for.

use crate::scene::{Ending, csv, rows, write};
use crate::support::{Run, Workspace};

fn workspace_with(configs: &[&str]) -> Workspace {
    let workspace = Workspace::new();
    write(&workspace, "sales.csv", &csv(&rows(Ending::Usual)));
    for place in configs {
        let file = workspace.path().join(place).join("config.toml");
        let directory = file.parent().expect("a directory");
        std::fs::create_dir_all(directory).expect("a directory");
        std::fs::write(file, format!("[[metric]]\nname = \"{place}\"\n")).expect("a file");
    }
    workspace
}

fn run(workspace: &Workspace) -> Run {
    let home = workspace.path().join("xdg").display().to_string();
    workspace.run_with(
        &["--dry-run", "--input", "sales.csv"],
        &[("XDG_CONFIG_HOME", &home)],
    )
}

#[test]
fn the_one_in_the_working_directory_comes_first() {
    let workspace = workspace_with(&[".", "xdg/bandwatch"]);
    let run = run(&workspace);
    run.assert_status(0);
    assert!(run.stdout.starts_with(".  NORMAL"), "{run:?}");
}

#[test]
fn the_one_in_xdg_config_home_comes_second() {
    let workspace = workspace_with(&["xdg/bandwatch", ".config/bandwatch"]);
    let run = run(&workspace);
    run.assert_status(0);
    assert!(run.stdout.starts_with("xdg/bandwatch  NORMAL"), "{run:?}");
}

#[test]
fn without_the_variable_the_one_in_the_home_directory_is_meant() {
    let workspace = workspace_with(&[".config/bandwatch"]);
    let run = workspace.run(&["--dry-run", "--input", "sales.csv"]);
    run.assert_status(0);
    assert!(
        run.stdout.starts_with(".config/bandwatch  NORMAL"),
        "{run:?}"
    );
}

#[test]
fn without_any_the_places_are_named() {
    let workspace = Workspace::new();
    let run = workspace.run(&[]);
    run.assert_status(2);
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    let home = workspace.path().display();
    for place in [
        "config.toml, ".to_owned(),
        format!("{home}/.config/bandwatch/config.toml, "),
        "/etc/bandwatch/config.toml; ".to_owned(),
        "--dry-run --input FILE.csv".to_owned(),
    ] {
        assert!(run.stderr.contains(&place), "{place} is not in {run:?}");
    }
}
