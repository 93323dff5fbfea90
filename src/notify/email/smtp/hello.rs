//! EHLO: the name by which we go, and what the server says it can do (RFC 5321, 4.1.1.1).

use std::net::IpAddr;

use super::reply::Reply;

/// What the server offers of what we could use.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    pub starttls: bool,
    /// Of AUTH, as the server writes them.
    pub mechanisms: Vec<String>,
    /// The largest message it takes, in bytes (RFC 1870), if it says so: `usize::MAX` where it knows of no
    /// limit.
    pub largest: Option<usize>,
    /// RFC 6152.
    pub eight_bit: bool,
    /// RFC 6531.
    pub international: bool,
}

impl Capabilities {
    pub fn new(reply: &Reply) -> Self {
        let mut capabilities = Self::default();
        // The first line is a greeting.
        for line in reply.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("STARTTLS") => capabilities.starttls = true,
                Some("AUTH") => capabilities.mechanisms.extend(words.map(str::to_string)),
                Some("SIZE") => {
                    let size = words.next().and_then(|size| size.parse().ok());
                    let limit = size.filter(|size| *size > 0);
                    capabilities.largest = limit.or(Some(usize::MAX));
                }
                Some("8BITMIME") => capabilities.eight_bit = true,
                Some("SMTPUTF8") => capabilities.international = true,
                _ => {}
            }
        }
        capabilities
    }

    pub fn offers(&self, mechanism: &str) -> bool {
        self.mechanisms.iter().any(|offered| offered == mechanism)
    }
}

/// The name that is set, else that of this machine if it is one of a domain, else its address: servers
/// refuse a name without a dot.
pub fn name(set: Option<&str>, machine: Option<&str>, address: Option<IpAddr>) -> String {
    let is_full = |name: &&str| {
        let labels = name.split('.');
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        name.contains('.')
            && labels
                .clone()
                .all(|label| !label.is_empty() && label.chars().all(is_plain))
    };
    let machine = machine.map(|name| name.trim_end_matches('.'));
    match (
        set.or(machine.filter(is_full)),
        address.map(|address| address.to_canonical()),
    ) {
        (Some(name), _) => name.to_string(),
        (None, Some(IpAddr::V6(address))) => format!("[IPv6:{address}]"),
        (None, Some(IpAddr::V4(address))) => format!("[{address}]"),
        (None, None) => "[127.0.0.1]".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_offers_is_read_in_any_case() {
        let lines = [
            "mx at your service",
            "size 1000",
            "auth Plain LOGIN",
            "StartTLS",
            "8BITMIME",
        ];
        let lines = lines.map(ToString::to_string).to_vec();
        let expected = Capabilities {
            starttls: true,
            mechanisms: vec!["PLAIN".into(), "LOGIN".into()],
            largest: Some(1000),
            eight_bit: true,
            international: false,
        };
        assert_eq!(Capabilities::new(&Reply { code: 250, lines }), expected);
        let lines = vec!["STARTTLS is a name".into(), "SIZE 0".into()];
        let few = Capabilities::new(&Reply { code: 250, lines });
        assert_eq!((few.starttls, few.largest), (false, Some(usize::MAX)));
    }

    #[test]
    fn a_machine_without_a_domain_goes_by_its_address() {
        for (set, machine, address, expected) in [
            (
                Some("me.example"),
                Some("db1.example.com"),
                "10.0.0.7",
                "me.example",
            ),
            (None, Some("db1.example.com"), "10.0.0.7", "db1.example.com"),
            (None, Some("db1"), "10.0.0.7", "[10.0.0.7]"),
            (None, Some("db 1.example"), "::1", "[IPv6:::1]"),
            (None, None, "::ffff:10.0.0.7", "[10.0.0.7]"),
        ] {
            let address = address.parse().ok();
            assert_eq!(name(set, machine, address), expected);
        }
    }
}
