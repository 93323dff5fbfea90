//! A way to a server that a test can make bad: it hangs up after so many bytes
//! of what the server says, or passes them on slowly.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Passes everything on until told otherwise; lasts as long as the test process.
pub struct Proxy {
    port: u16,
    manner: Arc<Manner>,
}

struct Manner {
    /// Bytes of the server's that each connection passes on.
    limit: AtomicU64,
    /// Milliseconds before each byte.
    pause: AtomicU64,
    /// Bytes of the server's that were passed on in all.
    passed: AtomicU64,
    connections: AtomicU64,
}

impl Proxy {
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
        let port = listener.local_addr().expect("a bound port").port();
        let manner = Arc::new(Manner {
            limit: AtomicU64::new(u64::MAX),
            pause: AtomicU64::new(0),
            passed: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let shared = Arc::clone(&manner);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let manner = Arc::clone(&shared);
                manner.connections.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || manner.join(&client, server));
            }
        });
        Self { port, manner }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn hang_up_after(&self, bytes: u64) {
        self.manner.limit.store(bytes, Ordering::Relaxed);
    }

    pub fn pause_before_each_byte(&self, pause: Duration) {
        let pause = u64::try_from(pause.as_millis()).expect("a short pause");
        self.manner.pause.store(pause, Ordering::Relaxed);
    }

    /// How often somebody has called.
    pub fn connections(&self) -> u64 {
        self.manner.connections.load(Ordering::Relaxed)
    }

    pub fn passed(&self) -> u64 {
        self.manner.passed.load(Ordering::Relaxed)
    }
}

impl Manner {
    fn join(&self, client: &TcpStream, server: u16) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
            return;
        };
        let halves = (client.try_clone(), server.try_clone());
        let (Ok(mut from_client), Ok(mut to_server)) = halves else {
            return;
        };
        thread::spawn(move || {
            let _ = std::io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Both);
        });
        self.pass_on(&server, client);
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    }

    fn pass_on(&self, mut server: &TcpStream, mut client: &TcpStream) {
        let mut left = self.limit.load(Ordering::Relaxed);
        let mut bytes = [0; 4096];
        while left > 0 {
            let pause = self.pause.load(Ordering::Relaxed);
            let room = if pause > 0 { 1 } else { bytes.len() };
            thread::sleep(Duration::from_millis(pause));
            let Ok(count @ 1..) = server.read(&mut bytes[..room]) else {
                return;
            };
            let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
            if client.write_all(&bytes[..count]).is_err() {
                return;
            }
            left -= count as u64;
            self.passed.fetch_add(count as u64, Ordering::Relaxed);
        }
    }
}
