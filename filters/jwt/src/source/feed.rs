//! A provider's revocations.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use abi::metric::Kind;
use host::metric::Metric;
use jwt_core::config::RevocationFeed;
use jwt_core::revocations::{MAX_PAGE_BYTES, Page, Revocations, Unusable};
use jwt_core::verify::Feed;
use log::warn;

use super::{Answer, Arrived, Fetcher, News, jittered, millis, seconds};
use crate::shared::Stamp;

const FAMILY: &str = "finpay_jwt_revocations";
/// A feed of more pages at once has no end.
const MAX_PAGES: u32 = 1_000;

pub(crate) struct FeedSource {
    fetcher: Fetcher,
    feed: RevocationFeed,
    limit: usize,
    /// The list that the workers share, if there is one.
    known: RefCell<Option<Rc<Revocations>>>,
    reading: RefCell<Reading>,
    entries: Metric,
}

/// What this VM is reading, page by page.
#[derive(Default)]
struct Reading {
    list: Rc<Revocations>,
    pages: u32,
    /// Whether it holds all of a list that was read to its end.
    is_whole: bool,
}

impl FeedSource {
    pub(crate) fn new(feed: RevocationFeed, limit: usize, provider: &str) -> Self {
        Self {
            // Who may hold more does not share with who may hold less.
            fetcher: Fetcher::new(&limit.to_string(), FAMILY, feed.target.clone(), feed.interval, provider),
            feed,
            limit,
            known: RefCell::default(),
            reading: RefCell::default(),
            entries: Metric::new(Kind::Gauge, FAMILY, &[("provider", provider)], "entries"),
        }
    }

    /// What holds before anything is known.
    pub(crate) fn initial(&self) -> Feed {
        if self.feed.passes_when_stale { Feed::Off } else { Feed::Unavailable }
    }

    /// Asks for what is new if it is time. Call after `adopt`, so that it asks from the newest cursor.
    pub(crate) fn fetch_if_due(&self, now_ms: u64) {
        let stamp = self.fetcher.shared.stamp(now_ms);
        if !self.fetcher.is_asking() && self.fetcher.is_due(stamp.as_ref(), now_ms) {
            // Where the clock went back, entries may have been dropped before their time.
            let is_sound = stamp.is_none_or(|stamp| !stamp.is_corrected());
            let known = self.known.borrow().clone().filter(|_| is_sound);
            let is_whole = known.is_some();
            let list = known.unwrap_or_default();
            let path = self.path(&list);
            // If this VM is not elected, nothing comes of it.
            *self.reading.borrow_mut() = Reading { list, pages: 0, is_whole };
            self.fetcher.ask(now_ms, &self.fetcher.target.authority, &path, None);
        }
    }

    fn path(&self, known: &Revocations) -> String {
        format!("{}?after={}", self.fetcher.target.path, known.cursor())
    }

    /// Whether a request that lacks revocations may go on soon.
    pub(crate) fn may_help(&self, now_ms: u64) -> bool {
        self.fetcher.asks_from_ms(now_ms) == now_ms
    }

    /// Takes the answer to a call, if it was this source's.
    pub(crate) fn answer(&self, arrived: Arrived) -> bool {
        self.fetcher.answer(arrived, MAX_PAGE_BYTES, |answer| self.take(arrived.now_ms, answer))
    }

    fn take(&self, now_ms: u64, answer: Answer) -> Result<(), &'static str> {
        let page = Page::parse(&answer.body.ok_or("status")?).map_err(|_| "document")?;
        let Reading { list, pages, is_whole } = self.reading.take();
        let cursor = list.cursor();
        let stamp = Stamp {
            fetched_at_ms: now_ms,
            due_at_ms: now_ms.saturating_add(jittered(millis(self.feed.interval))),
            version: 0,
            spent_until_ms: 0,
            etag: Vec::new(),
        };
        let merged = match list.merged(&page, seconds(now_ms), self.limit) {
            Ok(merged) => merged.map_or(list, Rc::new),
            Err(Unusable::TooMany) => {
                let cluster = &self.fetcher.target.cluster;
                warn!("{cluster} has more than {} revocations: its tokens are refused", self.limit);
                // An empty document is no list: every worker refuses until the feed fits again.
                self.fetcher.share(Some(&[]), stamp)?;
                return Err("too_many");
            }
            Err(Unusable::NotAPage) => return Err("document"),
        };
        if page.more {
            if merged.cursor() == cursor {
                // It would go on for ever.
                return Err("document");
            }
            let is_whole = is_whole && !page.reset;
            return self.read_on(now_ms, Reading { list: merged, pages: pages.saturating_add(1), is_whole });
        }
        let is_news = self.known.borrow().as_deref() != Some(&*merged);
        self.fetcher.share(is_news.then(|| merged.as_bytes()), stamp)?;
        self.fetcher.succeed();
        Ok(())
    }

    /// Asks for the next page.
    fn read_on(&self, now_ms: u64, reading: Reading) -> Result<(), &'static str> {
        // What a page adds to a whole list counts at once; the list's age stays that of its last reading to the end. Part
        // of a list is no ground to let a token in.
        if reading.is_whole
            && let Some(stamp) = self.fetcher.shared.stamp(now_ms)
        {
            self.fetcher.share(Some(reading.list.as_bytes()), stamp)?;
        }
        if reading.pages >= MAX_PAGES {
            return Err("document");
        }
        self.fetcher.ask_on(now_ms, &self.fetcher.target.authority, &self.path(&reading.list), None);
        *self.reading.borrow_mut() = reading;
        Ok(())
    }

    /// What the workers know by now, if it is something else than before.
    pub(crate) fn adopt(&self, now_ms: u64) -> Option<Feed> {
        let stale = if self.feed.passes_when_stale { Duration::MAX } else { self.feed.stale };
        let list = match self.fetcher.news(now_ms, stale)? {
            News::Document(document) => Revocations::from_bytes(document).map(Rc::new),
            // What was known stays a list to go on from.
            News::Stale => return Some(Feed::Unavailable),
        };
        let count = list.as_ref().map_or(0, |list| list.count());
        self.entries.set(u64::try_from(count).unwrap_or(u64::MAX));
        self.known.borrow_mut().clone_from(&list);
        Some(list.map_or(Feed::Unavailable, Feed::Known))
    }
}
