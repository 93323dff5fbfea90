//! Which part of the series a run is about, where several runs share the work without talking to each other.

use std::fmt;

use crate::output::fingerprint::fingerprint;

/// The K-th of N parts. The same name falls into the same part on every machine, and with every release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    count: u32,
}

impl Shard {
    /// All there is.
    pub const WHOLE: Self = Self {
        number: 1,
        count: 1,
    };

    /// Reads `K/N`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(number, count)| {
            let is_plain = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
            let are_plain = is_plain(number) && is_plain(count);
            are_plain.then_some((number.parse().ok()?, count.parse().ok()?))
        });
        match numbers {
            Some((number, count)) if (1..=count).contains(&number) && count <= Self::MOST => {
                Ok(Self { number, count })
            }
            _ => Err(format!(
                "allowed: K/N, the K-th of N shards, such as 1/4 to 4/4, and no more than {}",
                Self::MOST
            )),
        }
    }

    const MOST: u32 = 1000;

    pub fn number(self) -> u32 {
        self.number
    }

    pub fn count(self) -> u32 {
        self.count
    }

    /// Where a name stands among all that there could be: what is left of it, divided by the count of shards,
    /// is the number of its shard, less one.
    pub fn place(name: &str) -> u64 {
        // The finalizer of splitmix64, <https://prng.di.unimi.it/splitmix64.c>: the last bits of the mark of a name
        // come from the last bits of its letters alone.
        let mut bits = fingerprint(name);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Whether the series of this name is in it.
    pub fn holds(self, name: &str) -> bool {
        Self::place(name) % u64::from(self.count) == u64::from(self.number - 1)
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        (0..1000)
            .map(|store| format!("sales{{store_id={store}}}"))
            .collect()
    }

    #[test]
    fn each_series_is_in_exactly_one_shard_and_the_shards_are_alike_in_size() {
        for count in [1, 2, 3, 4, 7, 16] {
            let shards: Vec<Shard> = (1..=count).map(|number| Shard { number, count }).collect();
            let mut sizes = vec![0_u32; shards.len()];
            for name in names() {
                let holding: Vec<usize> = (0..shards.len())
                    .filter(|index| shards[*index].holds(&name))
                    .collect();
                assert_eq!(holding.len(), 1, "{name}");
                sizes[holding[0]] += 1;
            }
            let fair = 1000 / count;
            let is_fair = |size: &u32| (fair / 2..=fair * 2).contains(size);
            assert!(sizes.iter().all(is_fair), "{sizes:?}");
        }
    }

    #[test]
    fn the_place_of_a_name_never_changes() {
        assert_eq!(Shard::place("sales"), 0x03c1_92d3_365c_0479);
        assert_eq!(Shard::place("sales{store_id=42}"), 0xa9a8_027d_1a06_cb20);
    }

    #[test]
    fn a_shard_is_written_as_it_is_read() {
        let shard = Shard::parse("2/4").expect("a shard");
        assert_eq!((shard.number(), shard.count()), (2, 4));
        assert_eq!(shard.to_string(), "2/4");
        for text in [
            "", "0/4", "5/4", "1/0", "1", "a/b", "+1/4", "1/1001", "1/4/4", " 1/4",
        ] {
            assert!(Shard::parse(text).is_err(), "{text}");
        }
    }
}
