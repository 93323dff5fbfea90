//! Channels besides mail, each against a real server.

mod alertmanager;
mod faults;
mod webhook;

use crate::memory::story::Story;
use crate::scene::quoted;
use crate::support::HttpServer;
use crate::support::http_server::SECRET;

/// What stands in the address and must not be seen.
pub const TOKEN: &str = "t0ken-in-the-path";

/// A webhook of this name at the server, as a table of the configuration.
pub fn webhook(name: &str, server: &HttpServer, lines: &str) -> String {
    let address = quoted(&format!("{}/{TOKEN}", server.address()));
    format!(
        "[[channel]]\nname = {name:?}\nkind = \"webhook\"\nurl = {address}\nsecret_file = \"hook-secret\"\n{lines}\n"
    )
}

/// A story that is told by a webhook too.
pub fn story_with(channels: &str) -> Story {
    let mut story = Story::new();
    story.more_metrics += channels;
    let secret = story.workspace.path().join("hook-secret");
    std::fs::write(secret, format!("{SECRET}\n")).expect("a file");
    story
}
