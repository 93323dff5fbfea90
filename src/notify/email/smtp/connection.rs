//! The bytes between the server and us: in the clear until they are encrypted, and no wait without an end.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConnection, StreamOwned};

use super::reply::{Malformed, Reply, ReplyParser};
use super::tls::{self, Tls};
use crate::config::Deadline;
use crate::output::within;

pub struct Connection {
    stream: Stream,
    parser: ReplyParser,
}

enum Stream {
    Plain(Socket),
    Encrypted(Box<StreamOwned<ClientConnection, Socket>>),
}

/// What the socket waits for.
#[derive(Debug, Clone, Copy)]
enum Wait {
    /// All reads and writes together.
    Until(Instant),
    /// Only what is there already is read.
    Not,
}

/// A socket on which a peer that sends a byte now and then gains no time.
struct Socket {
    tcp: TcpStream,
    wait: Wait,
}

/// Why there is no reply. After each of these the session is over.
#[derive(Debug)]
pub enum Silence {
    TimedOut,
    HungUp,
    /// What came is no reply.
    Malformed(Malformed),
    /// There was more than a reply to each command: the server is not in step, or somebody on the way
    /// puts words into its mouth.
    Unasked(String),
    /// The server said that it ends the session (RFC 5321, 3.8).
    Ended(Reply),
    /// A reply that does not fit the command.
    Unfit(Reply),
    /// The handshake of TLS is answered in the clear.
    PlainText,
    Tls(String),
    Other(String),
}

/// Connects to the first address of the host that answers.
pub fn connect(host: &str, port: u16, timeout: Duration, deadline: Deadline) -> Result<Connection> {
    let mut failure = anyhow!("the name has no address");
    for address in resolve(host, port, deadline.at_most(timeout)?)? {
        match TcpStream::connect_timeout(&address, deadline.at_most(timeout)?) {
            Ok(tcp) => {
                // Each command is written at once.
                tcp.set_nodelay(true)?;
                let wait = Wait::Until(Instant::now());
                return Ok(Connection {
                    stream: Stream::Plain(Socket { tcp, wait }),
                    parser: ReplyParser::default(),
                });
            }
            Err(error) => failure = anyhow!("{}", Silence::from(error)),
        }
    }
    Err(failure)
}

/// The addresses of a host. The resolver of the system may wait longer than anybody here.
fn resolve(host: &str, port: u16, timeout: Duration) -> Result<impl Iterator<Item = SocketAddr>> {
    let host = host.to_string();
    let addresses = within(timeout, move || (host.as_str(), port).to_socket_addrs());
    Ok(addresses.context("its name was not resolved in time")??)
}

impl Connection {
    /// Of this end.
    pub fn local_address(&self) -> Option<IpAddr> {
        let address = self.socket().tcp.local_addr().ok()?;
        Some(address.ip())
    }

