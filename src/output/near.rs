//! Names that somebody may have meant.

use strsim::osa_distance;

/// More are no help.
const MOST: usize = 3;

/// Those of the known names that look most like one, the nearest first: that differ in a third of its letters
/// at most, and in three.
pub fn nearest(name: &str, known: impl IntoIterator<Item = String>) -> Vec<String> {
    let most = (name.chars().count() / 3).min(3);
    let known = known.into_iter();
    let distances = known.map(|known| (osa_distance(name, &known), known));
    let mut near: Vec<_> = distances
        .filter(|(distance, _)| *distance <= most)
        .collect();
    near.sort();
    near.truncate(MOST);
    near.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_few_other_letters_are_near() {
        let known = ["s{k=41}", "s{k=42}", "s{k=421}", "s{k=7}", "s{k=north}"];
        let near = |name| nearest(name, known.map(str::to_string));
        assert_eq!(near("s{k=422}"), ["s{k=421}", "s{k=42}", "s{k=41}"]);
        assert_eq!(near("s{k=noth}"), ["s{k=north}"]);
        assert!(near("s{k=elsewhere}").is_empty());
    }
}
