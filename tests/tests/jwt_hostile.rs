//! A flood of broken requests: nothing of it may get in, end a worker's filter, or stay in memory.

use std::time::Instant;

use anyhow::Result;
use serde_json::json;
use tests::dice::Dice;
use tests::envoy::{Envoy, Options, Setup};
use tests::issuer::{FEED, Issuer, JWKS};
use tests::jwt::{Tools, configuration};
use tests::raw::{self, Connection};
use tests::wait::until;

/// Connections that send at once.
const CLIENTS: u64 = 8;
/// What the process may grow by, in KiB: allocators keep and give back pages as they please.
const GROWTH_KIB: u64 = 6 << 10;

/// A byte that is harm wherever it is put: not one that ends a value in a query or a cookie, or that is trimmed off.
fn foreign(dice: &mut Dice) -> u8 {
    Some(dice.byte()).filter(|byte| !b"&;#\r\n\t ".contains(byte)).unwrap_or(b'!')
}

/// The token with some harm done to it; never the token itself.
fn mutated(token: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = token.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        match dice.below(9) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, b'.'),
            2 => bytes[at] ^= 1 << dice.below(7),
            3 => bytes[at] = b"ABab01-_.=+/"[dice.below(12)],
            4 => bytes.extend_from_within(at..),
            5 => drop(bytes.drain(at..(at + 1 + dice.below(40)).min(bytes.len()))),
            6 => bytes.insert(at, foreign(dice)),
            7 => bytes.rotate_left(at),
            _ => bytes.extend(std::iter::repeat_n(b'A', dice.below(20_000))),
        }
        if bytes.is_empty() {
            bytes.push(b'.');
        }
    }
    if bytes == token { [token, b"A"].concat() } else { bytes }
}

/// What a client library would not send. Line ends are left out: behind one another request would begin.
fn attack(tokens: &[String], dice: &mut Dice) -> Vec<u8> {
    let token = tokens[dice.below(tokens.len())].as_bytes();
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let bad = mutated(token, dice);
    match dice.below(10) {
        0 => fields.push((b"authorization".to_vec(), {
            let count = dice.below(200);
            dice.bytes(count)
        })),
        1 => fields.push((
            b"authorization".to_vec(),
            [b"Bearer ".as_slice(), &vec![b'a'; dice.below(70_000)]].concat(),
        )),
        2 => {
            fields.push((b"cookie".to_vec(), [b"session=".as_slice(), &bad].concat()));
            fields.push((b"Authorization".to_vec(), [b"Bearer ".as_slice(), &bad].concat()));
        }
        3 => {
            for number in 0..dice.below(600) {
                fields.push((format!("x_jwt-{number}").into_bytes(), dice.bytes(4)));
            }
        }
        4 => fields.push((b"cookie".to_vec(), [b"a=1;;session=".as_slice(), &bad, b"; =; session"].concat())),
        _ => fields.push((b"authorization".to_vec(), [b"Bearer ".as_slice(), &bad].concat())),
    }
    if dice.below(12) == 0 {
        let (name, value) = (dice.below(12), dice.below(60));
        fields.push(([b"x-".to_vec(), dice.bytes(name)].concat(), dice.bytes(value)));
    }
    let mut target = b"/order/".to_vec();
    match dice.below(10) {
        0 => {
            let count = dice.below(30);
            target.extend(dice.bytes(count));
        }
        1 => target.extend([b"1?access_token=".as_slice(), &bad].concat()),
        2 => target.extend(b"..//%2e;%zz"),
        _ => target.push(b'1'),
    }
    let clean = |bytes: Vec<u8>, also: &[u8]| -> Vec<u8> {
        bytes.into_iter().filter(|byte| !b"\r\n".contains(byte) && !also.contains(byte)).collect()
    };
    let target = clean(target, b" ");
    let fields: Vec<_> =
        fields.into_iter().map(|(name, value)| (clean(name, b": \t"), clean(value, b""))).collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    raw::request("GET", &target, &fields)
}

/// Sends so many, and counts those that got in: a `200` to any of them is one too many.
async fn flood(envoy: &Envoy, tokens: &[String], seed: u64, count: u64) -> Result<[u64; 600]> {
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (address, tokens) = (envoy.address, tokens.to_vec());
        clients.spawn(async move {
            let mut dice = Dice::new(seed, client);
            let mut statuses = [0_u64; 600];
            let mut connection = Connection::open(address).await?;
            for _ in 0..count / CLIENTS {
                let request = attack(&tokens, &mut dice);
                match connection.send(&request).await {
                    Ok(reply) => {
                        assert_ne!(reply.status, 200, "{}", String::from_utf8_lossy(&request));
                        statuses[usize::from(reply.status) % 600] += 1;
                    }
                    // Envoy may cut a connection on which it was sent no HTTP.
                    Err(_) => connection = Connection::open(address).await?,
                }
            }
            anyhow::Ok(statuses)
        });
    }
    let mut sum = [0; 600];
    while let Some(statuses) = clients.join_next().await {
        for (sum, count) in sum.iter_mut().zip(statuses??) {
            *sum += count;
        }
    }
    Ok(sum)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_leaves_nothing_behind() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let count = if std::env::var_os("FINPAY_LONG").is_some() { 200_000 } else { 20_000 };
    let issuer = Issuer::start().await?;
    let mut provider = issuer.provider();
    provider["revocations"] = issuer.revocations();
    let mut configuration = configuration(&[provider]);
    configuration["tokenPlaces"] = json!([{"header": "authorization", "scheme": "Bearer"}, {"cookie": "session"}, {"query": "access_token"}]);
    let setup =
        Options { setup: Setup { plain: true, ..Setup::default() }, is_generous: true, ..Options::default() };
    let envoy = tools.start_with(&configuration, &[&issuer], setup).await?;
    let tokens = (0..20).map(|_| issuer.token(&json!({}))).collect::<Result<Vec<_>>>()?;
    until("a good token is good", async || {
        Ok((raw::bearer(envoy.address, "/order/1", &tokens[0]).await?.status == 200).then_some(()))
    })
    .await?;
    flood(&envoy, &tokens, 1, count / 2).await?;
    let (before, started) = (envoy.resident_kib()?, Instant::now());
    let statuses = flood(&envoy, &tokens, 2, count).await?;
    let (after, took) = (envoy.resident_kib()?, started.elapsed());
    let told: Vec<_> = statuses.iter().enumerate().filter(|(_, count)| **count > 0).collect();
    eprintln!("{count} requests in {took:?}: {told:?}; resident {before} KiB, then {after} KiB");
    assert!(statuses[401] > count / 8, "many of them are for the filter to refuse");
    assert_eq!(statuses[503], 0, "a filter ended, or had no keys");
    assert_eq!(envoy.vm_failures()?, 0);
    for token in &tokens {
        assert_eq!(raw::bearer(envoy.address, "/order/1", token).await?.status, 200);
    }
    assert!(after < before + GROWTH_KIB, "from {before} to {after} KiB");
    assert!(issuer.asked(JWKS) > 0 && issuer.asked(FEED) > 0);
    Ok(())
}
