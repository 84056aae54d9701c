//! A flood of broken bodies, header fields and framings: what the core refuses never gets in, the filter says what the
//! core says, and nothing stays in memory.

mod attacks;
mod bodies;
mod memory;
mod oracle;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use attacks::{Attack, Kind, attack};
use bodies::orders;
use oracle::{Oracle, configuration};
use tests::amount::{ORDER, ORDERS, Stand, Tools, WAYS, Way, assert_told, plain};
use tests::client::Client;
use tests::dice::Dice;
use tests::envoy::Options;
use tests::post::Post;
use tests::raw::Reply;
use tests::upstream::{MARK, Upstream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Connections that send at once.
const CLIENTS: u64 = 8;
/// What the process may grow by, in KiB: allocators keep and give back pages as they please.
const GROWTH_KIB: u64 = 6 << 10;
/// No answer to a whole request takes longer: less than the clients' own limits, which they tell as any error.
const LIMIT: Duration = Duration::from_secs(20);
/// How long one to a misframed request is waited for: some never get one.
const PATIENCE: Duration = Duration::from_millis(100);

/// What came of a flood.
struct Tally {
    statuses: [u64; 600],
    /// Answers of the filter that were compared with the core's.
    compared: u64,
    /// Misframed requests that were answered.
    misframed: u64,
}

impl Tally {
    fn new() -> Self {
        Self { statuses: [0; 600], compared: 0, misframed: 0 }
    }

    fn add(&mut self, other: &Self) {
        self.compared += other.compared;
        self.misframed += other.misframed;
        for (sum, count) in self.statuses.iter_mut().zip(other.statuses) {
            *sum += count;
        }
    }

    fn told(&self) -> String {
        let told = self.statuses.iter().enumerate().filter(|(_, count)| **count > 0);
        told.map(|(status, count)| format!("{status}: {count}")).collect::<Vec<_>>().join(", ")
    }
}

/// An error: the connection was cut, as Envoy may do where it was sent no HTTP.
async fn send(client: &mut Client, attack: &Attack) -> Result<Option<Reply>> {
    match (client, attack.kind) {
        (Client::First(connection), Kind::Whole) => connection.send(&attack.bytes).await.map(Some),
        (Client::First(connection), Kind::Cut) => {
            connection.start(&attack.bytes).await?;
            Ok(None)
        }
        (Client::First(connection), Kind::Misframed) => {
            connection.start(&attack.bytes).await?;
            // A length beyond the body leaves Envoy waiting for the rest; a wrong one it may cut off without a word.
            timeout(PATIENCE, connection.read()).await.ok().transpose()
        }
        (Client::Second(client), Kind::Cut) => {
            let mut begun = client.begin(&attack.post, false).await?;
            begun.piece(&attack.post.body, false);
            begun.stream.send_reset(h2::Reason::CANCEL);
            Ok(None)
        }
        (Client::Second(client), _) => client.send(&attack.post).await.map(Some),
    }
}

/// Judges one answer. The filter's own must be the core's to the letter; Envoy may refuse anything for itself.
fn judge(oracle: &mut Oracle, attack: &Attack, reply: &Reply, tally: &mut Tally) {
    tally.statuses[usize::from(reply.status) % 600] += 1;
    if attack.kind != Kind::Whole {
        // What the service took of it is judged there.
        tally.misframed += 1;
        return;
    }
    let expected = oracle.told(&attack.post);
    if reply.has(MARK) {
        assert_eq!(expected, "200", "it got in: {}", attack.shown());
    } else if reply.header("content-type") == "application/problem+json" {
        assert_told(reply, &expected, attack.shown());
        tally.compared += 1;
    }
}

/// Sends so many.
async fn flood(stand: &Arc<Stand>, seed: u64, count: u64) -> Result<Tally> {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let stand = Arc::clone(stand);
        clients.spawn(async move {
            let mut dice = Dice::new(seed, client);
            let mut oracle = Oracle::new()?;
            let mut tally = Tally::new();
            let (address, version) = (stand.envoy.address, if client % 4 == 3 { 2 } else { 1 });
            let mut client = Client::open(address, version).await?;
            for _ in 0..count / CLIENTS {
                let attack = attack(&mut dice, version == 2);
                let answer = timeout(LIMIT, send(&mut client, &attack)).await;
                let reply = answer.with_context(|| format!("no answer to {}", attack.shown()))?;
                if let Ok(Some(reply)) = &reply {
                    judge(&mut oracle, &attack, reply, &mut tally);
                }
                // Whatever else an attack leaves on its connection is none of the next one's.
                if !matches!(reply, Ok(Some(_))) || attack.kind != Kind::Whole {
                    client = Client::open(address, version).await?;
                }
            }
            anyhow::Ok(tally)
        });
    }
    let mut sum = Tally::new();
    while let Some(tally) = clients.join_next().await {
        sum.add(&tally??);
    }
    Ok(sum)
}

