//! Whoever answers in place of a server: nothing that is said there ends the program, takes its memory, or
//! learns the password.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::shop::{AT, HOURLY, Shop, assert_tells, the_only_line};

/// No TLS, and the way to sign in that all know; the nonce is 20 letters.
const GREETING: &[u8] = b"\x0a8.0.30\0\x07\0\0\0AAAAAAAA\0\x8f\xa2\x21\x02\0\x3f\0\x15\0\0\0\0\0\0\0\0\0\0AAAAAAAAAAAA\0mysql_native_password\0";
const OK: &[u8] = b"\0\0\0\x02\0\0\0";
const SWITCH_TO_SHA2: &[u8] = b"\xfecaching_sha2_password\0AAAAAAAAAAAAAAAAAAAA\0";
const TAKING_LEAVE: &[u8] = b"\x01";
const FULL_SIGN_IN: &[u8] = b"\x01\x04";

fn packet(place: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short one");
    [&length.to_le_bytes()[..3], &[place], payload].concat()
}

fn read_packet(client: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut header = [0; 4];
    client.read_exact(&mut header).ok()?;
    let [a, b, c, place] = header;
    let mut payload = vec![0; usize::try_from(u32::from_le_bytes([a, b, c, 0])).ok()?];
    client.read_exact(&mut payload).ok()?;
    Some((place, payload))
}

/// Greets, answers each packet with the next of these, the last again and again, and hands over what came.
fn answer(greeting: Vec<u8>, answers: Vec<Vec<u8>>) -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    let port = listener.local_addr().expect("a bound port").port();
    let (sender, heard) = channel();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("a client");
            if client.write_all(&greeting).is_err() {
                continue;
            }
            let last = answers.last().into_iter().cycle();
            let mut answers = answers.iter().chain(last);
            while let Some((place, payload)) = read_packet(&mut client) {
                if payload != TAKING_LEAVE {
                    let _ = sender.send(payload);
                }
                let Some(answer) = answers.next() else { break };
                if client
                    .write_all(&packet(place.wrapping_add(1), answer))
                    .is_err()
                {
                    break;
                }
            }
        }
    });
    (port, heard)
}

/// The line that a run with two metrics tells of the first; the second fails as well.
#[track_caller]
fn told(shop: &Shop, port: u16) -> String {
    let mysql = format!("{}host = \"127.0.0.1\"\nport = {port}\n", shop.account());
    shop.configure(&mysql, &[("sales", HOURLY)]);
    let run = shop.run_at(AT, &[]);
    run.assert_status(1);
    let line = the_only_line(&run.stderr);
    assert_tells(&line, &[&format!("127.0.0.1:{port}")]);
    line
}

fn signed_in<'a>(answers: &[&'a [u8]]) -> Vec<&'a [u8]> {
    [&[OK][..], answers].concat()
}

#[test]
fn whatever_is_answered_is_one_line_that_says_it_is_no_mysql() {
    let shop = Shop::healthy();
    let prepared = b"\0\x01\0\0\0\0\0\0\0\0\0\0";
    let cases: Vec<(&str, Vec<&[u8]>)> = vec![
        ("nothing at the sign-in", vec![b""]),
        ("another packet at the sign-in", vec![b"\x17"]),
        ("half a word of sha2", vec![SWITCH_TO_SHA2, b"\x01"]),
        ("a short nonce of ed25519", vec![b"\xfeclient_ed25519\0AAA"]),
        (
            "no salt of parsec",
            vec![b"\xfeparsec\0AAAA", b"\x01P\xffAAAA"],
        ),
        ("an empty answer", signed_in(&[b""])),
        (
            "a file is asked for",
            signed_in(&[OK, OK, OK, OK, OK, b"\xfb/etc/passwd", OK]),
        ),
        ("2^60 columns", signed_in(&[b"\xfe\0\0\0\0\0\0\0\x10"])),
        ("2^37 columns", signed_in(&[OK, b"\xfe\0\0\0\0\x20\0\0\0"])),
        (
            "2^32 columns",
            signed_in(&[OK, OK, OK, OK, OK, OK, b"\xfe\0\0\0\0\x01\0\0\0"]),
        ),
        (
            "a billion columns",
            signed_in(&[b"\xfe\0\xca\x9a\x3b\0\0\0\0"]),
        ),
        ("16 million columns", signed_in(&[b"\xfd\xff\xff\xff"])),
        (
            "a statement without columns",
            signed_in(&[OK, OK, OK, OK, OK, prepared]),
        ),
        (
            "a statement that is too short",
            signed_in(&[OK, OK, OK, OK, OK, b"\0\x01"]),
        ),
    ];
    for (case, answers) in cases {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        let (port, _heard) = answer(packet(0, GREETING), answers);
        let line = told(&shop, port);
        assert!(
            line.contains("does not keep to the protocol of MySQL"),
            "{case}: {line}"
        );
    }
}

