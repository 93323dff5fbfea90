//! Channels, and who is told of a metric by which.

use super::*;

const CHAT: &str =
    "[[channel]]\nname = \"chat\"\nkind = \"slack\"\nurl = \"https://hooks.example.com/s3cret\"\n";
const NIGHT: &str = "[[channel]]\nname = \"night\"\nkind = \"email\"\nrecipients = [\"night@b.example\", \"a@b.example\"]\n";
const SMTP: &str = "[smtp]\nhost = \"h\"\nfrom = \"a@b.example\"\n";

#[test]
fn a_metric_is_told_by_every_channel_unless_it_names_some() {
    let smtp = format!("{SMTP}recipients = [\"a@b.example\"]\n");
    for (lines, mailed, chats) in [
        ("", &["a@b.example", "night@b.example"][..], true),
        ("channels = [\"chat\"]", &[], true),
        (
            "channels = [\"night\"]",
            &["night@b.example", "a@b.example"],
            false,
        ),
        ("channels = [\"email\", \"chat\"]", &["a@b.example"], true),
        (
            "recipients = [\"c@b.example\"]\nchannels = [\"email\"]",
            &["c@b.example"],
            false,
        ),
    ] {
        let config = parse(&format!("{smtp}{CHAT}{NIGHT}{}", with(lines))).expect(lines);
        let metric = &config.metrics[0];
        let mailboxes = config.mailboxes(metric);
        let addresses: Vec<&str> = mailboxes.iter().map(|to| to.email.as_ref()).collect();
        assert_eq!(
            (addresses.as_slice(), metric.is_told_by("chat")),
            (mailed, chats),
            "{lines}"
        );
    }
}

#[test]
fn a_channel_is_enough_and_mail_needs_a_server_and_somebody() {
    let chat = parse(&format!("{CHAT}{METRIC}")).expect("a configuration");
    assert!(chat.mail().expect("nothing lacks").is_none());
    let channels = chat.web_channels().expect("all is there");
    assert_eq!(channels[0].address.shown(), "https://hooks.example.com/***");
    let night = parse(&format!("{SMTP}{NIGHT}{METRIC}")).expect("a configuration");
    assert!(night.mail().expect("nothing lacks").is_some());
    for text in [
        format!("{NIGHT}{METRIC}"),
        format!("{CHAT}{METRIC}recipients = [\"a@b.example\"]"),
    ] {
        let config = parse(&text).expect("a configuration");
        let error = format!("{:#}", config.mail().expect_err("no server"));
        assert!(error.contains("smtp: missing; "), "{error}");
    }
}

#[test]
fn what_does_not_fit_together_is_named() {
    let file = "[[channel]]\nname = \"chat\"\nkind = \"slack\"\nurl_file = \"/no/such\"\n";
    let config = parse(&format!("{file}{METRIC}")).expect("a configuration");
    let error = format!("{:#}", config.web_channels().expect_err("no file"));
    assert!(
        error.contains("channel \"chat\": url_file = \"/no/such\": cannot be read"),
        "{error}"
    );
    for (text, told) in [
        (
            format!("{CHAT}{CHAT}{METRIC}"),
            "channel[1].name = \"chat\": another channel has this name",
        ),
        (
            format!("{CHAT}{METRIC}channels = [\"chat\", \"shop\"]"),
            "metric[0].channels: \"shop\" is no channel; there are: email, chat",
        ),
        (
            format!("{CHAT}{METRIC}channels = []"),
            "line 10: metric[0].channels: the list is empty",
        ),
        (
            format!("{CHAT}{METRIC}channels = [\"chat\"]\nrecipients = [\"a@b.example\"]"),
            "metric[0].recipients: they are those of the channel \"email\"",
        ),
        (
            "\n[[channel]]\nname = \"chat\"\nkind = \"slack\"\nurl = \"http://s3cret.example/\"\n"
                .to_string(),
            "line 5: channel[0]: url: not encrypted",
        ),
    ] {
        let refused = refusal(&text);
        assert!(
            refused.starts_with(told) && !refused.contains("s3cret"),
            "{refused}"
        );
    }
}
