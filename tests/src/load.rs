//! Load for the tests that change or break the mesh while it serves.

use std::time::Duration;

use anyhow::Result;
use reqwest::Method;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::{Answer, System, User, orders};

/// Orders of one user at an even rate (an open loop: a slow answer delays no order) while `work` runs, and at
/// least `count` of them.
pub async fn orders_while<T>(
    system: &System,
    user: &User,
    period: Duration,
    count: usize,
    work: impl Future<Output = Result<T>>,
) -> Result<(Vec<Answer>, T)> {
    let mut running = JoinSet::new();
    let mut tick = interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut work = Box::pin(work);
    let mut outcome = None;
    while outcome.is_none() || running.len() < count {
        tokio::select! {
            done = &mut work, if outcome.is_none() => outcome = Some(done?),
            _ = tick.tick() => {
                let (system, user) = (system.clone(), user.clone());
                running.spawn(async move {
                    let request = system.request(Method::POST, "/order/create").bearer_auth(&user.token);
                    system.send(request.json(&orders::seed(&user.id))).await
                });
            }
        }
    }
    let answers = running.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    Ok((answers, outcome.unwrap_or_else(|| unreachable!("the loop ends after the work"))))
}

/// The verdicts of those answers that are not 201, for a message.
pub fn failures(answers: &[Answer]) -> Vec<String> {
    answers.iter().filter(|answer| answer.status != 201).map(Answer::verdict).collect()
}
