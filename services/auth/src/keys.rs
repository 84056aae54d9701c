//! The keys' turns: each is published before it signs, and until the last token that it signed is past.

use std::time::Duration;

use jiff::Timestamp;

use crate::error::Error;
use crate::store::SigningKey;
use crate::token::{self, AFTERLIFE_SECONDS};
use crate::{State, store};

/// Seconds that a new key is published before it signs: longer than any cache keeps the key set.
pub(crate) const SIGNS_IN_SECONDS: i64 = 600;

const DAY_SECONDS: i64 = 86_400;
const CHECK_INTERVAL: Duration = Duration::from_hours(1);

/// The key that signs now, of keys in the order in which they sign. Where this replica's clock is behind the one that
/// made the first key, that one.
pub(crate) fn signing(keys: &[SigningKey], now: i64) -> Result<&SigningKey, Error> {
    let begun = keys.iter().rfind(|key| key.signs_from <= now);
    begun.or(keys.first()).ok_or(Error::Corrupt("no signing key"))
}

/// The keys that tokens may be verified with now: all but those that have a successor since so long that every token
/// of theirs is past.
pub(crate) fn published(keys: &[SigningKey], now: i64) -> &[SigningKey] {
    let oldest = keys.iter().rposition(|key| key.signs_from <= now - AFTERLIFE_SECONDS).unwrap_or(0);
    keys.split_at(oldest).1
}

/// Adds the next key when the newest one is `lifetime_days` old (0: never), and drops keys past their time.
pub(crate) async fn tend(store: &store::Store, lifetime_days: u16) -> Result<(), Error> {
    let now = Timestamp::now().as_second();
    let next = token::generate(now + SIGNS_IN_SECONDS);
    // No key's time is that early: none is added.
    let newest_at_most =
        if lifetime_days == 0 { i64::MIN } else { now - i64::from(lifetime_days) * DAY_SECONDS };
    if store.add_key(&next, newest_at_most).await? {
        tracing::info!(kid = next.kid, signs_from = next.signs_from, "the next signing key was made");
    }
    Ok(())
}

/// Looks after the keys as long as the service runs. Every replica does: the store lets one of them add a key.
pub async fn keep(state: State) {
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        if let Err(problem) = tend(&state.store, state.key_lifetime_days).await {
            tracing::warn!(%problem, "the signing keys could not be looked after; tried again in an hour");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(times: &[i64]) -> Vec<SigningKey> {
        let key = |&signs_from: &i64| SigningKey {
            kid: signs_from.to_string(),
            private_key: Vec::new(),
            signs_from,
        };
        times.iter().map(key).collect()
    }

    #[test]
    fn the_latest_whose_time_has_come_signs() {
        let keys = keys(&[1_000, 2_000, 3_000]);
        for (now, kid) in [(999, "1000"), (1_999, "1000"), (2_000, "2000"), (9_000, "3000")] {
            assert_eq!(signing(&keys, now).expect("a key").kid, kid, "{now}");
        }
        assert!(signing(&[], 0).is_err());
    }

    #[test]
    fn a_key_is_published_until_its_last_token_is_past() {
        let keys = keys(&[1_000, 2_000, 9_000]);
        for (now, count) in [(0, 3), (2_000, 3), (3_199, 3), (3_200, 2), (10_199, 2), (10_200, 1)] {
            assert_eq!(published(&keys, now).len(), count, "{now}");
        }
        assert!(published(&[], 0).is_empty());
    }
}
