//! Every way in, and every way to be kept out.

use std::process::Command;
use std::sync::OnceLock;

use axum::http::{HeaderMap, header};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::auth::{ServiceAccount, authorise};
use super::params::Params;
use crate::simulator::Settings;
use crate::simulator::platform::{Origins, Platform};
use crate::simulator::wire::Wire;

const NOW_S: i64 = 1_800_000_000;

/// No key is kept in the repository: whoever can make one makes one.
fn fresh_key() -> Option<String> {
    let node = "process.stdout.write(require('crypto').generateKeyPairSync('rsa', { modulusLength: 2048 })\
                .privateKey.export({ type: 'pkcs8', format: 'pem' }))";
    let tools: [(&str, &[&str]); 2] = [
        ("openssl", &["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
        ("node", &["-e", node]),
    ];
    let made = tools.iter().find_map(|(tool, arguments)| {
        let output = Command::new(tool).args(*arguments).output().ok()?;
        String::from_utf8(output.stdout).ok().filter(|pem| pem.contains("BEGIN PRIVATE KEY"))
    });
    let required = std::env::var("HALO_TEST_CLIENTS").is_ok_and(|value| value == "required");
    assert!(made.is_some() || !required, "neither openssl nor node can make an RSA key");
    made
}

struct Signer {
    account: ServiceAccount,
    pair: RsaKeyPair,
}

fn signer() -> Option<&'static Signer> {
    static SIGNER: OnceLock<Option<Signer>> = OnceLock::new();
    let made = SIGNER.get_or_init(|| {
        let pem = fresh_key()?;
        let file = json!({
            "account_email": "someone@example.com", "account_id": 7, "key_id": "the-key", "private_key": pem,
        });
        let account = ServiceAccount::from_json(&file.to_string()).expect("a good file");
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).expect("PEM");
        Some(Signer { account, pair: RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("a key") })
    });
    if made.is_none() {
        eprintln!("SKIPPED: tokens are not checked; neither openssl nor node can make an RSA key");
    }
    made.as_ref()
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = |chunk: &[u8]| {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..=chunk.len()).map(move |n| char::from(ALPHABET[(word >> (18 - 6 * n)) as usize & 63])).collect::<String>()
    };
    bytes.chunks(3).map(digits).collect()
}

fn unsigned(head: &Value, claims: &Value) -> String {
    format!("{}.{}", base64url(head.to_string().as_bytes()), base64url(claims.to_string().as_bytes()))
}

fn head() -> Value {
    json!({ "alg": "RS256", "typ": "JWT", "kid": "the-key" })
}

fn claims() -> Value {
    json!({ "iss": 7, "iat": NOW_S - 5, "exp": NOW_S + 300 })
}

impl Signer {
    fn token(&self, head: &Value, claims: &Value) -> String {
        let signed = unsigned(head, claims);
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .expect("a good key signs");
        format!("{signed}.{}", base64url(&signature))
    }
}

fn platform(settings: Settings) -> Platform {
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let wire = Wire::new(reqwest::Client::new(), settings.request_cost, None);
    // No session is started here.
    let threads = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    Platform::new(settings, wire, Origins { plain: String::new(), secure: None }, threads.handle().clone())
}

