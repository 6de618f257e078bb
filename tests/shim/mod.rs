//! What a machine does to a program and a test cannot: a full disk, a sync that fails, a clock that is wrong.
//! `faults.c` is loaded before the program's own libraries, so that the program itself holds no seam for it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The library, compiled once for each test program by the compiler that building this program needs anyway.
pub fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shim/faults.c");
        let name = format!("faults-{}.so", std::process::id());
        let made: PathBuf = std::env::temp_dir().join(name);
        let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&made).args([source, "-ldl"]);
        assert!(compiler.status().expect("a C compiler").success(), "{source} does not compile");
        made.display().to_string()
    })
}
