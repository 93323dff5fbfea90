//! Standard output and standard error, and what must not end a run.

use std::cell::Cell;
use std::io::{self, ErrorKind, Write};
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

/// Says on standard error, on one line, what could not be done.
pub fn complain(error: &Error) {
    // Not eprintln!, which panics where standard error is full or closed.
    let _ = writeln!(io::stderr(), "bandwatch: {}", write_error(error));
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
