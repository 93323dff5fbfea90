//! What an alert leaves on the disk.

use crate::scene::{Ending, Scene, read, write};

#[test]
fn each_of_several_metrics_has_pictures_of_its_own() {
    let scene = Scene::ending_in(Ending::Spike);
    let several = format!("{}[[metric]]\nname = \"käse/1\"\n", scene.config());
    scene.workspace.config(&several);
    let password = [("smtp_password", scene.server.password())];
    for name in ["sales", "käse/1"] {
        let arguments = ["--input", "sales.csv", "--metric", name];
        let run = scene.workspace.run_with(&arguments, &password);
        run.assert_status(0);
    }
    let mut files: Vec<String> = std::fs::read_dir(scene.workspace.path().join("plots"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    files.sort();
    let (changed, plain): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|name| name.starts_with("käse_1"));
    assert_eq!(plain, ["sales_24h.png", "sales_48h.png"]);
    assert_eq!(changed.len(), 2, "{changed:?}");

    let received = scene.server.received();
    assert_eq!(received.len(), 4);
    let last = received[3].parse();
    assert!(last.subject.starts_with("[High] Käse/1 2,500"));
    let pictures: Vec<Vec<u8>> = changed
        .iter()
        .map(|name| read(&scene.workspace, &format!("plots/{name}")))
        .collect();
    let mailed = last.inline.into_values();
    let mailed: Vec<Vec<u8>> = mailed.map(|part| part.bytes).collect();
    assert!(mailed == pictures, "the pictures differ");
}

#[test]
fn an_alert_overwrites_the_pictures_of_the_one_before_and_leaves_nothing_else() {
    let scene = Scene::ending_in(Ending::Spike);
    std::fs::create_dir(scene.workspace.path().join("plots")).expect("a directory");
    write(&scene.workspace, "plots/plot_24h.png", "of yesterday");
    scene.run().assert_status(0);
    let day = read(&scene.workspace, "plots/plot_24h.png");
    assert!(day.starts_with(b"\x89PNG"));
    let files = std::fs::read_dir(scene.workspace.path().join("plots"));
    assert_eq!(files.expect("a directory").count(), 2);
}
