//! An end for work that has none of its own, such as that of the system's resolver.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// What work comes to, if it does in time. Else it goes on, in a thread that ends with the program at the
/// latest.
pub fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = channel();
    // Whoever waited may have gone.
    thread::spawn(move || drop(sender.send(work())));
    receiver.recv_timeout(limit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_waited_for_until_the_limit() {
        assert_eq!(within(Duration::from_mins(1), || 7), Some(7));
        let endless = || thread::sleep(Duration::from_hours(1));
        assert_eq!(within(Duration::from_millis(1), endless), None);
    }
}
