//! Nothing of a test run outlives the test process, not even when it is
//! killed: every helper process, and the removal of every directory, hangs on
//! the end of a pipe that only the test process holds. When that process ends,
//! in whatever way, the kernel closes the pipe, and a small shell script at
//! its other end does the cleaning up.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// How long a server may take until it says where it listens. Generous, for a busy machine: an idle one needs
/// a quarter of a second.
pub const START_DEADLINE: Duration = Duration::from_mins(1);

/// Waits for the pipe to close, then removes the directory `$0`. The removal is
/// repeated because a server that is being killed at the same moment may still
/// add a file.
const REMOVE_AFTERWARDS: &str = r#"
read -r never
attempts=0
until rm -rf "$0" || [ "$attempts" -ge 50 ]; do
    attempts=$((attempts + 1))
    sleep 0.1
done
"#;

/// Runs the command `"$@"` and kills it when the pipe closes; ends when the
/// command ends. The command gets an empty standard input, so that it does not
/// hold the pipe itself.
const RUN_MEANWHILE: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
command=$!
{ read -r never <&3; kill -KILL "$command"; } &
watcher=$!
wait "$command"
status=$?
kill "$watcher"
exit "$status"
"#;

/// A helper process that cannot outlive the test process.
pub struct Leash {
    shell: Child,
}

impl Leash {
    /// Starts `program`, all of whose output goes to the file `log` except
    /// that `stdout` can be sent elsewhere.
    pub fn start(program: &Path, arguments: &[String], stdout: Option<Stdio>, log: &Path) -> Self {
        let file = File::create(log).expect("a log file in the scratch directory");
        let copy = file.try_clone().expect("a second handle of the log file");
        let shell = shell(RUN_MEANWHILE)
            .arg("leash")
            .arg(program)
            .args(arguments)
            .stdout(stdout.unwrap_or_else(|| copy.into()))
            .stderr(file)
            .spawn()
            .expect("sh starts");
        Self { shell }
    }

    /// Starts a server that writes its port in its first line, and returns that too.
    pub fn start_server(program: &Path, arguments: &[String], log: &Path) -> (Self, u16) {
        let mut leash = Self::start(program, arguments, Some(Stdio::piped()), log);
        // A pipe cannot be read with a deadline; another thread can be waited for
        // with one.
        let stdout = leash.shell.stdout.take().expect("a pipe was asked for");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            // Also fails, and ends with an empty line, when the server dies early.
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = sender.send(line);
        });
        let line = receiver.recv_timeout(START_DEADLINE).unwrap_or_default();
        let port = line.trim().parse().unwrap_or_else(|_| {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            panic!("{arguments:?} did not start; it said {line:?} and logged:\n{log}")
        });
        (leash, port)
    }

    /// Whether the process ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.shell
            .try_wait()
            .expect("the state of a child process")
            .is_some()
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // `wait` closes the pipe first, which is what kills the process.
        let _ = self.shell.wait();
    }
}

/// The directory in which this test process keeps all of its files.
pub fn scratch_directory() -> &'static Path {
    static SCRATCH: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let (directory, _held_open) = SCRATCH.get_or_init(|| {
        let directory = tempfile::Builder::new()
            .prefix("bandwatch-test-")
            .tempdir()
            .expect("a temporary directory");
        let remover = shell(REMOVE_AFTERWARDS)
            .arg(directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh starts");
        // From here on the script removes it: statics are never dropped.
        (directory.keep(), remover)
    });
    directory
}

/// A new directory below the scratch directory, removed when dropped.
pub fn new_directory(prefix: &str) -> TempDir {
    tempfile::Builder::new()
        .prefix(prefix)
        .tempdir_in(scratch_directory())
        .expect("a directory in the scratch directory")
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(script)
        .stdin(Stdio::piped())
        // Its own group, so that a Ctrl-C on the terminal, which ends the test
        // process, leaves the cleaning up alone.
        .process_group(0);
    command
}