fn code(platform: &Platform, bearer: Option<&str>, params: &[(&str, &str)]) -> u32 {
    let mut headers = HeaderMap::new();
    if let Some(bearer) = bearer {
        headers.insert(header::AUTHORIZATION, bearer.parse().expect("a header"));
    }
    let params = Params::new(params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
    authorise(platform, &headers, &params, NOW_S).map_or_else(|error| error.code, |()| 0)
}

#[test]
fn a_token_is_taken_or_refused_by_its_code() {
    let Some(signer) = signer() else { return };
    let platform = platform(Settings { service_account: Some(signer.account.clone()), ..Settings::default() });
    let with = |field: &str, value: Value| {
        let mut claims = claims();
        claims[field] = value;
        claims
    };
    let lasting = |seconds: i64| json!({ "iss": 7, "iat": NOW_S, "exp": NOW_S + seconds });
    let kid = |kid: Value| json!({ "alg": "RS256", "kid": kid });
    let table = [
        ("as it should be", head(), claims(), 0),
        ("the issuer as text", head(), with("iss", json!("7")), 0),
        ("a clock that is a little ahead", head(), with("iat", json!(NOW_S + 5)), 0),
        ("an hour", head(), lasting(3600), 0),
        ("more than an hour", head(), lasting(3601), 454),
        ("from the future", head(), with("iat", json!(NOW_S + 6)), 455),
        ("expired", head(), with("exp", json!(NOW_S)), 456),
        ("another account", head(), with("iss", json!(8)), 100),
        ("another key", kid(json!("another")), claims(), 433),
        ("no key", json!({ "alg": "RS256" }), claims(), 447),
        ("no issuer", head(), with("iss", json!(null)), 447),
        ("no end", head(), with("exp", json!(null)), 447),
        ("an end in words", head(), with("exp", json!("tomorrow")), 447),
        ("numbers beyond reason", head(), json!({ "iss": 7, "iat": i64::MIN, "exp": i64::MAX }), 454),
    ];
    for (what, head, claims, expected) in table {
        let bearer = format!("Bearer {}", signer.token(&head, &claims));
        assert_eq!(code(&platform, Some(&bearer), &[]), expected, "{what}");
    }
    let good = signer.token(&head(), &claims());
    assert_eq!(code(&platform, Some(&format!("bearer  {good}")), &[]), 0, "schemes know no case");
    assert_eq!(code(&platform, Some(&format!("Basic {good}")), &[]), 447);
}

/// What somebody without the key can try.
#[test]
fn a_token_that_was_not_signed_by_the_key_is_no_token() {
    let Some(signer) = signer() else { return };
    let platform = platform(Settings { service_account: Some(signer.account.clone()), ..Settings::default() });
    let good = signer.token(&head(), &claims());
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let promoted = json!({ "iss": 7, "iat": NOW_S - 5, "exp": NOW_S + 3000 });
    let shared = hmac::Key::new(hmac::HMAC_SHA256, signer.pair.public_key().as_ref());
    let confused = unsigned(&json!({ "alg": "HS256", "kid": "the-key" }), &claims());
    let confused = format!("{confused}.{}", base64url(hmac::sign(&shared, confused.as_bytes()).as_ref()));
    let mut flipped = signature.to_owned().into_bytes();
    flipped[40] = if flipped[40] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).expect("ASCII");
    let none = unsigned(&json!({ "alg": "none", "kid": "the-key" }), &claims());
    for (what, token, expected) in [
        ("other claims under the same signature", format!("{}.{signature}", unsigned(&head(), &promoted)), 100),
        ("a changed signature", format!("{signed}.{flipped}"), 100),
        ("half a signature", format!("{signed}.{}", &signature[..200]), 100),
        ("no signature", format!("{signed}."), 100),
        ("the algorithm none", format!("{none}."), 447),
        ("none, under a good signature", format!("{none}.{signature}"), 447),
        ("the public key as a shared secret", confused, 447),
        ("two parts", signed.to_owned(), 447),
        ("nothing", String::new(), 447),
        ("not base64", "a.b.c!".to_owned(), 447),
        ("padding", format!("{signed}.{signature}="), 447),
        ("no JSON", "AAAA.AAAA.AAAA".to_owned(), 447),
    ] {
        assert_eq!(code(&platform, Some(&format!("Bearer {token}")), &[]), expected, "{what}");
    }
    // A bad token is not mended by a good key.
    let key = [("account_id", "7"), ("api_key", "k")];
    assert_eq!(code(&platform, Some(&format!("Bearer {signed}.{flipped}")), &key), 100);
}

#[test]
fn without_a_service_account_no_token_is_taken() {
    let platform = platform(Settings::default());
    let token = format!("{}.{}", unsigned(&head(), &claims()), base64url(&[7; 256]));
    assert_eq!(code(&platform, Some(&format!("Bearer {token}")), &[]), 433);
    assert_eq!(code(&platform, Some("Bearer x"), &[]), 447);
    assert_eq!(platform.account_id(), 0, "nobody was met");
}

#[test]
fn the_first_key_is_the_accounts_by_any_of_its_names() {
    let platform = platform(Settings::default());
    assert_eq!(code(&platform, None, &[]), 100);
    assert_eq!(code(&platform, None, &[("account_id", "7")]), 100);
    assert_eq!(code(&platform, None, &[("api_key", "one")]), 100);
    assert_eq!(code(&platform, None, &[("account_id", "7"), ("api_key", "one")]), 0);
    for (name, value, key, expected) in [
        ("account_id", "7", "one", 0),
        ("account_name", "acc7", "one", 0),
        ("account_email", "acc7@example.com", "one", 0),
        ("account_id", "7", "two", 100),
        ("account_id", "8", "one", 100),
        ("account_name", "acc8", "one", 100),
    ] {
        assert_eq!(code(&platform, None, &[(name, value), ("api_key", key)]), expected, "{name} {value} {key}");
    }
}

#[test]
fn settings_name_account_and_key() {
    let own = platform(Settings { account: Some(("9".into(), "own".into())), ..Settings::default() });
    assert_eq!(code(&own, None, &[("account_id", "9"), ("api_key", "first")]), 100);
    assert_eq!(code(&own, None, &[("account_id", "9"), ("api_key", "own")]), 0);
    let Some(signer) = signer() else { return };
    let service = platform(Settings { service_account: Some(signer.account.clone()), ..Settings::default() });
    assert_eq!(code(&service, None, &[("account_id", "8"), ("api_key", "one")]), 100, "a stranger comes first");
    assert_eq!(code(&service, None, &[("account_email", "someone@example.com"), ("api_key", "one")]), 0);
}

#[test]
fn a_bad_file_says_what_is_wrong_and_shows_no_key() {
    for (file, told) in [
        ("{}", "not the JSON"),
        (r#"{"account_id":7,"key_id":"k","private_key":"secret"}"#, "PEM"),
        (
            "{\"account_id\":7,\"key_id\":\"k\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\\n\"}",
            "RSA",
        ),
    ] {
        let error = ServiceAccount::from_json(file).expect_err("bad").to_string();
        assert!(error.contains(told) && !error.contains("secret"), "{error}");
    }
}