#[test]
fn whatever_greets_is_one_line() {
    let shop = Shop::healthy();
    for greeting in [
        packet(0, b""),
        packet(0, b"\x095.0\0AAAA"),
        packet(0, b"\x0a"),
        [b"\xff\xff\xff\0".to_vec(), vec![0x0a; 5_000_000]].concat(),
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
    ] {
        let (port, _heard) = answer(greeting, Vec::new());
        assert_tells(&told(&shop, port), &["mysql.host and mysql.port right?"]);
    }
    let mut offers_tls = GREETING.to_vec();
    // The second byte of what it can, after its version, session, half a nonce and a zero.
    offers_tls[1 + 7 + 4 + 8 + 1 + 1] |= 0x08;
    let (port, _heard) = answer(packet(0, &offers_tls), vec![vec![b'x'; 70_000]]);
    let told = told(&shop, port);
    assert_tells(
        &told,
        &["does not keep to the protocol of MySQL; is the server up"],
    );
}

#[test]
fn an_unknown_way_to_sign_in_is_named() {
    let shop = Shop::healthy();
    for (switch, name) in [
        (
            &b"\xfemysql_clear_password\0A\0"[..],
            "mysql_clear_password",
        ),
        (b"\xfedialog\0A\0", "dialog"),
        (b"\xfeauth_gssapi_client\0A\0", "auth_gssapi_client"),
        (b"\xfe", "mysql_old_password"),
        (
            b"\xfesha256_password\0A\0",
            "for accounts that do not exist as well",
        ),
    ] {
        let (port, _heard) = answer(packet(0, GREETING), vec![switch.to_vec(), Vec::new()]);
        assert_tells(
            &told(&shop, port),
            &[name, "mysql.user", "caching_sha2_password"],
        );
    }
}

#[test]
fn who_answers_without_tls_is_not_even_asked_for_a_key() {
    let shop = Shop::healthy();
    let answers = [
        SWITCH_TO_SHA2,
        FULL_SIGN_IN,
        b"\x01-----BEGIN PUBLIC KEY-----",
    ];
    let answers = answers.map(<[u8]>::to_vec).to_vec();
    let (port, heard) = answer(packet(0, GREETING), answers.clone());
    assert_tells(
        &told(&shop, port),
        &["caching_sha2_password", "mysql.get_server_public_key"],
    );
    // The first words, and the scrambled password: nothing after full sign-in is asked for.
    assert_eq!(heard.try_iter().count(), 2);

    let (port, heard) = answer(packet(0, GREETING), answers);
    let mysql = format!(
        "{}host = \"127.0.0.1\"\nport = {port}\nget_server_public_key = true\n",
        shop.account()
    );
    shop.configure(&mysql, &[("sales", HOURLY)]);
    let line = shop.refusal_as_configured();
    assert_tells(&line, &["does not keep to the protocol of MySQL"]);
    assert_eq!(heard.try_iter().nth(2), Some(vec![2]));
}
