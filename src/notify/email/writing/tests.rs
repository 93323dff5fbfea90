//! A mail that waits on disk.

use super::*;
use crate::detect::Verdict;
use crate::forecast::Side;
use crate::notify::email::sample::writing;

#[test]
fn a_writing_comes_back_from_disk_as_it_was() {
    let writing = writing("<b>&\"x ß", Verdict::Breach(Side::High), 1843.2);
    let text = serde_json::to_string(&writing).expect("text");
    assert_eq!(
        serde_json::from_str::<Writing>(&text).expect("a writing"),
        writing
    );
}
