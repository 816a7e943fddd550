//! The soak in small, so that it keeps working: four publishers for some seconds, one SIGKILL.

use std::process::Command;

#[test]
fn a_short_soak_finds_nothing() {
    let output = Command::new(env!("CARGO_BIN_EXE_soak"))
        .args(["--minutes", "0.2", "--publishers", "4", "--seed", "1"])
        .arg("--gateway")
        .arg(e2e::gateway::binary())
        .output()
        .expect("the soak is built");
    let told = String::from_utf8_lossy(&output.stdout);
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{why}");
    assert!(told.contains("violations"), "the table is missing: {told}");
}

#[test]
fn a_fault_of_its_own_is_found() {
    let output = Command::new(env!("CARGO_BIN_EXE_soak"))
        .args(["--minutes", "0.1", "--publishers", "2", "--seed", "1"])
        .args(["--no-kill", "--wilful", "lose-unit"])
        .arg("--gateway")
        .arg(e2e::gateway::binary())
        .output()
        .expect("the soak is built");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        !output.status.success() && told.contains("are lost"),
        "{told}"
    );
}
