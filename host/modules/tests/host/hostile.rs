//! Each limit kept to and broken, by components that do what no author would write. The host goes on.

use std::time::{Duration, Instant};

use niyam_modules::{
    DEADLINE_TICKS, EPOCH_TICK, FUEL_BASE, LoadError, MEMORY_BYTES_MAX, OUTPUT_BYTES_MAX, TABLE_ELEMENTS_MAX,
};
use niyam_values::policy::Ruling;

use crate::components::{Unruly, document};
use crate::wicked::{ALLOWED, FREE, Wicked};

const PAGE_BYTES: usize = 65_536;

/// No call takes longer, whatever it does.
fn twice_the_deadline() -> Duration {
    EPOCH_TICK * 2 * u32::try_from(DEADLINE_TICKS).unwrap()
}

/// What the body of `evaluate` does, and the code with which it ends.
fn fails(code: &str, fields: &str, body: &str) {
    let wicked = Wicked::evaluating(body).with_fields(fields).load();
    let began = Instant::now();
    assert_eq!(wicked.failure(), code, "{body}");
    assert!(began.elapsed() < twice_the_deadline(), "{body}");
    // Nothing of the failure is left: the same again, and a well-behaved neighbour in the same pool.
    assert_eq!(wicked.failure(), code, "{body}");
    let neighbour = wicked.host.load(&Wicked::evaluating(ALLOWED).component()).unwrap();
    assert_eq!(
        neighbour.evaluate("{}", &crate::wicked::request()).unwrap().answer,
        Ruling::Allow(Vec::new())
    );
}

fn allows(fields: &str, body: &str) {
    let decided = Wicked::evaluating(body).with_fields(fields).load().evaluate();
    assert_eq!(decided.unwrap().answer, Ruling::Allow(Vec::new()), "{body}");
}

#[test]
fn an_endless_loop() {
    fails("module-fuel-exhausted", "", "(loop $again (br $again)) (unreachable)");
    // As much as is allowed, and a little less than would be too much.
    let fuel = FUEL_BASE / 16;
    let counted = format!(
        "(loop $again
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const {fuel})))) {ALLOWED}"
    );
    allows("", &counted);
}

#[test]
fn an_endless_loop_with_fuel_without_end_meets_the_deadline() {
    let unruly = Unruly::new();
    let began = Instant::now();
    let failure = unruly.module.determine_unproved("{}", &document("loop"), u64::MAX).unwrap_err();
    assert_eq!(failure.code(), "module-deadline-exceeded");
    assert!(began.elapsed() < twice_the_deadline(), "{:?}", began.elapsed());
}

#[test]
fn recursion_without_end() {
    let fields = "(func $down (param i32) (result i32)
        (i32.add (call $down (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))";
    fails("module-stack-exhausted", fields, "(call $down (i32.const 0))");
    let fields = "(func $down (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
          (else (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 0)))))";
    allows(fields, &format!("(drop (call $down (i32.const 1000))) {ALLOWED}"));
}

#[test]
fn memory_beyond_the_limit() {
    let grow = |pages: usize| format!("(i32.eq (memory.grow (i32.const {pages})) (i32.const -1))");
    let most = MEMORY_BYTES_MAX / PAGE_BYTES - 1;
    let whole = format!("(if {} (then (unreachable))) {ALLOWED}", grow(most));
    allows("", &whole);
    for pages in [most + 1, 65_535] {
        let body = format!("(if {} (then (unreachable))) {ALLOWED}", grow(pages));
        fails("module-memory-exhausted", "", &body);
    }
    // Page by page, each of them written.
    let body = format!(
        "(loop $again
           (if {} (then (unreachable)))
           (i32.store (i32.mul (i32.sub (memory.size) (i32.const 1)) (i32.const {PAGE_BYTES})) (i32.const -1))
           (br $again)) (unreachable)",
        grow(1)
    );
    fails("module-memory-exhausted", "", &body);
}

#[test]
fn a_table_beyond_the_limit() {
    let grow = |elements: usize| {
        format!(
            "(if (i32.eq (table.grow $t (ref.null func) (i32.const {elements})) (i32.const -1)) (then (unreachable))) {ALLOWED}"
        )
    };
    let table = "(table $t 1 funcref)";
    allows(table, &grow(TABLE_ELEMENTS_MAX - 1));
    fails("module-memory-exhausted", table, &grow(TABLE_ELEMENTS_MAX));
}

