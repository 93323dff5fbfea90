//! The way of the driver to a server that nothing vouches for: in the clear, where anybody may answer, or
//! encrypted if it likes. It says in its greeting which, and so needs to be asked but once. The driver
//! reserves memory for as many columns as a result announces, before it reads one; where there is not as
//! much, the process ends, and no handler can stop that. So the answers pass through here, and one that
//! announces what MySQL cannot have goes no further.

use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::config::Tls;
use crate::output::within;

/// More columns than a table of MySQL or MariaDB can have.
const MOST_COLUMNS: u64 = 4096;

/// What is before each packet: three bytes of its length, and its place in the exchange.
const HEADER_BYTES: usize = 4;

/// More than any server says before it is asked.
const LONGEST_GREETING: u64 = 4096;

/// Of the capabilities of a server: it can go on under TLS.
const CLIENT_SSL: u16 = 0x0800;

/// Where the driver finds the server.
pub struct Relay {
    pub address: SocketAddr,
    /// Whether it shall go on under TLS.
    pub is_encrypted: bool,
    /// Ends when either end closes, once all is passed on.
    pub thread: JoinHandle<io::Result<()>>,
}

/// Connects to a server whose name nobody checks: in the clear, or encrypted if that is preferred and the
/// server offers it.
pub fn open(host: &str, port: u16, timeout: Duration, tls: Tls) -> io::Result<Relay> {
    let server = connect(host, port, timeout)?;
    server.set_read_timeout(Some(timeout))?;
    let greeting = read_greeting(&server)?;
    server.set_read_timeout(None)?;
    let is_encrypted = tls == Tls::Prefer && offers_tls(&greeting);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let thread = thread::spawn(move || -> io::Result<()> {
        let (driver, _) = listener.accept()?;
        drop(listener);
        for stream in [&server, &driver] {
            stream.set_nodelay(true)?;
        }
        thread::scope(|scope| {
            // Each end that closes closes the other.
            scope.spawn(|| {
                let _ = io::copy(&mut &driver, &mut &server);
                let _ = server.shutdown(Shutdown::Both);
            });
            let _ = (&driver).write_all(&greeting).and_then(|()| {
                if is_encrypted {
                    io::copy(&mut &server, &mut &driver).map(drop)
                } else {
                    pass_on(&server, &driver)
                }
            });
            let _ = driver.shutdown(Shutdown::Both);
        });
        Ok(())
    });
    Ok(Relay {
        address,
        is_encrypted,
        thread,
    })
}

/// The first packet of a server, or as much of one as comes.
fn read_greeting(mut server: impl Read) -> io::Result<Vec<u8>> {
    let mut greeting = Vec::new();
    server.by_ref().take(4).read_to_end(&mut greeting)?;
    if let [low, middle, high, _] = greeting[..] {
        let length = u64::from(u32::from_le_bytes([low, middle, high, 0]));
        if length > LONGEST_GREETING {
            return Err(io::Error::new(ErrorKind::InvalidData, "no greeting"));
        }
        server.take(length).read_to_end(&mut greeting)?;
    }
    Ok(greeting)
}

/// <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html>
fn offers_tls(greeting: &[u8]) -> bool {
    // After the version's text: the number of the session, half of the nonce, and a zero.
    const BEFORE_CAPABILITIES: usize = 4 + 8 + 1;
    const VERSION_10: &[u8] = &[10];
    let Some(rest) = greeting
        .get(HEADER_BYTES..)
        .and_then(|greeting| greeting.strip_prefix(VERSION_10))
    else {
        return false;
    };
    let mut parts = rest.splitn(2, |byte| *byte == 0).skip(1);
    let capabilities = parts
        .next()
        .and_then(|rest| rest.get(BEFORE_CAPABILITIES..));
    let capabilities = capabilities.and_then(<[u8]>::first_chunk);
    capabilities.is_some_and(|bytes| u16::from_le_bytes(*bytes) & CLIENT_SSL != 0)
}

fn connect(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let mut refusal = io::Error::other("the name has no address");
    for address in resolve(host, port, timeout)? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

fn resolve(host: &str, port: u16, timeout: Duration) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let name = host.to_string();
    let addresses = within(timeout, move || (name.as_str(), port).to_socket_addrs());
    let too_late = || io::Error::other("its name was not resolved in time");
    Ok(addresses.ok_or_else(too_late)??.collect())
}

