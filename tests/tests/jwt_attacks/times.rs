//! Tokens by the issuer's own key whose claims do not hold, or are not of their kind.

use anyhow::Result;
use serde_json::json;
use tests::issuer::{Issuer, header, now};
use tests::jwt::Tools;
use tests::{raw, tokens};

use super::{Attacks, guarded, withstands};

#[tokio::test]
async fn claims_that_do_not_hold() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&guarded(&issuer), &[]).await?;
    let mut attacks = Attacks::default();
    dates(&issuer, &mut attacks)?;
    parties(&issuer, &mut attacks)?;
    withstands(&envoy, &issuer, attacks).await?;

    // The leeway of a minute, from its good side.
    for changes in [json!({"exp": now() - 50}), json!({"nbf": now() + 50}), json!({"iat": now() + 50})] {
        let reply = raw::bearer(envoy.address, "/order/1", &issuer.token(&changes)?).await?;
        assert_eq!(reply.status, 200, "{changes}");
    }
    Ok(())
}

fn dates(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    let soon = now() + 900;
    let wrong =
        ["0", "-1", "null", "true", "1.5", "1e400", "1e9", "4294967296", "18446744073709551616", "{}"];
    let pair = issuer.pair()?;
    for name in ["exp", "nbf", "iat"] {
        // As text: some of these are no numbers that a library would write.
        let text = wrong.map(str::to_owned).into_iter().chain([
            format!("\"{soon}\""),
            format!("{soon}.5"),
            format!("[{soon}]"),
            format!("-{soon}"),
            "\"\"".to_owned(),
        ]);
        for value in text {
            if value == "0" && name != "exp" {
                continue;
            }
            let claims = issuer.claims(&json!({name: "HERE"})).to_string().replace("\"HERE\"", &value);
            let token = tokens::sign_texts(&pair.key, header(&pair).to_string(), claims);
            attacks.add(format!("{name} {value}"), token);
        }
    }
    for changes in [
        json!({"exp": null}),
        json!({"exp": 1}),
        json!({"exp": now() - 61}),
        json!({"nbf": now() + 90}),
        json!({"iat": now() + 90}),
        json!({"iat": null}),
    ] {
        attacks.add(format!("with {changes}"), issuer.token(&changes)?);
    }
    Ok(())
}

fn parties(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    for changes in [
        json!({"iss": "https://other.example"}),
        json!({"iss": "https://issuer.example/"}),
        json!({"iss": "HTTPS://issuer.example"}),
        json!({"iss": ["https://issuer.example"]}),
        json!({"iss": null}),
        json!({"iss": ""}),
        json!({"aud": "other"}),
        json!({"aud": "finpay "}),
        json!({"aud": "FINPAY"}),
        json!({"aud": ["other", "another"]}),
        json!({"aud": []}),
        json!({"aud": ["finpay", 1]}),
        json!({"aud": [["finpay"]]}),
        json!({"aud": {"finpay": true}}),
        json!({"aud": 1}),
        json!({"aud": null}),
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": 1}),
        json!({"sub": "alice\r\nx-jwt-sub: admin"}),
        json!({"sub": "alice\0"}),
        json!({"sub": " alice"}),
        json!({"sub": "ålice"}),
        json!({"sub": "a".repeat(1025)}),
        json!({"jti": null}),
        json!({"jti": 7}),
        json!({"client_id": null}),
        json!({"client_id": []}),
        json!({"scope": 1}),
        json!({"scope": "orders:read  orders:write"}),
        json!({"scope": "orders:read\" admin"}),
        json!({"scope": ["orders:read", 1]}),
        json!({"scope": "a\r\nb"}),
    ] {
        attacks.add(format!("with {changes:.60}"), issuer.token(&changes)?);
    }
    Ok(())
}
