//! Tokens by the issuer's own key that can be read in two ways, or are of another kind.

use anyhow::Result;
use serde_json::json;
use tests::issuer::{Issuer, header};
use tests::jwt::{Tools, with};
use tests::{raw, tokens};

use super::{Attacks, guarded, withstands};

#[tokio::test]
async fn tokens_of_two_readings() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&guarded(&issuer), &[]).await?;
    let mut attacks = Attacks::default();
    alphabets(&issuer, &mut attacks)?;
    segments(&issuer, &mut attacks)?;
    headers(&issuer, &mut attacks)?;
    documents(&issuer, &mut attacks)?;
    withstands(&envoy, &issuer, attacks).await?;

    let pair = issuer.pair()?;
    for typ in ["at+jwt", "JWT", "AT+JWT", "application/at+jwt", "Application/JWT"] {
        let header = with(header(&pair), &json!({"typ": typ}));
        let token = pair.sign(&header, &issuer.claims(&json!({})));
        let reply = raw::bearer(envoy.address, "/order/1", &token).await?;
        assert_eq!(reply.status, 200, "typ {typ} is another spelling of what is allowed");
    }
    Ok(())
}

/// A token whose segment at this place has spare bits.
fn with_spare_bits(issuer: &Issuer, place: usize) -> Result<String> {
    for length in 1..100 {
        let token = issuer.token(&json!({"pad": "x".repeat(length)}))?;
        let mut segments: Vec<String> = token.split('.').map(str::to_owned).collect();
        let segment = &mut segments[place];
        if !segment.len().is_multiple_of(4) {
            const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let last = segment.pop().unwrap_or('A');
            let at = ALPHABET.iter().position(|known| char::from(*known) == last).unwrap_or(0);
            segment.push(char::from(ALPHABET[at ^ 1]));
            return Ok(segments.join("."));
        }
    }
    anyhow::bail!("no token of a length that leaves bits")
}

fn alphabets(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    let good = issuer.token(&json!({}))?;
    let parts: Vec<&str> = good.split('.').collect();
    let put = |place: usize, text: &str| {
        let mut parts = parts.clone();
        parts[place] = text;
        parts.join(".")
    };
    for (place, part) in parts.iter().enumerate() {
        attacks.add(format!("segment {place}: padded"), put(place, &format!("{part}=")));
        attacks.add(format!("segment {place}: padded twice"), put(place, &format!("{part}==")));
        attacks.add(format!("segment {place}: a character more"), put(place, &format!("{part}A")));
        attacks.add(format!("segment {place}: one of base64"), put(place, &format!("+{}", &part[1..])));
        attacks.add(format!("segment {place}: another of base64"), put(place, &format!("/{}", &part[1..])));
        attacks.add(format!("segment {place}: a tilde"), put(place, &format!("~{part}")));
        attacks.malformed(
            format!("segment {place}: a space"),
            put(place, &format!("{} {}", &part[..4], &part[4..])),
        );
        attacks.malformed(
            format!("segment {place}: a tab"),
            put(place, &format!("{}\t{}", &part[..4], &part[4..])),
        );
        attacks.malformed(format!("segment {place}: percent"), put(place, &format!("{part}%3D")));
        attacks.malformed(format!("segment {place}: a letter of Unicode"), put(place, &format!("{part}é")));
    }
    // Header and signature have a fixed length: 64 bytes leave four bits.
    attacks.add("spare bits in the signature", with_spare_bits(issuer, 2)?);
    attacks.add("spare bits in the claims", with_spare_bits(issuer, 1)?);
    for _ in 0..200 {
        let token = issuer.token(&json!({}))?;
        if token.contains('-') && token.contains('_') {
            attacks.add("base64 for base64url", token.replace('-', "+").replace('_', "/"));
            break;
        }
    }
    Ok(())
}