/// Passes packets on to the driver, as long as none announces too much.
fn pass_on(server: impl Read, driver: impl Write) -> io::Result<()> {
    let (mut server, mut driver) = (BufReader::new(server), BufWriter::new(driver));
    let mut is_signed_in = false;
    loop {
        let mut header = [0; HEADER_BYTES];
        server.read_exact(&mut header)?;
        let [low, middle, high, place] = header;
        let length = u64::from(u32::from_le_bytes([low, middle, high, 0]));
        let mut start = [0; 9];
        let start_length = start
            .len()
            .min(usize::try_from(length).unwrap_or(usize::MAX));
        let start = &mut start[..start_length];
        server.read_exact(start)?;
        if is_signed_in && announced(start).is_some_and(|count| count > MOST_COLUMNS) {
            // The driver refuses what is out of order as what it is: no MySQL.
            driver.write_all(&[1, 0, 0, place.wrapping_add(1), 0])?;
            return driver.flush();
        }
        // Only after such a packet the driver asks anything that columns can answer.
        is_signed_in |= start.first() == Some(&0);
        driver.write_all(&header)?;
        driver.write_all(start)?;
        let mut rest = usize::try_from(length).unwrap_or(usize::MAX) - start_length;
        // Not `io::copy`, which hands each packet over by itself.
        while rest > 0 {
            let part = server.fill_buf()?;
            let part = &part[..rest.min(part.len())];
            if part.is_empty() {
                return driver.flush();
            }
            driver.write_all(part)?;
            let count = part.len();
            server.consume(count);
            rest -= count;
        }
        if server.buffer().is_empty() {
            driver.flush()?;
        }
    }
}

/// The number that a packet begins with, if it is one of two bytes or more: of columns, in the first
/// packet of a result. No row of ours begins so: those of prepared statements begin with a zero, and the
/// first text of others is short.
///
/// <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html>
fn announced(start: &[u8]) -> Option<u64> {
    let length = match start.first()? {
        0xfc => 2,
        0xfd => 3,
        // With fewer bytes after it, it marks the end of the rows.
        0xfe => 8,
        _ => return None,
    };
    let mut number = [0; 8];
    number[..length].copy_from_slice(start.get(1..=length)?);
    Some(u64::from_le_bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(place: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).expect("a short one");
        [&[length, 0, 0, place], payload].concat()
    }

    fn passed_on(packets: &[Vec<u8>]) -> Vec<u8> {
        let mut passed = Vec::new();
        let _ = pass_on(packets.concat().as_slice(), &mut passed);
        passed
    }

    #[test]
    fn what_a_server_says_passes_as_it_is() {
        let packets = [
            packet(0, b"\x0a8.0.30"),
            packet(2, b"\xfecaching_sha2_password\0AAAAAAAAAAAAAAAAAAAA"),
            packet(4, &[0, 0, 0, 2, 0]),
            packet(1, &[4]),
            packet(1, &[0xfc, 0, 16]),
            packet(2, b""),
            packet(3, &[0xfe, 0, 0, 2, 0]),
        ];
        assert_eq!(passed_on(&packets), packets.concat());
    }

    #[test]
    fn what_a_greeting_offers_is_read_and_nothing_is_made_of_half_of_one() {
        let greeting = |capabilities: &[u8]| {
            let before = b"\x0a8.0.30\0\x07\0\0\0AAAAAAAA\0";
            packet(0, &[&before[..], capabilities].concat())
        };
        assert!(offers_tls(&greeting(&[0, 0x08])));
        for greeting in [
            greeting(&[0xff, 0xf7]),
            greeting(&[0]),
            packet(0, b"\xff\x10\x04Too many connections"),
            packet(0, b""),
            Vec::new(),
        ] {
            assert!(!offers_tls(&greeting), "{greeting:?}");
            assert_eq!(read_greeting(greeting.as_slice()).ok(), Some(greeting));
        }
        assert!(read_greeting(&[0xff, 0xff, 0xff, 0, 10][..]).is_err());
    }

    #[test]
    fn more_columns_than_mysql_can_have_go_no_further() {
        let signed_in = packet(2, &[0, 0, 0, 2, 0]);
        for announced in [
            &[0xfc, 1, 16][..],
            &[0xfd, 0, 0, 1],
            &[0xfe, 0, 0, 0, 0, 1, 0, 0, 0],
            &[0xfe, 0, 0, 0, 0, 0, 0, 0, 16],
        ] {
            let packets = [signed_in.clone(), packet(1, announced), packet(2, b"x")];
            let refusal = packet(2, &[0]);
            assert_eq!(passed_on(&packets), [signed_in.clone(), refusal].concat());
        }
    }
}
