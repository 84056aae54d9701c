//! What stays in memory: no more than the limit for each request that waits, and nothing of those that are gone.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use tests::amount::{ORDERS, Stand, Tools, WAYS};
use tests::dice::Dice;
use tests::http2::{Begun, Http2};
use tests::post::{Framing, Post, chunk};
use tests::raw::Connection;
use tokio::task::JoinSet;

use crate::bodies::orders;
use crate::{CLIENTS, GROWTH_KIB, is_long, is_whole, stand};

/// Requests that wait at once.
const WAITING: u64 = 200;
/// What of each has come.
static PART: [u8; 60 << 10] = [b' '; 60 << 10];
/// What the rule lets each have.
const LIMIT_KIB: u64 = 64;
/// For all of them besides: pieces of Envoy's buffers that are not full, and what it notes of each.
const SLACK_KIB: u64 = 6 << 10;
/// What memory may move by that stays as it is, in KiB: some ten bytes for each order.
const FLAT_KIB: u64 = 1 << 10;
/// Rounds of orders after which memory has to stay as it is.
const ROUNDS: u64 = 5;

/// Requests whose bodies do not come to their end: by length, in chunks, and in streams of HTTP/2.
struct Waiting {
    connections: Vec<(Connection, Framing)>,
    streams: Vec<Begun>,
    _client: Http2,
}

impl Waiting {
    /// Nothing but their header fields.
    async fn begin(stand: &Stand) -> Result<Self> {
        let mut client = Http2::open(stand.envoy.address).await?;
        let (mut connections, mut streams) = (Vec::new(), Vec::new());
        for index in 0..WAITING {
            let framing = if index % 2 == 0 { Framing::Length } else { Framing::Pieces(1) };
            // A byte that never comes.
            let post = Post::json(ORDERS, [PART.as_slice(), b" "].concat()).framed(framing);
            if index % 4 == 3 {
                streams.push(client.begin(&post, false).await?);
                continue;
            }
            let mut connection = Connection::open(stand.envoy.address).await?;
            connection.start(&post.head()).await?;
            connections.push((connection, framing));
        }
        stand.holds(WAITING).await?;
        Ok(Self { connections, streams, _client: client })
    }

    /// All but the last byte of each.
    async fn fill(&mut self, stand: &Stand) -> Result<()> {
        let before = stand.envoy.received().await?;
        for (connection, framing) in &mut self.connections {
            let part = if *framing == Framing::Length { PART.to_vec() } else { chunk(&PART) };
            connection.start(&part).await?;
        }
        for stream in &mut self.streams {
            stream.piece(&PART, false);
        }
        stand.envoy.receives(before + WAITING * PART.len() as u64).await?;
        stand.holds(WAITING).await
    }
}

/// Resident, and in use, in KiB.
async fn memory(stand: &Stand) -> Result<[u64; 2]> {
    Ok([stand.envoy.resident_kib()?, stand.envoy.in_use_kib().await?])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_takes_no_more_than_its_limit() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = stand(&tools, way).await?;
        let mut rounds = Vec::new();
        for _ in 0..2 {
            let mut waiting = Waiting::begin(&stand).await?;
            let before = memory(&stand).await?;
            waiting.fill(&stand).await?;
            rounds.push([before, memory(&stand).await?]);
            drop(waiting);
            stand.holds(0).await?;
        }
        let told = format!(
            "{way:?}: resident and in use, with {WAITING} heads, then with bodies, in KiB: {rounds:?}"
        );
        eprintln!("{told}");
        for [before, filled] in &rounds {
            let grown = [0, 1].map(|index| filled[index].saturating_sub(before[index]));
            assert!(grown.iter().all(|grown| *grown <= WAITING * LIMIT_KIB + SLACK_KIB), "{grown:?}; {told}");
            assert!(grown[1] << 10 >= WAITING * PART.len() as u64, "they are there; {told}");
        }
        let [[_, first], [_, second]] = rounds[..] else { unreachable!("two rounds") };
        assert!([0, 1].iter().all(|index| second[*index] <= first[*index] + GROWTH_KIB), "{told}");
        is_whole(&stand).await?;
    }
    Ok(())
}

/// Sends good and bad orders of many sizes, each on whichever connection is free.
async fn deliver(stand: &Arc<Stand>, bodies: &Arc<Vec<(Post, bool)>>, seed: u64, count: u64) -> Result<()> {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (stand, bodies) = (Arc::clone(stand), Arc::clone(bodies));
        clients.spawn(async move {
            let mut dice = Dice::new(seed, client);
            let mut connection = Connection::open(stand.envoy.address).await?;
            for _ in 0..count / CLIENTS {
                let (post, is_good) = dice.pick(&bodies);
                let reply = connection.send(&post.bytes()).await?;
                assert_eq!(reply.status, if *is_good { 200 } else { 422 }, "{reply:?}");
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = clients.join_next().await {
        done??;
    }
    Ok(())
}

/// A million of them where there is time.
#[tokio::test(flavor = "multi_thread")]
async fn orders_leave_nothing_behind() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let count = if is_long() { 1_000_000 } else { 50_000 } / WAYS.len() as u64;
    let bodies = Arc::new(orders(&mut Dice::new(3, 0), 200));
    for way in WAYS {
        let stand = stand(&tools, way).await?;
        let started = Instant::now();
        let mut told = Vec::new();
        for round in 0..ROUNDS {
            deliver(&stand, &bodies, 1 + round, count / ROUNDS).await?;
            told.push(stand.envoy.resident_kib()?);
        }
        eprintln!("{way:?}: {count} orders in {:?}; resident, in KiB: {told:?}", started.elapsed());
        // The first round is the allocator's.
        let settled = &told[1..];
        assert!(settled.iter().all(|now| *now < settled[0] + FLAT_KIB), "{way:?}, in KiB: {told:?}");
        is_whole(&stand).await?;
    }
    Ok(())
}