fn segments(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    let good = issuer.token(&json!({}))?;
    let parts: Vec<&str> = good.split('.').collect();
    let all = [
        ("a leading dot", format!(".{good}")),
        ("a trailing dot", format!("{good}.")),
        ("dots doubled", good.replace('.', "..")),
        ("no claims", format!("{}..{}", parts[0], parts[2])),
        ("no header", format!(".{}.{}", parts[1], parts[2])),
        ("two segments", parts[..2].join(".")),
        ("one segment", parts[0].to_owned()),
        ("four segments", format!("{good}.{}", parts[2])),
        ("five segments, as if encrypted", format!("{good}.{}.{}", parts[1], parts[2])),
        ("a dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("thousands of dots", ".".repeat(15_000)),
        ("dots beyond the limit", ".".repeat(50_000)),
        ("twice itself", format!("{good}.{good}")),
        ("a letter", "a".to_owned()),
        ("a mere equals sign", "=".to_owned()),
    ];
    for (name, token) in all {
        attacks.add(name, token);
    }
    for bytes in [16_385, 20_000, 59_000] {
        let token = issuer.token(&json!({"pad": "x".repeat(bytes * 3 / 4)}))?;
        assert!(token.len() > bytes);
        attacks.add(format!("rightly signed, of {} bytes", token.len()), token);
    }
    Ok(())
}

fn headers(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    let pair = issuer.pair()?;
    let members = [
        json!({"crit": ["exp"]}),
        json!({"crit": ["unknown"], "unknown": 1}),
        json!({"crit": []}),
        json!({"crit": ["b64"], "b64": false}),
        json!({"crit": ["b64"], "b64": true}),
        json!({"b64": false}),
        json!({"b64": true}),
        json!({"cty": "JWT"}),
        json!({"cty": "jwt"}),
        json!({"enc": "A256GCM"}),
        json!({"zip": "DEF"}),
        json!({"typ": "id+jwt"}),
        json!({"typ": "dpop+jwt"}),
        json!({"typ": "JOSE"}),
        json!({"typ": "at+jwt2"}),
        json!({"typ": "at+jwt "}),
        json!({"typ": "application/x/at+jwt"}),
        json!({"typ": ""}),
        json!({"typ": 1}),
        json!({"typ": ["at+jwt"]}),
        json!({"typ": null}),
    ];
    for changes in members {
        let token = pair.sign(&with(header(&pair), &changes), &issuer.claims(&json!({})));
        attacks.add(format!("header with {changes}"), token);
    }
    Ok(())
}

fn documents(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    let pair = issuer.pair()?;
    let (header, claims) = (header(&pair).to_string(), issuer.claims(&json!({})).to_string());
    // Each way to spoil a JSON object, done to the header and to the claims.
    let spoilt = |text: &str, twice: &str| -> Vec<(&'static str, Vec<u8>)> {
        let inside = &text[1..text.len() - 1];
        vec![
            ("a member twice", format!("{{{twice},{inside}}}").into_bytes()),
            (
                "a member twice, escaped",
                format!("{{{},{inside}}}", twice.replacen('s', "\\u0073", 1)).into_bytes(),
            ),
            ("a member twice further down", format!("{{{inside},\"x\":{{\"a\":1,\"a\":2}}}}").into_bytes()),
            ("more behind it", format!("{text}{{}}").into_bytes()),
            ("a NUL behind it", format!("{text}\0").into_bytes()),
            ("a byte order mark", format!("\u{feff}{text}").into_bytes()),
            ("no UTF-8", [b"{\"x\":\"\xff\",", inside.as_bytes(), b"}"].concat()),
            ("overlong UTF-8", [b"{\"x\":\"\xc0\xaf\",", inside.as_bytes(), b"}"].concat()),
            ("half a surrogate", format!("{{\"x\":\"\\ud800\",{inside}}}").into_bytes()),
            ("a comma at the end", format!("{{{inside},}}").into_bytes()),
            ("a comment", format!("{{/**/{inside}}}").into_bytes()),
            ("single quotes", text.replace('"', "'").into_bytes()),
            ("an array around it", format!("[{text}]").into_bytes()),
            ("a text around it", json!(text).to_string().into_bytes()),
            ("not a number", format!("{{\"x\":NaN,{inside}}}").into_bytes()),
            ("too large a number", format!("{{\"x\":1e400,{inside}}}").into_bytes()),
            (
                "nested beyond measure",
                format!("{{\"x\":{}{},{inside}}}", "[".repeat(3000), "]".repeat(3000)).into_bytes(),
            ),
            ("nested and never closed", "{\"x\":[".repeat(1500).into_bytes()),
            ("null", b"null".to_vec()),
            ("an empty object", b"{}".to_vec()),
            ("nothing", Vec::new()),
            ("half of it", text.as_bytes()[..text.len() / 2].to_vec()),
        ]
    };
    for (name, text) in spoilt(&header, r#""alg":"ES256""#) {
        attacks.add(format!("header: {name}"), tokens::sign_texts(&pair.key, text, &claims));
    }
    for (name, text) in spoilt(&claims, r#""sub":"admin""#) {
        attacks.add(format!("claims: {name}"), tokens::sign_texts(&pair.key, &header, text));
    }
    Ok(())
}
