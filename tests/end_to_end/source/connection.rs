//! The way to the server: the ways that work, and the ways it fails, each told
//! in one line and in good time.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use crate::support::workspace::{LONG, wait_for};
use crate::support::{CertificateKind, Database};

use super::shop::{AT, HOURLY, HOURS, NEWEST, Shop, assert_tells, the_only_line, wave};

/// The settings of a server on this port of this machine.
fn at_port(shop: &Shop, port: u16) -> String {
    format!("{}host = \"127.0.0.1\"\nport = {port}\n", shop.account())
}

#[track_caller]
fn assert_refused(shop: &Shop, mysql: &str, parts: &[&str]) {
    shop.configure(mysql, &[("sales", HOURLY)]);
    assert_tells(&shop.refusal_as_configured(), parts);
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    let port = listener.local_addr().expect("a bound port").port();
    (listener, port)
}

#[test]
fn a_socket_leads_to_the_server() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    let socket = shop.database.socket().display();
    shop.configure(
        &format!("{}socket = \"{socket}\"\n", shop.account()),
        &[("sales", HOURLY)],
    );
    assert_eq!(shop.judge_as_configured(AT), expected);
}

#[test]
fn a_socket_that_is_not_there_is_told() {
    let shop = Shop::healthy();
    let mysql = format!("{}socket = \"nowhere.sock\"\n", shop.account());
    assert_refused(&shop, &mysql, &["nowhere.sock", "mysql.socket"]);
}

#[test]
fn a_server_that_never_answers_is_given_up_after_the_query_timeout() {
    assert_given_up("connect_timeout = \"1s\"\nquery_timeout = \"1s\"\n", LONG);
}

#[test]
fn a_server_that_never_answers_is_given_up_at_the_deadline() {
    let patient = format!("connect_timeout = \"{LONG}\"\nquery_timeout = \"{LONG}\"\n");
    assert_given_up(&patient, "1s");
}

#[track_caller]
fn assert_given_up(timeouts: &str, deadline: &str) {
    let shop = Shop::healthy();
    let (_listener, port) = listener();
    let mysql = format!("{}{timeouts}", at_port(&shop, port));
    shop.configure(&mysql, &[("sales", HOURLY)]);
    let config = shop.workspace.path().join("config.toml");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    shop.workspace
        .config(&text.replace("\"8s\"", &format!("\"{deadline}\"")));
    let place = format!("connect to 127.0.0.1:{port}");
    assert_tells(
        &shop.refusal_as_configured(),
        &[&place, "no answer in time", "mysql.host"],
    );
}

#[test]
fn a_name_nobody_has_is_told() {
    let shop = Shop::healthy();
    let mysql = format!(
        "{}host = \"nowhere.invalid\"\ntls = \"off\"\n",
        shop.account()
    );
    assert_refused(&shop, &mysql, &["nowhere.invalid:3306", "mysql.host"]);
}

#[test]
fn something_else_on_the_port_is_told() {
    let shop = Shop::healthy();
    let (listener, port) = listener();
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut client, _) = listener.accept().expect("a client");
            client
                .write_all(b"220 mail.example.com ESMTP ready\r\n")
                .expect("a greeting");
        });
        assert_refused(
            &shop,
            &at_port(&shop, port),
            &[&format!("connect to 127.0.0.1:{port}"), "mysql.port"],
        );
    });
}

#[test]
fn a_wrong_password_is_told() {
    let shop = Shop::healthy();
    let reader = &shop.database.read_only_user().user;
    let place = format!("host = \"127.0.0.1\"\nport = {}\n", shop.database.port());
    let mysql = format!("{}{place}", shop.account_of(reader, "xyzzy-wrong"));
    assert_refused(
        &shop,
        &mysql,
        &[
            &shop.place(),
            "Access denied",
            reader,
            "mysql.password_file",
        ],
    );
}