    /// What the server showed, its own certificate first; nothing where it is not encrypted.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        match &self.stream {
            Stream::Plain(_) => &[],
            Stream::Encrypted(stream) => stream.conn.peer_certificates().unwrap_or_default(),
        }
    }

    /// From now on every byte is encrypted.
    pub fn encrypt(mut self, tls: &Tls, until: Instant) -> Result<Self, Silence> {
        // Nothing that was said in the clear may pass for what was said encrypted (RFC 3207, section 6).
        self.expect_silence()?;
        let Stream::Plain(mut socket) = self.stream else {
            return Ok(self);
        };
        socket.wait = Wait::Until(until);
        let mut session = tls.session().map_err(Silence::Other)?;
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        Ok(Self {
            stream: Stream::Encrypted(Box::new(StreamOwned::new(session, socket))),
            parser: ReplyParser::default(),
        })
    }

    /// Writes what is asked, if the server said nothing that was not asked for.
    pub fn ask(&mut self, command: &[u8], until: Instant) -> Result<(), Silence> {
        self.expect_silence()?;
        self.write(command, until)
    }

    pub fn write(&mut self, bytes: &[u8], until: Instant) -> Result<(), Silence> {
        self.socket_mut().wait = Wait::Until(until);
        let stream = self.stream.as_write();
        stream.write_all(bytes)?;
        Ok(stream.flush()?)
    }

    /// Waits for a whole reply.
    pub fn reply(&mut self, until: Instant) -> Result<Reply, Silence> {
        self.socket_mut().wait = Wait::Until(until);
        loop {
            if let Some(reply) = self.parser.take().map_err(Silence::Malformed)? {
                return Ok(reply);
            }
            if self.read()? == 0 {
                return Err(Silence::HungUp);
            }
        }
    }

    /// Reads some bytes more.
    fn read(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 4096];
        let count = self.stream.as_read().read(&mut bytes)?;
        self.parser.push(&bytes[..count]);
        Ok(count)
    }

    /// Every reply answers a command: whatever is there before the next one answers none.
    fn expect_silence(&mut self) -> Result<(), Silence> {
        self.socket_mut().wait = Wait::Not;
        let read = self.read();
        if self.parser.is_empty() {
            return match read {
                Ok(0) => Err(Silence::HungUp),
                Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error.into()),
                Ok(_) | Err(_) => Ok(()),
            };
        }
        Err(match self.parser.take() {
            Ok(Some(reply)) if reply.code == 421 => Silence::Ended(reply),
            Ok(Some(reply)) => Silence::Unasked(reply.to_string()),
            Ok(None) => Silence::Unasked("half an answer".to_string()),
            Err(malformed) => Silence::Malformed(malformed),
        })
    }

    fn socket(&self) -> &Socket {
        match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Encrypted(stream) => &stream.sock,
        }
    }

    fn socket_mut(&mut self) -> &mut Socket {
        match &mut self.stream {
            Stream::Plain(socket) => socket,
            Stream::Encrypted(stream) => &mut stream.sock,
        }
    }
}

impl Stream {
    fn as_read(&mut self) -> &mut dyn Read {
        match self {
            Self::Plain(socket) => socket,
            Self::Encrypted(stream) => stream.as_mut(),
        }
    }

    fn as_write(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(socket) => socket,
            Self::Encrypted(stream) => stream.as_mut(),
        }
    }
}

impl Socket {
    /// What is left of the wait, if it has an end.
    fn left(&self) -> io::Result<Option<Duration>> {
        let Wait::Until(end) = self.wait else {
            return Ok(None);
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        Ok(Some(left))
    }
}

impl Read for Socket {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left()? else {
            self.tcp.set_nonblocking(true)?;
            let read = self.tcp.read(bytes);
            self.tcp.set_nonblocking(false)?;
            return read;
        };
        self.tcp.set_read_timeout(Some(left))?;
        self.tcp.read(bytes).map_err(in_time)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(self.left()?)?;
        self.tcp.write(bytes).map_err(in_time)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// The system calls it "Resource temporarily unavailable" that a wait came to its end.
fn in_time(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
        _ => error,
    }
}

impl From<io::Error> for Silence {
    fn from(error: io::Error) -> Self {
        use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof};
        match error.kind() {
            TimedOut => Self::TimedOut,
            UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe => Self::HungUp,
            _ if tls::is_plain_text(&error) => Self::PlainText,
            _ => match tls::explain(&error) {
                Some(words) => Self::Tls(words),
                None => Self::Other(error.to_string()),
            },
        }
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::TimedOut => formatter.write_str("no answer in time"),
            Self::HungUp => formatter.write_str("the server closed the connection"),
            Self::Malformed(malformed) => malformed.fmt(formatter),
            Self::Unasked(text) => write!(
                formatter,
                "the server, or somebody on the way to it, said more than it was asked ({text}); an answer may be forged, so the session was ended"
            ),
            Self::Ended(reply) => write!(formatter, "the server ended the session: {reply}"),
            Self::Unfit(reply) => write!(formatter, "an answer that does not fit: {reply}"),
            Self::PlainText => {
                formatter.write_str("the server answers the TLS handshake in plain text")
            }
            Self::Tls(words) | Self::Other(words) => formatter.write_str(words),
        }
    }
}
