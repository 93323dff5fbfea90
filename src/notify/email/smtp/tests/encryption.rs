//! How a session begins to be encrypted, and with whom.

use super::*;

#[test]
fn what_fits_the_other_way_to_begin_is_told() {
    let implicit = "implicit_tls = true\n";
    let (sent, _) = sent_by(implicit, "S: 220 mx ESMTP\n");
    let error = format!("{:#}", sent.expect_err("no TLS"));
    assert!(
        error.contains("in plain text; smtp.implicit_tls = true is for a port that"),
        "{error}"
    );
    let script = format!("TLS\nS: 220 mx\nC: EHLO \nS: 250 mx\n{ENVELOPE}{MESSAGE}C: QUIT");
    sent_by(implicit, &script).0.expect("it is sent");
    let (sent, _) = sent_by("", &script);
    let error = format!("{:#}", sent.expect_err("no greeting"));
    assert!(
        error.ends_with("does that port begin with TLS, which wants smtp.implicit_tls = true?"),
        "{error}"
    );
}

#[test]
fn a_server_with_nothing_but_old_tls_is_told_apart() {
    let hello = "S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n";
    for (answer, told) in [
        // Alerts: protocol_version and handshake_failure (RFC 8446, 6).
        (
            "\\x15\\x03\\x01\\x00\\x02\\x02\\x46",
            "knows only TLS 1.1 or older",
        ),
        (
            "\\x15\\x03\\x01\\x00\\x02\\x02\\x28",
            "no kind of certificate or cipher in common",
        ),
        ("hello", "in plain text"),
    ] {
        assert_fails(&format!("{hello}BYTES\nS: {answer}\n"), told);
    }
    assert_fails(
        &format!("{hello}BYTES\n"),
        "closed the connection; does it know TLS 1.2 or 1.3?",
    );
}

#[test]
fn a_certificate_that_is_itself_in_the_file_is_trusted_for_its_name_while_it_is_valid() {
    let script = format!("TLS\nS: 220 mx\nC: EHLO \nS: 250 mx\n{ENVELOPE}{MESSAGE}C: QUIT");
    for (identity, told) in [
        (Identity::usual(), None),
        (Identity::signed(), None),
        (
            Identity::of_authority("127.0.0.1", 2021),
            Some("certificate expired on 2021-01-01 00:00 UTC"),
        ),
        (
            Identity::of_authority("elsewhere.example", 2120),
            Some("certificate is for elsewhere.example, not for smtp.host 127.0.0.1"),
        ),
    ] {
        let server = Server::start(std::slice::from_ref(&script), &identity);
        let settings = settings(server.port, "implicit_tls = true\n", &identity);
        let sent = send(&settings, &["ops@example.com"], "high").remove(0);
        let error = sent.err().map(|error| format!("{error:#}"));
        match (&error, told) {
            (Some(error), Some(told)) => assert!(error.contains(told), "{error}"),
            (error, told) => assert_eq!(error.as_deref(), told),
        }
    }
    for (identity, told) in [
        (
            Identity::usual(),
            "is that of an authority (CA:TRUE); if it is the server's own",
        ),
        (Identity::signed(), "was signed by nobody known"),
    ] {
        let server = Server::start(std::slice::from_ref(&script), &identity);
        let settings = settings(server.port, "implicit_tls = true\n", &Identity::usual());
        let error = send(&settings, &["ops@example.com"], "high").remove(0);
        let error = format!("{:#}", error.expect_err("not trusted"));
        assert!(error.contains(told), "{error}");
    }
}
