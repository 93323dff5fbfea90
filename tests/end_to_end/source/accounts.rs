//! Who may sign in, by which plug-in, and what is told where the way in is another.

use crate::support::Make;

use super::shop::{AT, HOURLY, Shop, assert_tells};

const PASSWORD: &str = "pw-of:/@%?#&=";

/// A `[mysql]` table for an account made for this test.
fn account(shop: &Shop, name: &str, identified: &str, more: &str) -> String {
    let (schema, user) = (&shop.database.name, format!("{}{name}", shop.database.name));
    shop.sql(&format!("CREATE USER '{user}'@'%' {identified}"));
    shop.sql(&format!("GRANT SELECT ON {schema}.* TO '{user}'@'%'"));
    let (host, port) = (shop.database.host(), shop.database.port());
    let account = shop.account_of(&user, PASSWORD);
    format!("{account}host = \"{host}\"\nport = {port}\n{more}")
}

#[track_caller]
fn assert_refused(shop: &Shop, mysql: &str, parts: &[&str]) {
    shop.configure(mysql, &[("sales", HOURLY)]);
    assert_tells(&shop.refusal_as_configured(), parts);
}

#[test]
fn each_plugin_that_a_server_signs_in_with_works() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    let plugins = match Make::tested() {
        Make::MariaDb => [
            ("native", format!("IDENTIFIED BY '{PASSWORD}'")),
            (
                "ed",
                format!("IDENTIFIED VIA ed25519 USING PASSWORD('{PASSWORD}')"),
            ),
        ],
        Make::MySql => ["usual", "sha2"].map(|name| {
            (
                name,
                format!("IDENTIFIED WITH caching_sha2_password BY '{PASSWORD}'"),
            )
        }),
    };
    for (name, identified) in plugins {
        for tls in ["", "tls = \"encrypt\"\n"] {
            let name = format!("{name}{}", tls.len());
            let mysql = account(&shop, &name, &identified, tls);
            shop.configure(&mysql, &[("sales", HOURLY)]);
            assert_eq!(shop.judge_as_configured(AT), expected, "{mysql}");
        }
    }
}

#[test]
fn an_account_that_does_not_exist_is_told_whatever_plugin_the_server_names_for_it() {
    let shop = Shop::healthy();
    let place = format!("host = \"127.0.0.1\"\nport = {}\n", shop.database.port());
    for number in 0..12 {
        let account = shop.account_of(&format!("nobody{number}"), "x");
        assert_refused(
            &shop,
            &format!("{account}{place}"),
            &[&shop.place(), "mysql.user"],
        );
    }
}

#[test]
fn an_account_that_requires_tls_is_told_where_it_is_off() {
    let shop = Shop::healthy();
    let identified = format!("IDENTIFIED BY '{PASSWORD}' REQUIRE SSL");
    let mysql = account(&shop, "tls", &identified, "");
    shop.configure(&mysql, &[("sales", HOURLY)]);
    assert_eq!(shop.judge_as_configured(AT)["verdict"], "normal");
    let told = [
        "Access denied",
        "does the account require TLS? mysql.tls is \"off\"",
    ];
    let off = format!("{mysql}tls = \"off\"\nget_server_public_key = true\n");
    assert_refused(&shop, &off, &told);
}

#[test]
fn without_tls_no_key_is_taken_from_the_server_unless_allowed() {
    let shop = Shop::healthy();
    if Make::tested() == Make::MariaDb {
        // It has no plug-in that would ask for one: in the clear all is as before.
        shop.configure(
            &format!("{}tls = \"off\"\n", shop.mysql()),
            &[("sales", HOURLY)],
        );
        assert_eq!(shop.judge_as_configured(AT)["verdict"], "normal");
        return;
    }
    let identified = format!("IDENTIFIED BY '{PASSWORD}'");
    let off = account(&shop, "key", &identified, "tls = \"off\"\n");
    assert_refused(
        &shop,
        &off,
        &["caching_sha2_password", "mysql.get_server_public_key"],
    );
    let allowed = format!("{off}get_server_public_key = true\n");
    shop.configure(&allowed, &[("sales", HOURLY)]);
    assert_eq!(shop.judge_as_configured(AT)["verdict"], "normal");
}