#[test]
fn an_unknown_database_is_told() {
    let shop = Shop::healthy();
    let gone = format!("{}gone", shop.database.name);
    let mysql = shop.mysql().replace(
        &format!("database = \"{}\"", shop.database.name),
        &format!("database = \"{gone}\""),
    );
    let parts = [&shop.place(), gone.as_str(), "mysql.database"];
    assert_refused(&shop, &mysql, &[&parts[..], &["Access denied"]].concat());
    let reader = &shop.database.read_only_user().user;
    shop.sql(&format!("GRANT SELECT ON {gone}.* TO '{reader}'@'%'"));
    assert_refused(&shop, &mysql, &[&parts[..], &["Unknown database"]].concat());
}

/// A healthy shop on a server with this certificate.
fn shop_with(kind: CertificateKind) -> Shop {
    let shop = Shop::of(Database::create_with_certificate(kind));
    shop.sales("DATETIME", "DOUBLE", &wave(NEWEST, 60, HOURS));
    shop
}

fn verified(shop: &Shop) -> String {
    format!(
        "{}tls = \"verify\"\nca_file = \"{}\"\n",
        shop.mysql(),
        shop.database.ca_file().display()
    )
}

#[test]
fn a_good_certificate_is_verified_with_its_authority() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    for host in ["127.0.0.1", "localhost"] {
        let mysql = verified(&shop).replace("127.0.0.1", host);
        shop.configure(&mysql, &[("sales", HOURLY)]);
        assert_eq!(shop.judge_as_configured(AT), expected, "{host}");
    }
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let shop = Shop::healthy();
    let mysql = format!("{}tls = \"verify\"\n", shop.mysql());
    assert_refused(
        &shop,
        &mysql,
        &[
            &shop.place(),
            "UnknownIssuer",
            "mysql.tls = \"verify\"",
            "mysql.ca_file",
        ],
    );
}

#[test]
fn where_tls_is_offered_it_is_used_on_this_machine_too() {
    let shop = Shop::healthy();
    let reader = &shop.database.read_only_user().user;
    shop.sql(&format!("ALTER USER '{reader}'@'%' REQUIRE SSL"));
    for mysql in [
        shop.mysql(),
        verified(&shop),
        format!("{}tls = \"encrypt\"\n", shop.mysql()),
    ] {
        shop.configure(&mysql, &[("sales", HOURLY)]);
        assert_eq!(shop.judge_as_configured(AT)["verdict"], "normal", "{mysql}");
    }
}

#[test]
fn a_certificate_for_another_name_will_do_where_only_its_authority_is_asked_for() {
    let verify_ca = |shop: &Shop| verified(shop).replace("\"verify\"", "\"verify-ca\"");
    let shop = shop_with(CertificateKind::WrongName);
    shop.configure(&verify_ca(&shop), &[("sales", HOURLY)]);
    assert_eq!(shop.judge_as_configured(AT)["verdict"], "normal");
    for kind in [CertificateKind::SelfSigned, CertificateKind::Expired] {
        let shop = shop_with(kind);
        let told = ["mysql.tls = \"verify-ca\" wants", "mysql.ca_file"];
        assert_refused(&shop, &verify_ca(&shop), &told);
    }
}

#[track_caller]
fn assert_certificate_is_refused(kind: CertificateKind, fact: &str) {
    let shop = shop_with(kind);
    assert_refused(
        &shop,
        &verified(&shop),
        &[&shop.place(), fact, "mysql.tls = \"verify\""],
    );
    shop.configure(
        &format!("{}tls = \"encrypt\"\n", shop.mysql()),
        &[("sales", HOURLY)],
    );
    assert_eq!(shop.judge_as_configured(AT)["verdict"], "normal");
}

#[test]
fn an_expired_certificate_is_refused_but_encrypts() {
    assert_certificate_is_refused(CertificateKind::Expired, "expired");
}

#[test]
fn a_certificate_for_another_name_is_refused_but_encrypts() {
    assert_certificate_is_refused(CertificateKind::WrongName, "not valid for name");
}

#[test]
fn a_self_signed_certificate_is_refused_but_encrypts() {
    assert_certificate_is_refused(CertificateKind::SelfSigned, "UnknownIssuer");
}

