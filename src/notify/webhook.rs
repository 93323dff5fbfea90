//! What a webhook is posted: one JSON object (`src/commands/README.md` explains its fields), signed as
//! Standard Webhooks has it (<https://github.com/standard-webhooks/standard-webhooks>, "Signature scheme"),
//! so that the libraries of that standard check it.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::email::{self, Email, Fact, Letterhead};
use super::http::Post;
use super::notification::Notification;
use super::object::{breakdown_object, evaluation_object, stamp};
use crate::config::{Metric, Secret, Service, WebSettings};
use crate::detect::Evaluation;
use crate::incident::End;
use crate::output::without_isolates;

/// Of the object; a field that is added does not change it.
const VERSION: u32 = 1;
/// What comes before a secret in Base64.
const BASE64: &str = "whsec_";

pub struct Message<'a> {
    /// The same whenever it is sent anew.
    pub id: &'a str,
    /// That of the message this one belongs to.
    pub in_reply_to: Option<&'a str>,
    /// When it became due.
    pub created: DateTime<Tz>,
    pub email: &'a Email,
    pub alerts: Vec<Alert>,
}

/// One of the alerts that a message tells of, as an object.
pub struct Alert(Value);

impl Alert {
    pub fn new(notification: &Notification, letterhead: &Letterhead) -> Self {
        let (alert, zone) = (notification.alert, letterhead.now.timezone());
        let email = email::compose(notification, &[], letterhead);
        let until = match alert.end {
            Some(End::Over { until, .. } | End::Accepted { until, .. }) => Some(until),
            Some(End::Turned) | None => None,
        };
        let evaluation = notification.metric.zip(notification.evaluation());
        Self(json!({
            "kind": notification.kind.word(alert),
            "metric": notification.metric.map(|metric| &metric.name),
            "alert": alert.id,
            "since": stamp(alert.since.with_timezone(&zone)),
            "until": until.map(|until| stamp(until.with_timezone(&zone))),
            "subject": email.subject(),
            "sentence": email.words().summary,
            "facts": facts(&email),
            "notes": email.words().notes,
            "advice": advice(&email),
            "evaluation": evaluation.map(|(metric, one)| evaluation_object(metric, Some(one), zone)),
            "parts": alert.breakdown.as_ref().map(|breakdown| breakdown_object(breakdown, zone)),
        }))
    }

    pub fn test(metric: &Metric, evaluation: &Evaluation, email: &Email) -> Self {
        let window = evaluation.window();
        let zone = window.map_or(Tz::UTC, |window| window.as_of.timezone());
        Self(json!({
            "kind": "test",
            "metric": metric.name,
            "alert": null,
            "since": stamp(evaluation.start(zone)),
            "until": null,
            "subject": email.subject(),
            "sentence": email.words().summary,
            "facts": facts(email),
            "notes": email.words().notes,
            "advice": advice(email),
            "evaluation": evaluation_object(metric, Some(evaluation), zone),
        }))
    }
}

fn facts(email: &Email) -> Vec<Value> {
    let facts = email.words().facts.iter();
    let object = |Fact { name, value }: &Fact| json!({ "name": name, "value": value });
    facts.map(object).collect()
}

fn advice(email: &Email) -> Option<Value> {
    let advice = email.words().advice.as_ref()?;
    let commands = advice.commands.iter();
    let commands = commands.map(|one| json!({ "purpose": one.purpose, "line": one.line }));
    Some(json!({
        "text": advice.text,
        "link": advice.link,
        "host": advice.host,
        "commands": commands.collect::<Vec<_>>(),
    }))
}

fn object(message: &Message) -> Value {
    let alerts = message.alerts.iter().map(|Alert(object)| object);
    json!({
        "version": VERSION,
        "id": message.id,
        "in_reply_to": message.in_reply_to,
        "created": stamp(message.created),
        "subject": message.email.subject(),
        "sentence": message.email.words().summary,
        "alerts": alerts.collect::<Vec<_>>(),
    })
}

/// The message, signed where there is a secret, as of the time of this attempt.
pub fn post(message: &Message, secret: Option<&Secret>, now: DateTime<Utc>) -> Result<Post> {
    let (id, timestamp) = (message.id, now.timestamp().to_string());
    // What shows it knows itself which way its texts run.
    let body = without_isolates(&object(message).to_string());
    let signature = secret.map(|secret| sign(secret, &format!("{id}.{timestamp}.{body}")));
    let headers = [
        Some(("webhook-id", id.to_string())),
        Some(("webhook-timestamp", timestamp)),
        signature
            .transpose()?
            .map(|signature| ("webhook-signature", signature)),
    ];
    Ok(Post {
        headers: headers.into_iter().flatten().collect(),
        body,
    })
}

/// Whether a webhook can be signed, before anything is to be told.
pub fn check_secret(settings: &WebSettings) -> Result<()> {
    let Service::Webhook {
        secret: Some(secret),
    } = &settings.service
    else {
        return Ok(());
    };
    let signed = sign(secret, "").map(drop);
    signed.with_context(|| format!("channel {:?}", settings.name))
}

/// A signature of version 1: HMAC with SHA-256 (RFC 2104). A secret in the standard's own notation is the
/// bytes that it stands for; any other is taken as it is.
fn sign(secret: &Secret, content: &str) -> Result<String> {
    let key = match secret.reveal().strip_prefix(BASE64) {
        Some(encoded) => STANDARD.decode(encoded).ok().context(
            "secret_file: what follows \"whsec_\" is not Base64; allowed: that, or another secret",
        )?,
        None => secret.reveal().as_bytes().to_vec(),
    };
    let mac = Hmac::<Sha256>::new_from_slice(&key).context("the secret cannot be used")?;
    let signature = mac.chain_update(content).finalize().into_bytes();
    Ok(format!("v1,{}", STANDARD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standard() {
        // The example of its specification's reference libraries.
        let content = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into());
        let signature = sign(&secret, content).expect("a signature");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let error = sign(&Secret::new("whsec_s3cret!".into()), content).expect_err("no Base64");
        assert!(!error.to_string().contains("s3cret!"));
    }

    #[test]
    fn a_secret_in_plain_letters_is_taken_as_it_is() {
        // Test case 2 of RFC 4231, in Base64.
        let signature = sign(&Secret::new("Jefe".into()), "what do ya want for nothing?");
        assert_eq!(
            signature.expect("a signature"),
            "v1,W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        );
    }
}
