//! What settings come to, and what is refused.

use super::*;
use std::collections::HashMap;

fn read(pairs: &[(&str, &str)]) -> Result<Config, Faults> {
    let env: HashMap<String, String> = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    Config::read(&|name| env.get(name).cloned())
}

#[test]
fn nothing_said_is_the_simulator_inside() {
    let config = read(&[]).unwrap();
    assert!(matches!(config.platform, PlatformConfig::Inside));
    assert!(!config.is_real() && config.cps_max.is_none() && config.lines_max.is_none());
}

#[test]
fn every_fault_is_told_at_once() {
    let faults = read(&[
        ("USE_VOXIMPLANT", "true"),
        ("HALO_LISTEN", "nowhere"),
        ("HALO_CPS_MAX", "-1"),
        ("DATABASE_URL", "mysql://x"),
    ])
    .unwrap_err()
    .0
    .join("\n");
    for name in [
        "VOXIMPLANT_ACCOUNT_ID",
        "VOXIMPLANT_API_KEY",
        "VOXIMPLANT_CALLER_ID",
        "BACKEND_URL",
        "HALO_LISTEN",
        "HALO_CPS_MAX",
        "DATABASE_URL",
    ] {
        assert!(faults.contains(name), "{name} is not in:\n{faults}");
    }
}

#[test]
fn the_real_platform_begins_with_one_line_and_one_start_a_second() {
    let real = [
        ("USE_VOXIMPLANT", "true"),
        ("VOXIMPLANT_ACCOUNT_ID", "1"),
        ("VOXIMPLANT_API_KEY", "k"),
        ("BACKEND_URL", "https://halo.example.com"),
        ("VOXIMPLANT_CALLER_ID", "+74951234567"),
    ];
    let config = read(&real).unwrap();
    assert!(config.is_real());
    assert_eq!((config.cps_max, config.lines_max), (Some(1.0), Some(1)));
    assert!(!format!("{config:?}").contains("\"k\""));
}

/// A fresh RSA key, where the machine can make one.
fn rsa_pem() -> Option<String> {
    let args = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let made = std::process::Command::new("openssl").args(args).output().ok()?;
    made.status.success().then(|| String::from_utf8(made.stdout).unwrap())
}

#[test]
fn a_key_file_stands_for_account_and_key() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (good, other) = (path("good.json"), path("other.json"));
    let Some(pem) = rsa_pem() else {
        eprintln!("LEFT OUT: there is no openssl to make a key with");
        return;
    };
    let file =
        serde_json::json!({ "account_email": "a@example.com", "account_id": 77, "key_id": "k", "private_key": pem });
    std::fs::write(&good, file.to_string()).unwrap();
    let real = |more: &[(&str, &str)]| {
        let mut pairs = vec![
            ("USE_VOXIMPLANT", "true"),
            ("BACKEND_URL", "https://halo.example.com"),
            ("VOXIMPLANT_CALLER_ID", "+74951234567"),
        ];
        pairs.extend(more);
        read(&pairs)
    };
    let PlatformConfig::At { account, credentials, .. } = real(&[("VOXIMPLANT_KEY_FILE", &good)]).unwrap().platform
    else {
        panic!("not at a platform")
    };
    assert_eq!(account, "77");
    assert!(matches!(credentials, Credentials::Service(_)));
    assert!(real(&[("VOXIMPLANT_KEY_FILE", &good), ("VOXIMPLANT_ACCOUNT_ID", "77")]).is_ok());

    let ec = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let no_rsa = serde_json::json!({ "account_id": 77, "key_id": "k", "private_key": ec }).to_string();
    for (text, says) in [
        (None, "cannot be read"),
        (Some("{\"private_key\": \"not-to-be-shown\""), "is not the JSON"),
        (Some("{\"account_id\":1,\"key_id\":\"k\",\"private_key\":\"not-to-be-shown\"}"), "not a PKCS#8 key"),
        (Some(no_rsa.as_str()), "not an RSA key"),
    ] {
        if let Some(text) = text {
            std::fs::write(&other, text).unwrap();
        }
        let faults = real(&[("VOXIMPLANT_KEY_FILE", &other)]).unwrap_err().0;
        let [fault] = faults.as_slice() else { panic!("{faults:?}") };
        assert!(fault.starts_with("VOXIMPLANT_KEY_FILE: ") && fault.contains(says), "{fault}");
        assert!(!fault.contains("not-to-be-shown"), "{fault}");
    }
    let faults = real(&[("VOXIMPLANT_KEY_FILE", &good), ("VOXIMPLANT_ACCOUNT_ID", "78")]).unwrap_err().0;
    assert_eq!(faults, ["VOXIMPLANT_ACCOUNT_ID: 78 is not the account of VOXIMPLANT_KEY_FILE, 77; leave it out"]);
}

#[test]
fn a_real_platform_is_never_meant_by_accident() {
    assert!(read(&[("VOXIMPLANT_API_URL", "https://api.voximplant.com/platform_api")]).is_err());
    let beside = read(&[("VOXIMPLANT_API_URL", "http://127.0.0.1:9100")]).unwrap();
    let PlatformConfig::At { url, .. } = beside.platform else { panic!("not beside") };
    assert_eq!(url, "http://127.0.0.1:9100/platform_api");
}

#[test]
fn loopback_is_known_by_its_address_not_its_looks() {
    for (url, loopback) in [
        ("http://127.0.0.1:1/x", true),
        ("http://localhost", true),
        ("http://[::1]:80", true),
        ("http://127.0.0.1.example.com", false),
        ("https://api.voximplant.com/127.0.0.1", false),
        ("http://user@example.com", false),
        ("http://localhost:80@example.com", false),
    ] {
        assert_eq!(is_loopback(url), loopback, "{url}");
    }
}
