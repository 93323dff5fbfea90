//! A server that cannot prove who it is: it never gets to see a mail.

use super::*;

#[test]
fn a_server_without_starttls_gets_nothing_but_a_greeting() {
    let scene = Scene::with_fault(Fault::NoStarttls);
    let fact = "does not offer STARTTLS; refusing to send in the clear";
    assert_each_recipient_is_told(&scene, fact);
    assert_only_greeted(&scene, &["EHLO"]);
}

#[test]
fn a_refused_starttls_is_not_gone_around() {
    let scene = Scene::with_fault(Fault::StarttlsRefused);
    let fact = "no encryption by STARTTLS: 454 4.7.0 TLS not available";
    let run = assert_each_recipient_is_told(&scene, fact);
    assert!(
        !run.stderr.contains("ca_file"),
        "no advice beside the point"
    );
    assert_only_greeted(&scene, &["EHLO", "STARTTLS"]);
}

#[test]
fn a_connection_dropped_at_starttls_is_told() {
    let fact = "no encryption by STARTTLS: the server closed the connection";
    assert_fault_is_told(Fault::DropAt(Stage::Starttls), fact);
}

#[test]
fn a_silence_at_starttls_is_told() {
    let scene = impatient(Fault::StallAt(Stage::Starttls));
    let fact = "no encryption by STARTTLS: no answer in time";
    assert_each_recipient_is_told(&scene, fact);
}

#[test]
fn an_expired_certificate_is_refused() {
    assert_certificate_is_refused(CertificateKind::Expired, "expired on 2021-01-01 00:00 UTC");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let why = "is for elsewhere.example, not for smtp.host 127.0.0.1";
    assert_certificate_is_refused(CertificateKind::WrongName, why);
}

#[test]
fn a_self_signed_certificate_is_refused() {
    assert_certificate_is_refused(CertificateKind::SelfSigned, UNKNOWN);
}

#[test]
fn a_certificate_of_an_authority_that_nobody_named_is_refused() {
    let mut scene = Scene::ending_in(Ending::Spike);
    scene.smtp.remove("ca_file");
    assert_untrusted(&scene, UNKNOWN);
}

#[test]
fn a_bad_certificate_is_refused_without_starttls_as_well() {
    let setup = MailServerSetup {
        implicit_tls: true,
        certificate: CertificateKind::WrongName,
        ..Default::default()
    };
    let mut scene = Scene::new(Ending::Spike, setup);
    scene.smtp.insert("implicit_tls", "true".to_owned());
    let run = assert_each_recipient_is_told(&scene, "cannot be talked to: ");
    assert!(
        run.stderr.contains("is for elsewhere.example, not for"),
        "{run:?}"
    );
    assert_eq!(scene.server.transcript(), [""; 0]);
}

#[test]
fn a_ca_file_that_is_absent_or_no_certificate_is_told_and_nobody_is_contacted() {
    let mut scene = Scene::ending_in(Ending::Spike);
    write(&scene.workspace, "garbage.pem", "not a certificate\n");
    for (file, why) in [
        ("nowhere.pem", "cannot be read: No such file"),
        (
            "garbage.pem",
            "holds no certificate; allowed: a file of certificates in PEM",
        ),
    ] {
        scene.smtp.insert("ca_file", quoted(file));
        let run = scene.run();
        run.assert_status(2);
        let fact = format!("smtp.ca_file = {file:?}: {why}");
        assert!(run.stderr.contains(&fact), "{run:?}");
    }
    assert_eq!(scene.server.connections(), 0);
}

const UNKNOWN: &str = "was signed by nobody known: smtp.ca_file must name the authority";

#[track_caller]
fn assert_certificate_is_refused(certificate: CertificateKind, why: &str) {
    let setup = MailServerSetup {
        certificate,
        ..Default::default()
    };
    assert_untrusted(&Scene::new(Ending::Spike, setup), why);
}

#[track_caller]
fn assert_untrusted(scene: &Scene, why: &str) {
    let fact = format!("no encryption by STARTTLS: the server's certificate {why}");
    assert_each_recipient_is_told(scene, &fact);
    assert_only_greeted(scene, &["EHLO", "STARTTLS"]);
}

#[track_caller]
fn assert_only_greeted(scene: &Scene, expected: &[&str]) {
    let commands = scene.server.transcript();
    let verbs: Vec<&str> = commands
        .iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(verbs, expected);
    assert_eq!(scene.server.received(), []);
}
