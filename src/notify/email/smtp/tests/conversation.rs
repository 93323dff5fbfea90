//! Answers of every kind, and what becomes of the message.

use super::*;
use crate::notify::SendError;

#[test]
fn a_message_goes_out_encrypted_with_each_command_in_its_turn() {
    let script = format!(
        "{GREETING}\n{OFFER}S: 250-mx\nS: 250-SIZE 100000\nS: 250 AUTH PLAIN LOGIN\nC: AUTH PLAIN AHdhdGNoAHBhc3MgdzByZA==\nS: 235 ok\n{ENVELOPE}{MESSAGE}C: QUIT\nS: 221 bye"
    );
    let (sent, heard) = sent_by("hello_name = \"db1.example.com\"\n", &script);
    sent.expect("it is sent");
    assert_eq!(heard[0], "EHLO db1.example.com");
    let size = heard[7].len();
    assert_eq!(
        heard[4],
        format!("MAIL FROM:<watch@example.com> SIZE={size}")
    );
    assert!(
        heard[7].ends_with("\r\n\r\nit is high\r\n..\r\nvery\r\n.\r\n"),
        "{heard:?}"
    );
}

#[test]
fn a_login_goes_by_login_where_plain_is_not_offered() {
    let script = format!(
        "{GREETING}\n{OFFER}S: 250-mx\nS: 250 AUTH XOAUTH2 LOGIN\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: d2F0Y2g=\nS: 334 UGFzc3dvcmQ6\nC: cGFzcyB3MHJk\nS: 235 ok\n{ENVELOPE}{MESSAGE}C: QUIT"
    );
    sent_by("", &script).0.expect("it is sent");
}

#[test]
fn an_answer_that_was_not_asked_for_ends_the_session_wherever_it_comes() {
    let forged =
        "S: 250-x\nS: 250 AUTH PLAIN\nS: 235 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nS: 250 queued\n";
    for script in [
        // In the clear, from anybody on the way: nothing of it counts for what is encrypted (RFC 3207, 6).
        format!("S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n{forged}TLS\nC: EHLO \nC: MAIL"),
        "S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS: 250-mitm\nS: 250 AUTH LOGIN\nTLS\nC: EHLO \n".to_string(),
        format!("S: 220 mx\n{forged}C: EHLO \nC: STARTTLS"),
        format!("S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\n{forged}C: STARTTLS"),
        // Half of one, or no answer at all.
        "S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS: 250-half\nTLS\n".to_string(),
        "S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS: garbage\nTLS\n".to_string(),
        // From a server that is out of step.
        format!("{GREETING}\n{OFFER}S: 250 mx\nS: 250 ok\nC: MAIL"),
        format!("{GREETING}\n{OFFER}S: 250 mx\nC: MAIL\nS: 250 ok\nS: 250 ok\nC: RCPT"),
        format!("{GREETING}\n{OFFER}S: 250 mx\n{ENVELOPE}S: 354 go\nS: 250 kept\nMESSAGE"),
    ] {
        let (sent, heard) = sent_by("", &script);
        let error = format!("{:#}", sent.expect_err(&script));
        assert!(
            ["said more than it was asked", "is not SMTP"].iter().any(|told| error.contains(told)),
            "{error}\nof {script}"
        );
        let last = heard.last().map_or("", String::as_str);
        assert!(last.is_empty(), "it went on with {last:?}\nafter {script}");
    }
}

#[test]
fn what_a_server_says_after_it_accepted_one_message_is_not_taken_for_the_next() {
    let script =
        format!("{GREETING}\n{OFFER}S: 250 mx\n{ENVELOPE}{MESSAGE}S: 250 ok\nS: 250 ok\nC: MAIL");
    let (identity, recipients) = (Identity::usual(), ["ops@example.com", "b@example.com"]);
    let server = Server::start(&[script], &identity);
    let sent = send(&settings(server.port, "", &identity), &recipients, "high");
    assert!(sent[0].is_ok() && sent[1].is_err(), "{sent:?}");
}

