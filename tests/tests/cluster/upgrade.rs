//! A filter is upgraded and reconfigured under load.

use std::env;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use tests::cluster::{Cluster, settles};
use tests::load::{failures, orders_while};
use tests::wait::until_within;
use tests::{System, orders};

const PERIOD: Duration = Duration::from_millis(20);

/// The realm that the filter's 401 names.
async fn realm(system: &System) -> Result<String> {
    let request = system.request(reqwest::Method::POST, "/order/create").json(&orders::seed("nobody"));
    Ok(system.send(request).await?.header("www-authenticate").to_owned())
}

#[tokio::test]
async fn a_changed_configuration_fails_nothing() -> Result<()> {
    let (Some(system), Some(cluster)) = (System::from_env(), Cluster::from_env()) else { return Ok(()) };
    let user = system.new_user().await?;
    for name in ["finpay-changed", "finpay"] {
        let change = async {
            cluster.patch("wasmplugin", "jwt", &json!({"spec": {"pluginConfig": {"realm": name}}})).await?;
            let expected = format!("realm=\"{name}\"");
            settles("the new realm", true, async || Ok(realm(&system).await?.contains(&expected))).await
        };
        let (answers, ()) = orders_while(&system, &user, PERIOD, 500, change).await?;
        assert!(failures(&answers).is_empty(), "{:?} of {}", failures(&answers), answers.len());
        eprintln!("realm {name}: {} orders, all 201", answers.len());
    }
    Ok(())
}

#[tokio::test]
async fn a_new_module_fails_nothing() -> Result<()> {
    let (Some(system), Some(cluster)) = (System::from_env(), Cluster::from_env()) else { return Ok(()) };
    let Ok(next) = env::var("FINPAY_NEXT_JWT") else {
        eprintln!("skipped: FINPAY_NEXT_JWT names no second image of the filter; `k8s/test` pushes one");
        return Ok(());
    };
    let user = system.new_user().await?;
    let plugin = cluster.get("wasmplugin", "jwt").await?;
    let url = plugin["spec"]["url"].as_str().context("url")?;
    assert_ne!(url, next);
    for module in [next.as_str(), url] {
        let change = async {
            let before = taken(&cluster).await?;
            cluster.patch("wasmplugin", "jwt", &json!({"spec": {"url": module}})).await?;
            until_within(Duration::from_mins(1), "every order sidecar took it", async || {
                let now = taken(&cluster).await?;
                Ok(now.iter().zip(&before).all(|(now, before)| now != before).then_some(()))
            })
            .await
        };
        // Long enough that connections made before the change are used after it.
        let (answers, ()) = orders_while(&system, &user, PERIOD, 1000, change).await?;
        assert!(failures(&answers).is_empty(), "{:?} of {}", failures(&answers), answers.len());
        eprintln!("{module}: {} orders, all 201", answers.len());
    }
    Ok(())
}

/// When each order sidecar took the filter that it has.
async fn taken(cluster: &Cluster) -> Result<Vec<String>> {
    let mut times = Vec::new();
    for pod in cluster.pods("order-service").await? {
        let page = cluster.sidecar(&pod, "config_dump?resource=ecds_filters").await?;
        let filters = page["configs"].as_array().context("configs")?.iter();
        let jwt = filters
            .filter(|filter| filter["ecds_filter"]["name"].as_str().is_some_and(|n| n.contains("jwt")));
        times.extend(jwt.filter_map(|filter| Some(filter["last_updated"].as_str()?.to_owned())));
    }
    Ok(times)
}
