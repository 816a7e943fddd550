use super::*;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// True while a process of this id exists and is not a zombie.
fn alive(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .starts_with('Z')
    })
}

/// Waits for a condition; false if it does not come true in ten seconds.
fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let interrupts = Interrupts::never();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        interrupts
            .wait(Duration::from_millis(5))
            .expect("no signal should come");
    }
    true
}

#[test]
fn a_step_that_fails_is_named_as_one_would_type_it() {
    let interrupts = Interrupts::never();
    assert!(run(&mut shell("true"), &interrupts).is_ok());
    let error = run(&mut shell("exit 3"), &interrupts).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`sh -c 'exit 3'` ended with exit status: 3"
    );
}

#[test]
fn ctrl_c_ends_the_step_that_runs() {
    let begun = Instant::now();
    let error = run(&mut shell("sleep 60"), &Interrupts::at_once()).unwrap_err();
    assert!(error.is::<crate::interrupt::Interrupted>(), "{error:#}");
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "the step was waited for"
    );
}

#[test]
fn a_child_that_ends_by_itself_is_quoted_with_its_last_lines() {
    let script = "for i in $(seq 30); do echo line $i; done; echo 'cannot listen' >&2; exit 7";
    let mut running = Running::start("gateway", &mut shell(script), Output::Named).unwrap();
    assert!(eventually(|| running.ended().unwrap().is_some()));
    let error = running.ensure_running().unwrap_err().to_string();
    assert!(
        error.starts_with("the gateway ended by itself with exit status: 7; its last lines:\n"),
        "{error}"
    );
    assert!(error.contains("    cannot listen"), "{error}");
    assert_eq!(
        error.lines().count(),
        21,
        "only the last twenty lines: {error}"
    );
}

#[test]
fn stop_is_a_request_and_waits_for_the_answer() {
    let script = "trap 'kill $!; exit 5' TERM; sleep 60 & echo up; wait";
    let running = Running::start("gateway", &mut shell(script), Output::Named).unwrap();
    let tail = running.tail.as_ref().unwrap();
    assert!(
        eventually(|| tail.last_lines().contains("up")),
        "the trap should be set"
    );
    let status = running
        .stop(Duration::from_secs(10), &Interrupts::never())
        .unwrap();
    assert_eq!(
        status.code(),
        Some(5),
        "the script's own way out was not taken"
    );
}

#[test]
fn what_does_not_stop_is_killed() {
    let running = Running::start(
        "gateway",
        &mut shell("trap '' TERM; echo up; sleep 60"),
        Output::Named,
    );
    let running = running.unwrap();
    let id = running.child.id();
    let tail = running.tail.as_ref().unwrap();
    assert!(
        eventually(|| tail.last_lines().contains("up")),
        "the trap should be set"
    );
    let error = running
        .stop(Duration::from_millis(100), &Interrupts::never())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the gateway did not end within 100ms of SIGTERM and was killed"
    );
    assert!(!alive(id));
}

#[test]
fn dropping_a_child_ends_what_it_started_too() {
    let script = "sleep 60 & echo $!; wait";
    let running = Running::start("encoder", &mut shell(script), Output::Named).unwrap();
    let tail = running.tail.as_ref().unwrap();
    let mut grandchild = 0;
    assert!(eventually(|| {
        let id = tail.last_lines().trim().parse();
        id.is_ok_and(|id| {
            grandchild = id;
            true
        })
    }));
    assert!(alive(grandchild));
    drop(running);
    assert!(
        eventually(|| !alive(grandchild)),
        "process {grandchild} was left behind"
    );
}

#[test]
fn command_lines_can_be_pasted_into_a_shell() {
    let mut command = Command::new("/usr/bin/ffmpeg");
    command.args([
        "-i",
        "a b",
        "it's",
        "",
        "rtmp://h:1/live/x?k=1",
        "size=1x1,y",
    ]);
    assert_eq!(
        line_of(&command),
        r"ffmpeg -i 'a b' 'it'\''s' '' 'rtmp://h:1/live/x?k=1' size=1x1,y"
    );
}