#[test]
fn an_answer_beyond_the_limit() {
    // A byte of each is spent on the fields around the text.
    let text = |bytes: usize| {
        let pages = bytes / PAGE_BYTES + 1;
        format!(
            "(drop (memory.grow (i32.const {pages})))
             (memory.fill (i32.const {PAGE_BYTES}) (i32.const 120) (i32.const {bytes}))
             (call $say (i32.const {PAGE_BYTES}) (i32.const {bytes}))"
        )
    };
    let most = OUTPUT_BYTES_MAX - 1024;
    assert_eq!(Wicked::evaluating(&text(most)).load().told(), most);
    fails("module-output-too-large", "", &text(OUTPUT_BYTES_MAX + 1));
    // One text, a hundred thousand times: little memory there, and no end of it here.
    let amplified = format!(
        "(drop (memory.grow (i32.const 128)))
         (memory.fill (i32.const {FREE}) (i32.const 120) (i32.const 30000))
         (local.set $i (i32.const {PAGE_BYTES}))
         (loop $again
           (i32.store (local.get $i) (i32.const {FREE}))
           (i32.store offset=4 (local.get $i) (i32.const 5))
           (i32.store offset=24 (local.get $i) (i32.const {FREE}))
           (i32.store offset=28 (local.get $i) (i32.const 30000))
           (local.set $i (i32.add (local.get $i) (i32.const 64)))
           (local.set $j (i32.add (local.get $j) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $j) (i32.const 100000))))
         (i32.store (i32.const 516) (i32.const {PAGE_BYTES}))
         (i32.store (i32.const 520) (i32.const 100000)) {ALLOWED}"
    );
    fails("module-output-too-large", "", &amplified);
}

#[test]
fn a_log_line_beyond_the_limit() {
    let line = |bytes: usize| {
        format!(
            "(drop (memory.grow (i32.const 256)))
             (call $log (i32.const 2) (i32.const {PAGE_BYTES}) (i32.const {bytes})) {ALLOWED}"
        )
    };
    allows("", &line(1000));
    fails("module-output-too-large", "", &line(OUTPUT_BYTES_MAX * 2));
}

#[test]
fn log_lines_without_end_cost_the_host_no_more_time_than_a_call_has() {
    // Megabytes a line: cheap for the module's fuel, dear for the host.
    let body = format!(
        "(drop (memory.grow (i32.const 64)))
         (loop $again (call $log (i32.const 0) (i32.const {PAGE_BYTES}) (i32.const 3000000)) (br $again))
         (unreachable)"
    );
    let wicked = Wicked::evaluating(&body).load();
    let began = Instant::now();
    let code = wicked.failure();
    assert!(["module-deadline-exceeded", "module-fuel-exhausted"].contains(&code), "{code}");
    assert!(began.elapsed() < twice_the_deadline(), "{:?}", began.elapsed());
}

