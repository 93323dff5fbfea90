//! Standard output and standard error, and what must not end a run.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use anyhow::{Context, Error, Result, bail};

use super::{escape, one_line};

/// Prints what a command was asked for. What others wrote in it does not reach a terminal as it is: see
/// [`escape`], which leaves JSON what it was. A reader that has gone (as in `| head`) wanted no more; a
/// disk that is full is an error.
pub fn print(text: &str) -> Result<()> {
    let lines: Vec<String> = text.split('\n').map(escape).collect();
    write_out(&lines.join("\n"))
}

/// The same of what is escaped already.
pub(super) fn write_out(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("write to standard output")
        }
        _ => Ok(()),
    }
}

/// Says on standard error, on one line, what could not be done. The journal of systemd takes it for an error.
pub fn complain(error: &Error) {
    let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    let priority = priority(&stream, io::stderr());
    // Not eprintln!, which panics where standard error is full or closed.
    let _ = writeln!(io::stderr(), "{priority}bandwatch: {}", write_error(error));
}

/// What the journal takes a line for, an error (sd-daemon(3)), if it is what reads the output: `journal_stream` is
/// its device and inode, which a child has in its environment even where its output goes elsewhere.
fn priority(journal_stream: &str, output: impl AsFd) -> &'static str {
    let output = output.as_fd().try_clone_to_owned();
    let read_by = output.and_then(|output| File::from(output).metadata());
    let is_journal =
        read_by.is_ok_and(|file| journal_stream == format!("{}:{}", file.dev(), file.ino()));
    if is_journal { "<3>" } else { "" }
}

/// An error and its causes, on one line.
pub fn write_error(error: &Error) -> String {
    escape(&one_line(&format!("{error:#}")))
}

/// A limit on the size of files (`ulimit -f`) is from now on an error of the write that meets it. Without
/// this the kernel's signal would end the program there.
pub fn make_file_limit_an_error() {
    // Where that fails, the limit stays what it was.
    let _ = signal_hook::flag::register(libc::SIGXFSZ, Arc::default());
}

/// Does what must not stop the rest of a run: a bug in it is an error like others.
pub fn contain<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| bail!("{what}: a bug in bandwatch, please report it"))
}

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Calls into a library that panics over what others sent; `None` if it did, which then nobody is told but
/// by that.
pub fn contain_quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |what| {
            if !IS_QUIET.get() {
                usual(what);
            }
        }));
    });
    let was_quiet = IS_QUIET.replace(true);
    let answer = catch_unwind(AssertUnwindSafe(work));
    IS_QUIET.set(was_quiet);
    answer.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_priority_only_where_the_journal_reads_it() {
        let output = tempfile::tempfile().expect("a file");
        let file = output.metadata().expect("its inode");
        let stream = format!("{}:{}", file.dev(), file.ino());
        assert_eq!(priority(&stream, &output), "<3>");
        let other = tempfile::tempfile().expect("another file");
        assert_eq!(priority(&stream, &other), "");
        for unknown in ["", "8", "8:x"] {
            assert_eq!(priority(unknown, &output), "");
        }
    }
}
