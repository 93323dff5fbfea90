//! What the environment overrides.

use super::*;

fn with_variables(text: &str, variables: &[(&str, &str)]) -> Result<Config> {
    Config::parse(text, Path::new(""), &|wanted| {
        let found = variables.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| (*value).to_string())
    })
}

#[test]
fn the_environment_of_the_old_script_overrides_the_file() {
    let config = with_variables(
        include_str!("../../../config.example.toml"),
        &[
            ("mysql_user", "reader"),
            ("mysql_password", "one"),
            ("mysql_host", "db.example"),
            ("mysql_db", "till"),
            ("smtp_email", "till@example.com"),
            ("smtp_password", "two"),
            ("recipient_list", "a@example.com, b@example.com,"),
        ],
    )
    .expect("the example is a configuration");
    let database = config.database().expect("settings");
    assert_eq!(database.server(), "db.example:3306");
    assert_eq!(
        (database.user.as_str(), database.database.as_str()),
        ("reader", "till")
    );
    assert_eq!(database.password, Some(Secret::new("one".into())));
    assert_eq!(
        database.tls(),
        Tls::Verify,
        "the host is another machine now"
    );
    let login = config
        .mail()
        .expect("settings")
        .and_then(|mail| mail.login)
        .expect("a login");
    assert_eq!(
        (login.user.as_str(), login.password),
        ("till@example.com", Secret::new("two".into()))
    );
    let smtp = config.smtp.expect("a table");
    assert_eq!(
        smtp.from.map(|from| from.to_string()),
        Some("till@example.com".into())
    );
    let recipients: Vec<_> = smtp.recipients.iter().map(ToString::to_string).collect();
    assert_eq!(recipients, ["a@example.com", "b@example.com"]);
}

#[test]
fn an_address_in_the_environment_is_a_login_only_where_there_is_a_password() {
    let smtp = "[smtp]\nhost = \"h\"\nrecipients = [\"a@b.example\"]\n";
    let user = |keys: &str, variables: &[(&str, &str)]| {
        let text = format!("{smtp}{keys}{METRIC}");
        let config = with_variables(&text, variables).expect("a configuration");
        let mail = config.mail().map(|mail| mail.expect("a table"));
        mail.map(|mail| mail.login.map(|login| login.user))
    };
    let (email, password) = (("smtp_email", "till@example.com"), ("smtp_password", "two"));
    assert_eq!(user("", &[email]).expect("settings"), None);
    let till = Some("till@example.com".to_string());
    assert_eq!(user("", &[email, password]).expect("settings"), till);
    let keys = "user = \"u\"\n";
    assert_eq!(user(keys, &[email, password]).expect("settings"), till);
    assert!(user(keys, &[email]).is_err());
}

#[test]
fn a_bad_value_in_the_environment_is_told_by_its_variable() {
    for (variable, value, told) in [
        ("mysql_host", "a b", "\"a b\" is not a host"),
        ("recipient_list", " , ", "the list is empty"),
        (
            "recipient_list",
            "a@x.example,b",
            "\"b\" is not a mail address",
        ),
        ("smtp_email", "me", "\"me\" is not a mail address"),
    ] {
        let refused = with_variables(METRIC, &[(variable, value)]);
        let refusal = refused.expect_err("a bad value").to_string();
        assert!(
            refusal.starts_with(&format!("environment {variable}: {told}")),
            "{refusal}"
        );
    }
}
