//! The login in each form in which it goes over the wire, so that a server that repeats what it was told
//! does not make it known.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::config::Login;

/// So many letters of Base64 in a row are no coincidence.
const TELLING: usize = 6;
const MASK: &str = "***";

#[derive(Debug, Default)]
pub struct Secrets {
    forms: Vec<Form>,
}

/// What is to be hidden, and how much of it at least.
struct Form {
    letters: Vec<char>,
    shortest: usize,
    /// Whether a letter is one of it; all others may stand between.
    is_part: fn(char) -> bool,
}

/// The initial response of AUTH PLAIN (RFC 4616).
pub fn plain(login: &Login) -> String {
    STANDARD.encode(format!("\0{}\0{}", login.user, login.password.reveal()))
}

pub fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

impl Secrets {
    pub fn new(login: &Login) -> Self {
        let password = login.password.reveal();
        let letters: Vec<char> = password.chars().filter(|letter| is_ink(*letter)).collect();
        let as_it_is = Form {
            shortest: letters.len(),
            letters,
            is_part: is_ink,
        };
        let encoded = [plain(login), base64(password)].map(|text| {
            let letters: Vec<char> = text.chars().filter(|letter| is_base64(*letter)).collect();
            Form {
                shortest: letters.len().min(TELLING),
                letters,
                is_part: is_base64,
            }
        });
        let forms = encoded.into_iter().chain([as_it_is]);
        Self {
            forms: forms.filter(|form| form.shortest > 0).collect(),
        }
    }

    /// The text without the login, whole or in pieces, and whatever stands between these.
    pub fn mask(&self, text: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        let mut hidden = vec![false; letters.len()];
        for form in &self.forms {
            form.hide(&letters, &mut hidden);
        }
        let mut masked = String::new();
        for (index, letter) in letters.iter().enumerate() {
            match (hidden[index], index > 0 && hidden[index - 1]) {
                (false, _) => masked.push(*letter),
                (true, false) => masked += MASK,
                (true, true) => {}
            }
        }
        masked
    }
}

impl Form {
    /// Marks each run of letters that is a run of this form too.
    fn hide(&self, text: &[char], hidden: &mut [bool]) {
        let places = 0..text.len();
        let places: Vec<usize> = places
            .filter(|place| (self.is_part)(text[*place]))
            .collect();
        // How long the run is that ends with the letter before, and with each letter of the form.
        let mut runs = vec![0; self.letters.len()];
        for (end, place) in places.iter().enumerate() {
            let mut before = 0;
            for (letter, run) in self.letters.iter().zip(&mut runs) {
                let length = if letter.eq_ignore_ascii_case(&text[*place]) {
                    before + 1
                } else {
                    0
                };
                before = std::mem::replace(run, length);
                if length >= self.shortest {
                    hidden[places[end + 1 - length]..=*place].fill(true);
                }
            }
        }
    }
}

fn is_ink(letter: char) -> bool {
    !letter.is_whitespace()
}

fn is_base64(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '+' || letter == '/'
}

impl std::fmt::Debug for Form {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn login() -> Login {
        Login {
            user: "watch@example.com".into(),
            password: Secret::new("pass w0rd/of 2026".into()),
        }
    }

    #[test]
    fn a_login_is_masked_in_every_form_in_which_it_is_sent() {
        let (secrets, login) = (Secrets::new(&login()), login());
        let (plain, password) = (plain(&login), base64(login.password.reveal()));
        let (half, other) = plain.split_at(plain.len() / 2);
        for (said, masked) in [
            (
                format!("535 you said AUTH PLAIN {plain}."),
                "535 you said AUTH PLAIN ***.",
            ),
            (format!("535 {half} {other} no"), "535 *** no"),
            (format!("535 \"{half}\", \"{other}\" no"), "535 \"***\" no"),
            (format!("535 {half}... no"), "535 ***... no"),
            (format!("535 {}", plain.to_uppercase()), "535 ***"),
            (format!("535 <{password}>"), "535 <***>"),
            ("535 is it pass w0rd/of 2026?".to_string(), "535 is it ***?"),
            (
                "535 is it pass  w0rd/of 20 26?".to_string(),
                "535 is it ***?",
            ),
        ] {
            assert_eq!(secrets.mask(&said).replace('=', ""), masked, "{said}");
        }
    }

    #[test]
    fn what_is_not_the_login_stays() {
        let said = "535 5.7.8 Username and password not accepted for watch@example.com, see https://example.com/login?p=1";
        assert_eq!(Secrets::new(&login()).mask(said), said);
        assert_eq!(Secrets::default().mask(said), said);
    }

    #[test]
    fn it_does_not_print_itself() {
        assert_eq!(
            format!("{:?}", Secrets::new(&login())),
            "Secrets { forms: [***, ***, ***] }"
        );
    }
}