#[test]
fn an_answer_that_does_not_fit_its_command_is_none() {
    let mail = format!("{GREETING}\n{OFFER}S: 250 mx\n");
    for (script, told) in [
        (
            "S: 354 go\n".to_string(),
            "cannot be talked to: an answer that does not fit: 354 go",
        ),
        (
            "S: 999 hi\n".to_string(),
            "cannot be talked to: the server's answer is not SMTP: \"999 hi\"",
        ),
        (
            "S: hello\n".to_string(),
            "the server's answer is not SMTP: \"hello\"",
        ),
        (
            format!("{mail}C: MAIL\nS: 354 ok\n"),
            "no answer to MAIL: an answer that does not fit",
        ),
        (
            format!("{mail}{ENVELOPE}S: 250 not 354\nMESSAGE\n"),
            "no answer to DATA: an answer that does not fit: 250 not 354",
        ),
        (
            format!("{mail}{ENVELOPE}S: 354 go\nMESSAGE\nS: 354 go\n"),
            "may have arrived: an answer that does not fit",
        ),
        (
            format!("{mail}{ENVELOPE}S: 354 go\nMESSAGE\nS: 250-ok\nS: 550 no\n"),
            "may have arrived: the server's answer is both 250 and 550",
        ),
    ] {
        assert_fails(&script, told);
    }
}

#[test]
fn a_server_that_ends_the_session_is_told_with_its_words() {
    let script = format!("{GREETING}\n{OFFER}S: 250 mx\nS: 421 4.3.2 going down\n");
    assert_fails(
        &script,
        "the server ended the session: 421 4.3.2 going down",
    );
}

#[test]
fn an_answer_without_an_end_is_cut_off() {
    let mail = format!("{GREETING}\n{OFFER}S: 250 mx\n");
    for (script, told) in [
        (
            "FLOOD: 220-hello there\\x0d\\x0a".to_string(),
            "more than 500 lines",
        ),
        (
            "FLOOD: 220 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_string(),
            "a line of more than 2000 bytes",
        ),
        (
            format!("{mail}C: MAIL\nFLOOD: 250-x\\x0d\\x0a"),
            "more than 500 lines",
        ),
    ] {
        assert_fails(&script, told);
    }
}

#[test]
fn a_server_that_answers_a_byte_at_a_time_holds_up_neither_the_session_nor_the_others() {
    assert_fails("DRIP", "cannot be talked to: no answer in time");
    let mail = format!("{GREETING}\n{OFFER}S: 250 mx\n");
    let slow = format!("{mail}C: MAIL\nS: 250 ok\nC: RCPT\nDRIP");
    let well = format!(
        "{mail}C: MAIL\nS: 250 ok\nC: RCPT TO:<b@example.com>\nS: 250 ok\nC: DATA\n{MESSAGE}C: QUIT\nS: 221 bye"
    );
    let (identity, recipients) = (Identity::usual(), ["a@example.com", "b@example.com"]);
    let server = Server::start(&[slow, well], &identity);
    let sent = send(&settings(server.port, "", &identity), &recipients, "high");
    let error = sent[0].as_ref().expect_err("too slow");
    assert!(format!("{error:#}").ends_with("no answer to RCPT: no answer in time"));
    assert!(matches!(error.downcast_ref(), Some(SendError::TimedOut(_))));
    assert!(sent[1].is_ok(), "{:?}", sent[1]);
}

#[test]
fn a_refusal_is_told_in_whatever_bytes_it_comes_and_with_what_it_means_for_the_message() {
    let mail = format!("{GREETING}\n{OFFER}S: 250 mx\n");
    let error = assert_fails(
        &format!(
            "{mail}C: MAIL\nS: 250 ok\nC: RCPT\nS: 550-bo\\xeete\nS: 550 \\xb2\\xbb\nC: RSET\nS: 250 ok\n"
        ),
        "the server refused the recipient (RCPT): 550 bo\u{fffd}te \u{fffd}\u{fffd}",
    );
    assert!(matches!(error.downcast_ref(), Some(SendError::Refused(_))));
    let error = assert_fails(
        &format!("{mail}{ENVELOPE}S: 451 later\n"),
        "(DATA): 451 later",
    );
    assert_eq!(error.downcast_ref::<SendError>(), None);
    // Settings are at fault, which somebody may set right.
    let error = assert_fails(
        &format!(
            "{mail}C: MAIL\nS: 250 ok\nC: RCPT\nS: 504 5.5.2 <[127.0.0.1]>: Helo command rejected\n"
        ),
        "Helo command rejected; it was greeted as [127.0.0.1] (smtp.hello_name)",
    );
    assert_eq!(error.downcast_ref::<SendError>(), None);
    let error = assert_fails(
        &format!("{mail}C: MAIL\nS: 550 not you\n"),
        "(MAIL): 550 not you",
    );
    assert_eq!(error.downcast_ref::<SendError>(), None);
    let error = assert_fails(
        &format!("{mail}{ENVELOPE}S: 354 go\nMESSAGE\nS: 552 5.3.4 too big\n"),
        "the server refused the message (after DATA): 552 5.3.4 too big",
    );
    assert!(matches!(error.downcast_ref(), Some(SendError::TooLarge(_))));
    let error = assert_fails(
        &format!("{GREETING}\n{OFFER}S: 250-mx\nS: 250 SIZE 50\nC: RSET\nS: 250 ok\n"),
        "and the server takes 50 at most (SIZE)",
    );
    assert!(matches!(error.downcast_ref(), Some(SendError::TooLarge(_))));
}