#[test]
fn a_trap_half_way() {
    let said = "(call $log (i32.const 0) (i32.const 1024) (i32.const 6)) (drop (call $tell (i32.const 9)))";
    fails("module-trapped", "", &format!("{said} (unreachable)"));
    fails("module-trapped", "", &format!("{said} (i32.div_u (i32.const 1) (local.get $i))"));
    fails("module-trapped", "", &format!("{said} (i32.load (i32.const 65536))"));
    fails(
        "module-trapped",
        "(table $t 1 funcref)",
        &format!("{said} (call_indirect (result i32) (i32.const 0))"),
    );
    // After the answer, in what cleans up behind it.
    for (body, code) in
        [("(unreachable)", "module-trapped"), ("(loop $again (br $again))", "module-fuel-exhausted")]
    {
        let after =
            format!(r#"(func (export "cabi_post_niyam:rules/policy@0.1.0#evaluate") (param i32) {body})"#);
        fails(code, &after, ALLOWED);
    }
}

#[test]
fn memory_that_the_host_asks_for_and_does_not_get() {
    for (realloc, code) in [
        ("(unreachable)", "module-trapped"),
        ("(loop $again (br $again)) (unreachable)", "module-fuel-exhausted"),
        ("(i32.const 65535)", "module-output-invalid"),
        ("(i32.const -16)", "module-output-invalid"),
        ("(i32.add (local.get $align) (i32.const 1))", "module-output-invalid"),
        ("(call $log (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 4096)", "module-trapped"),
    ] {
        let wicked = Wicked { realloc: realloc.to_owned(), ..Wicked::evaluating(ALLOWED) }.load();
        let found = wicked.failure();
        // A single byte needs no alignment, so an odd place may do for it.
        assert_eq!(found, code, "{realloc}: {}", wicked.evaluate().unwrap_err());
    }
}

#[test]
fn a_number_that_is_none_has_one_form() {
    for (made, bits) in [
        ("(f64.div (f64.const 0) (f64.const 0))", "9221120237041090560"),
        ("(f64.add (f64.const nan:0x4000000000123) (f64.const 1))", "9221120237041090560"),
        ("(f64.sqrt (f64.neg (f64.const nan:0x7ffffffffffff)))", "9221120237041090560"),
        ("(f64.promote_f32 (f32.mul (f32.const -nan:0x200001) (f32.const 1)))", "9221120237041090560"),
    ] {
        let body = format!(
            "(if (i64.ne (i64.reinterpret_f64 {made}) (i64.const {bits})) (then (unreachable))) {ALLOWED}"
        );
        allows("", &body);
    }
}

#[test]
fn an_answer_that_breaks_the_contract() {
    let byte = |at: usize, byte: u8| format!("(i32.store8 (i32.const {at}) (i32.const {byte}))");
    for body in [
        // Not UTF-8: a lone continuation, an overlong form, a surrogate.
        format!("{} (call $say (i32.const {FREE}) (i32.const 1))", byte(FREE, 0x80)),
        format!("{} {} (call $say (i32.const {FREE}) (i32.const 2))", byte(FREE, 0xc0), byte(FREE + 1, 0xaf)),
        format!(
            "{} {} {} (call $say (i32.const {FREE}) (i32.const 3))",
            byte(FREE, 0xed),
            byte(FREE + 1, 0xa0),
            byte(FREE + 2, 0x80)
        ),
        // Beyond the memory, and around its end.
        "(call $say (i32.const 65530) (i32.const 7))".to_owned(),
        "(call $say (i32.const -4) (i32.const 8))".to_owned(),
        "(call $say (i32.const 0) (i32.const -1))".to_owned(),
        "(i32.const 65532)".to_owned(),
        "(i32.const 514)".to_owned(),
        // No such case, a list that is not aligned, a list without end.
        format!("{} {ALLOWED}", byte(512, 9)),
        "(i32.store (i32.const 516) (i32.const 1025)) (i32.store (i32.const 520) (i32.const 1)) (i32.const 512)"
            .to_owned(),
        "(i32.store (i32.const 520) (i32.const -1)) (i32.const 512)".to_owned(),
        "(call $say (i32.const 2048) (i32.const 0))".to_owned(),
    ] {
        fails("module-output-invalid", "", &body);
    }
    // The same of a line of the log.
    let line =
        format!("{} (call $log (i32.const 0) (i32.const {FREE}) (i32.const 1)) {ALLOWED}", byte(FREE, 0xff));
    fails("module-output-invalid", "", &line);
    fails(
        "module-output-invalid",
        "",
        &format!("(call $log (i32.const 7) (i32.const 0) (i32.const 0)) {ALLOWED}"),
    );
}

#[test]
fn a_manifest_that_is_none_is_refused_with_its_reason() {
    let describing = |describe: &str| Wicked { describe: describe.to_owned(), ..Wicked::evaluating(ALLOWED) };
    for (describe, code) in [
        ("(unreachable)", "module-trapped"),
        ("(loop $again (br $again)) (unreachable)", "module-fuel-exhausted"),
        ("(call $evaluate (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))", "manifest-invalid"),
        ("(i32.const 65536)", "module-output-invalid"),
        // An id in capitals, a version of another kind, a title without end.
        ("(i32.store8 (i32.const 1024) (i32.const 65)) (i32.const 64)", "manifest-invalid"),
        ("(i32.store (i32.const 76) (i32.const 65)) (i32.const 64)", "manifest-invalid"),
        ("(i32.store (i32.const 76) (i32.const 0)) (i32.const 64)", "manifest-invalid"),
        ("(i32.store (i32.const 84) (i32.const 257)) (i32.const 64)", "manifest-invalid"),
        ("(i32.store8 (i32.const 1025) (i32.const 255)) (i32.const 64)", "module-output-invalid"),
    ] {
        assert_eq!(describing(describe).refused().code(), code, "{describe}");
    }
    for schema in [
        "",
        "{",
        "[]",
        r#"{"type":7}"#,
        r##"{"$ref":"#"}"##,
        r#"{"$ref":"file:///etc/passwd"}"#,
        r#"{"required":["a"]}"#,
    ] {
        let wicked = Wicked { schema: schema.to_owned(), ..Wicked::evaluating(ALLOWED) };
        let refused = wicked.refused();
        assert!(matches!(refused, LoadError::ManifestInvalid(_)), "{schema}: {refused}");
    }
}

#[test]
fn what_a_module_held_comes_back() {
    // Every page of the machine's, since what is not touched is not there.
    let body = format!(
        "(drop (memory.grow (i32.const 900)))
         (loop $again
           (local.set $i (i32.add (local.get $i) (i32.const 4096)))
           (i32.store (local.get $i) (i32.const -1))
           (br_if $again (i32.lt_u (local.get $i) (i32.const {}))))
         (unreachable)",
        900 * PAGE_BYTES
    );
    let wicked = Wicked::evaluating(&body).load();
    let asked = |times| (0..times).for_each(|_| assert_eq!(wicked.failure(), "module-trapped"));
    asked(4);
    let before = resident_bytes();
    asked(60);
    // Each of them held 56 MiB: 3.3 GiB, had it not come back.
    let kept = resident_bytes().saturating_sub(before);
    assert!(kept < 256 << 20, "{kept}");
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() << 10
}
