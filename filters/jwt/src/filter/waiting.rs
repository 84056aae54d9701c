//! Requests that wait for keys or revocations, and go on.

use abi::{Action, Refused, headers, http};
use jwt_core::judge::Decision;
use jwt_core::request::Request;
use jwt_core::verdict::Reason;
use log::error;

use super::Filter;
use crate::parking::Parked;

impl Filter {
    /// Whether the request waits for its provider from now on.
    pub(super) fn park(
        &self,
        context: u32,
        request: &Request<'_>,
        decision: &Decision,
        now_ms: u64,
        waited: Option<&Parked>,
    ) -> Result<bool, Refused> {
        let Some(provider) = decision.provider.filter(|_| decision.verdict.wants_keys()) else {
            return Ok(false);
        };
        let Some(sources) = self.sources.get(provider) else { return Ok(false) };
        let since_ms = waited.map_or(now_ms, |parked| parked.since_ms);
        let (_, reason) = decision.verdict.labels(false);
        let deadline_ms =
            waited.map_or_else(|| sources.deadline_ms(reason, now_ms), |parked| parked.deadline_ms);
        let waits = (since_ms..deadline_ms).contains(&now_ms)
            && self.parking.has_room()
            && sources.helps_from(reason, now_ms).is_some_and(|from_ms| since_ms >= from_ms);
        if !waits {
            return Ok(false);
        }
        // If its client leaves, access logs show it as it waits.
        let clean = request.clean_target(&self.config);
        if let Some(clean) = &clean {
            headers::replace(":path", clean)?;
        }
        let target = clean.map(|_| request.target.to_vec());
        self.parking.add(Parked { context, provider, reason, since_ms, deadline_ms, target });
        self.metrics.parked(self.parking.len());
        self.pace();
        Ok(true)
    }

    /// Judges waiting requests again: those of a provider of which there are news, those that nobody fetches for any
    /// more, and those that have waited long enough.
    pub(super) fn unpark(&self, now_ms: u64, news: &[bool]) {
        // Asked once for all that wait for the same: it costs calls of the host.
        let mut known: Vec<((usize, Reason), Option<u64>)> = Vec::new();
        let mut helps_from = |parked: &Parked| {
            let what = (parked.provider, parked.reason);
            if let Some((_, from_ms)) = known.iter().find(|(known, _)| *known == what) {
                return *from_ms;
            }
            let sources = self.sources.get(parked.provider);
            let from_ms = sources.and_then(|sources| sources.helps_from(parked.reason, now_ms));
            known.push((what, from_ms));
            from_ms
        };
        let may_go = |parked: &Parked| {
            !(parked.since_ms..parked.deadline_ms).contains(&now_ms)
                || news.get(parked.provider).copied().unwrap_or(true)
                || helps_from(parked).is_none_or(|from_ms| parked.since_ms < from_ms)
        };
        for parked in self.parking.take(may_go) {
            // Refused when its client has left.
            if http::select(parked.context).is_err() {
                continue;
            }
            match self.decide(parked.context, Some(&parked)) {
                Ok(Action::Continue) => {
                    if let Err(refused) = http::resume() {
                        error!("a request that waited cannot go on: {refused:?}");
                    }
                }
                Ok(Action::Pause) => {}
                Err(refused) => {
                    self.refuse_for_host(refused);
                }
            }
        }
        self.metrics.parked(self.parking.len());
    }
}
