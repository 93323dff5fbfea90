//! What the environment overrides.

use super::*;

#[test]
fn the_environment_of_the_old_script_overrides_the_file() {
    let environment = Environment {
        mysql_user: Some("reader".into()),
        mysql_password: Some(Secret::new("one".into())),
        mysql_host: Some("db.example".into()),
        mysql_db: Some("till".into()),
        smtp_email: Some("till@example.com".into()),
        smtp_password: Some(Secret::new("two".into())),
        recipient_list: Some("a@example.com, b@example.com,".into()),
    };
    let text = include_str!("../../../config.example.toml");
    let config = Config::parse(text, &environment, None).expect("the example is a configuration");
    let database = config.database().expect("settings");
    assert_eq!(
        database.place,
        DatabasePlace::Host {
            name: "db.example".into(),
            port: 3306
        }
    );
    assert_eq!(
        (database.user.as_str(), database.database.as_str()),
        ("reader", "till")
    );
    assert_eq!(database.password, Some(Secret::new("one".into())));
    assert_eq!(database.tls, Tls::Verify, "the host is another machine now");
    let login = config
        .mail()
        .expect("settings")
        .and_then(|mail| mail.login)
        .expect("a login");
    assert_eq!(
        (login.user.as_str(), login.password),
        ("till@example.com", Secret::new("two".into()))
    );
    let letterhead = config.letterhead();
    assert_eq!(
        letterhead.from.map(|from| from.to_string()),
        Some("till@example.com".into())
    );
    let recipients: Vec<_> = letterhead
        .recipients
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(recipients, ["a@example.com", "b@example.com"]);
}

#[test]
fn a_bad_address_in_the_environment_is_told_by_its_variable() {
    for (environment, told) in [
        (
            Environment {
                recipient_list: Some(" , ".into()),
                ..Environment::default()
            },
            "environment recipient_list: the list is empty",
        ),
        (
            Environment {
                recipient_list: Some("a@x.example,b".into()),
                ..Environment::default()
            },
            "environment recipient_list: \"b\" is not a mail address",
        ),
        (
            Environment {
                smtp_email: Some("me".into()),
                ..Environment::default()
            },
            "environment smtp_email: \"me\" is not a mail address",
        ),
    ] {
        let refusal = Config::parse(METRIC, &environment, None)
            .expect_err("a bad address")
            .to_string();
        assert!(refusal.starts_with(told), "{refusal}");
    }
}