#[test]
fn what_is_offered_instead_of_a_login_is_told() {
    let login = format!("{GREETING}\n{OFFER}S: 250-mx\nS: 250 ");
    for (script, told) in [
        (
            "AUTH XOAUTH2 CRAM-MD5\nC: AUTH",
            "cannot log in as watch: the server offers AUTH by XOAUTH2, CRAM-MD5, and bandwatch knows PLAIN and LOGIN",
        ),
        (
            "HELP\nC: AUTH",
            "cannot log in as watch: the server offers no login (AUTH); remove smtp.user",
        ),
        (
            "AUTH PLAIN\nC: AUTH\nS: 454 4.7.0 later\n",
            "cannot log in as watch: 454 4.7.0 later",
        ),
        (
            "AUTH PLAIN\nC: AUTH\nS: 334 more\n",
            "cannot log in as watch: an answer that does not fit: 334 more",
        ),
        (
            "AUTH PLAIN\nC: AUTH\nS: 535 no\n",
            "535 no; check smtp.user and smtp.password_file",
        ),
    ] {
        assert_fails(&format!("{login}{script}"), told);
    }
}

#[test]
fn a_server_that_repeats_the_login_does_not_make_it_known() {
    let login = format!("{GREETING}\n{OFFER}S: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH\n");
    for (answer, told) in [
        (
            "S: 535 you said AUTH PLAIN AHdhdGNoAHBhc3MgdzByZA==",
            "you said AUTH PLAIN ***",
        ),
        (
            "S: 535-AHdhdGNoAHBh\nS: 535 c3MgdzByZA== no",
            "535 ***== no",
        ),
        ("S: 535 pass w0rd is not it", "535 *** is not it"),
        ("S: pass w0rd", "is not SMTP: \"***\""),
        ("S: 235 ok\nS: 250 cGFzcyB3MHJk", "(250 ***)"),
    ] {
        assert_fails(&format!("{login}{answer}\n"), told);
    }
}

#[test]
fn an_address_beyond_ascii_needs_a_server_that_takes_it_unless_the_domain_alone_is() {
    let (identity, recipients) = (Identity::usual(), ["jürgen@example.com"]);
    let mail = format!("{GREETING}\n{OFFER}S: 250-mx\nS: 250 ");
    for (offered, told) in [
        (
            "HELP",
            "not plain ASCII, and the server does not take such addresses",
        ),
        (
            "8BITMIME",
            "not plain ASCII, and the server does not take such addresses",
        ),
        // The header has the address as it is (RFC 6532).
        ("SMTPUTF8", "the mail is not plain ASCII"),
    ] {
        let script = format!("{mail}{offered}\nC: RSET\nS: 250 ok\n");
        let server = Server::start(&[script], &identity);
        let sent = send(&settings(server.port, "", &identity), &recipients, "high");
        let error = format!("{:#}", sent[0].as_ref().expect_err("refused"));
        assert!(error.contains(told), "{error}");
    }
    let script = format!(
        "{GREETING}\n{OFFER}S: 250-mx\nS: 250-8BITMIME\nS: 250 SMTPUTF8\nC: MAIL FROM:<watch@example.com> SMTPUTF8 BODY=8BITMIME\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\n{MESSAGE}C: QUIT"
    );
    let server = Server::start(&[script], &identity);
    let sent = send(&settings(server.port, "", &identity), &recipients, "high");
    assert!(sent[0].is_ok(), "{sent:?}");
}