async fn stand(tools: &Tools, way: Way) -> Result<Arc<Stand>> {
    let upstream = Upstream::start_with(oracle::judge()?).await?;
    let options = Options { setup: plain(), is_generous: true, ..Options::default() };
    Ok(Arc::new(tools.start_before(upstream, &configuration(), way, options).await?))
}

/// Whether all is as it was: every filter runs, nothing is held, nothing unfit has arrived.
async fn is_whole(stand: &Stand) -> Result<()> {
    stand.is_sound().await?;
    let unfit = stand.upstream.seen().unfit;
    assert!(unfit.is_empty(), "{:?}: {unfit:#?}", stand.way);
    assert_told(&stand.send(&Post::json(ORDERS, ORDER)).await?, "200", "");
    Ok(())
}

fn is_long() -> bool {
    std::env::var_os("FINPAY_LONG").is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_leaves_nothing_behind() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let count = if is_long() { 200_000 } else { 20_000 } / 2;
    for way in WAYS {
        let stand = stand(&tools, way).await?;
        flood(&stand, 1, count / 2).await?;
        stand.holds(0).await?;
        let (before, started) = (stand.envoy.resident_kib()?, Instant::now());
        let tally = flood(&stand, 2, count).await?;
        stand.holds(0).await?;
        let (after, took) = (stand.envoy.resident_kib()?, started.elapsed());
        let (told, compared) = (tally.told(), tally.compared);
        eprintln!(
            "{way:?}: {count} requests in {took:?}: {told}; {compared} compared, {} misframed; {before} KiB, then {after} KiB",
            tally.misframed
        );
        assert!(
            tally.misframed > count / 200,
            "what is misframed is answered, where Envoy does not cut it off"
        );
        assert!(compared > count / 3, "many of them are for the filter to refuse");
        assert!(tally.statuses[200] > count / 100, "and some are for it to let through");
        assert_eq!(tally.statuses[503], 0, "a filter ended");
        assert!(after < before + GROWTH_KIB, "{way:?}: from {before} to {after} KiB");
        is_whole(&stand).await?;
    }
    Ok(())
}

/// The flood's own means are sound: what it takes for good is let through.
#[tokio::test]
async fn good_orders_of_all_sizes_pass() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let stand = tools.start_with(&configuration(), Way::Held, plain()).await?;
    let mut sizes = Vec::new();
    for (post, is_good) in orders(&mut Dice::new(3, 0), 40) {
        let reply = stand.send(&post).await?;
        assert_eq!(reply.status, if is_good { 200 } else { 422 }, "{reply:?}");
        sizes.push(post.body.len());
    }
    sizes.sort_unstable();
    assert!(sizes[0] < 400 && sizes[39] > 30 << 10 && sizes[39] <= 64 << 10, "{sizes:?}");
    stand.is_sound().await
}