#[test]
fn an_authority_that_cannot_be_read_is_told_before_anybody_is_contacted() {
    let shop = Shop::healthy();
    let mysql = format!(
        "{}tls = \"verify\"\nca_file = \"nowhere.pem\"\n",
        shop.mysql()
    );
    shop.configure(&mysql, &[("sales", HOURLY)]);
    let run = shop.run_at(AT, &[]);
    run.assert_status(2);
    let fact = "mysql.ca_file = \"nowhere.pem\": cannot be read: No such file";
    assert_tells(&the_only_line(&run.stderr), &[fact]);
}

/// A caller, who must come in time: where none does, the test fails instead of waiting for ever.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).expect("a mode");
    let mut client = None;
    wait_for("a client", || {
        client = listener.accept().ok().map(|(client, _)| client);
        client.is_some()
    });
    let client = client.expect("a client");
    client.set_nonblocking(false).expect("a mode");
    client
}

/// Passes on what client and server say, but of the first connection only so
/// many bytes of the server's.
fn pass_on(listener: &TcpListener, server: u16, bytes: u64) {
    for limit in [bytes, u64::MAX] {
        let client = accept(listener);
        let server = TcpStream::connect(("127.0.0.1", server)).expect("the server");
        let mut answers = server.try_clone().expect("a second handle").take(limit);
        let mut to_client = client.try_clone().expect("a second handle");
        thread::scope(|scope| {
            // Ends with an error where the other half has hung up.
            scope.spawn(|| std::io::copy(&mut &client, &mut &server));
            let _ = std::io::copy(&mut answers, &mut to_client);
            for stream in [&client, &server] {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }
}

#[test]
fn a_connection_that_breaks_amid_the_rows_is_told_and_the_next_metric_gets_another() {
    let shop = Shop::empty();
    shop.sales("DATETIME", "DOUBLE", &wave(NEWEST, 5, 2001));
    let query = "query = \"SELECT at, amount FROM sales WHERE at >= :from AND at < :to\"\nevery = \"5m\"\nwindow = \"4d\"";
    let (listener, port) = listener();
    thread::scope(|scope| {
        scope.spawn(|| pass_on(&listener, shop.database.port(), 10_000));
        shop.configure(
            &format!("{}connections = 1\n", at_port(&shop, port)),
            &[("broken", query), ("whole", HOURLY)],
        );
        let run = shop.run_at(AT, &["--format", "json"]);
        run.assert_status(1);
        let place = format!("127.0.0.1:{port}");
        assert_tells(
            &the_only_line(&run.stderr),
            &["bandwatch: broken: ", &place, "the connection broke"],
        );
        let last = run.stdout.lines().next_back().expect("two lines");
        assert_tells(last, &["\"metric\":\"whole\"", "\"failures\":[]"]);
    });
}

#[test]
fn a_server_that_is_down_is_tried_once_and_told_for_each_metric() {
    let shop = Shop::healthy();
    let (listener, port) = listener();
    drop(listener);
    shop.configure(&at_port(&shop, port), &[("one", HOURLY), ("two", HOURLY)]);
    let run = shop.run_at(AT, &[]);
    run.assert_status(1);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (line, name) in lines.iter().zip(["one", "two"]) {
        let place = format!("bandwatch: {name}: connect to 127.0.0.1:{port}");
        assert_tells(line, &[&place, "refused", "mysql.port"]);
    }
}

#[test]
fn a_worker_whose_session_is_refused_leaves_its_work_to_the_other() {
    let shop = Shop::healthy();
    let mysql = shop.mysql();
    let reader = &shop.database.read_only_user().user;
    shop.sql(&format!(
        "ALTER USER '{reader}'@'%' WITH MAX_USER_CONNECTIONS 1"
    ));
    let metrics = ["a", "b", "c"].map(|name| (name, HOURLY));
    shop.configure(&mysql, &metrics);
    for _ in 0..3 {
        let run = shop.run_at(AT, &["-v"]);
        run.assert_status(0);
        assert_eq!(run.stderr, "", "all were judged");
        assert_eq!(run.stdout.matches("NORMAL").count(), 3, "{run:?}");
    }
}
