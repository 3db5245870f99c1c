//! What one call leaves behind is not there in the next, nor for another tenant, nor in another module.

use crate::wicked::{ALLOWED, Asked, Wicked, request};

/// Asks again and again, for one tenant and another; the first answer is the only one there is.
fn tells(expected: usize, wicked: &Wicked) {
    let asked = wicked.load();
    for _ in 0..8 {
        assert_eq!(asked.told(), expected, "{}", wicked.evaluate);
        let other = asked.module.evaluate(r#"{"tenant":"other"}"#, &request()).unwrap();
        assert_eq!(other.answer, asked.evaluate().unwrap().answer);
    }
}

#[test]
fn a_global() {
    let body =
        "(global.set $seen (i32.add (global.get $seen) (i32.const 1))) (call $tell (global.get $seen))";
    tells(1, &Wicked::evaluating(body).with_fields("(global $seen (mut i32) (i32.const 0))"));
}

#[test]
fn memory_and_data_that_was_overwritten() {
    for at in [60_000, 65_532] {
        let body = format!(
            "(i32.store (i32.const {at}) (i32.add (i32.load (i32.const {at})) (i32.const 1)))
             (call $tell (i32.load (i32.const {at})))"
        );
        tells(1, &Wicked::evaluating(&body));
    }
    let body = "(i32.store8 (i32.const 60000) (i32.add (i32.load8_u (i32.const 60000)) (i32.const 1)))
                (call $tell (i32.load8_u (i32.const 60000)))";
    tells(8, &Wicked::evaluating(body).with_fields(r#"(data (i32.const 60000) "\07")"#));
}

#[test]
fn memory_that_was_grown() {
    for pages in [1, 8, 300] {
        let last = pages * 65_536 + 65_532;
        let body = format!(
            "(if (i32.ne (memory.grow (i32.const {pages})) (i32.const 1)) (then (unreachable)))
             (i32.store (i32.const {last}) (i32.add (i32.load (i32.const {last})) (i32.const 1)))
             (call $tell (i32.load (i32.const {last})))"
        );
        tells(1, &Wicked::evaluating(&body));
    }
}

#[test]
fn a_table() {
    let body = "(local.set $i (i32.add (ref.is_null (table.get $t (i32.const 3))) (table.size $t)))
                (table.set $t (i32.const 3) (ref.func $tell))
                (drop (table.grow $t (ref.func $tell) (i32.const 5)))
                (call $tell (local.get $i))";
    tells(5, &Wicked::evaluating(body).with_fields("(table $t 4 100 funcref) (elem declare func $tell)"));
}

#[test]
fn a_segment_that_was_dropped() {
    let body = "(memory.init $once (i32.const 60000) (i32.const 0) (i32.const 1)) (data.drop $once)
                (table.init $t $first (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop $first)
                (call $tell (i32.load8_u (i32.const 60000)))";
    let fields = r#"(data $once "\03") (table $t 1 funcref) (elem $first func $tell)"#;
    tells(3, &Wicked::evaluating(body).with_fields(fields));
}

#[test]
fn resources_kept_and_dropped() {
    // Two are kept, the one between them is dropped: in an instance of its own, the next is number 2 each time.
    let body = "(drop (call $new (i32.const 1))) (local.set $i (call $new (i32.const 2)))
                (drop (call $new (i32.const 3))) (call $drop (local.get $i))
                (call $tell (call $new (i32.const 4)))";
    tells(2, &hoarding(body));
    // Without end, they cost the fuel of a call and are gone with it.
    let asked = hoarding("(loop $again (drop (call $new (i32.const 1))) (br $again)) (unreachable)").load();
    let code = asked.failure();
    assert!(["module-fuel-exhausted", "module-output-invalid", "module-trapped"].contains(&code), "{code}");
    assert_eq!(asked.failure(), code);
}

/// A policy with resources of its own, which no world of the contract has.
fn hoarding(body: &str) -> Wicked {
    let imports = r#"
        (import "[export]tests:wicked/box" "[resource-new]thing" (func $new (param i32) (result i32)))
        (import "[export]tests:wicked/box" "[resource-drop]thing" (func $drop (param i32)))"#;
    let constructor =
        r#"(func (export "tests:wicked/box#[constructor]thing") (result i32) (call $new (i32.const 7)))"#;
    Wicked { world: "hoarding", imports, ..Wicked::evaluating(body).with_fields(constructor) }
}

#[test]
fn what_one_module_wrote_another_never_reads() {
    const PAGES: usize = 64;
    let grown =
        format!("(if (i32.eq (memory.grow (i32.const {PAGES})) (i32.const -1)) (then (unreachable)))");
    let end = (PAGES + 1) * 65_536;
    let fill = format!(
        "{grown} (memory.fill (i32.const 40000) (i32.const 170) (i32.const {})) {ALLOWED}",
        end - 40_000
    );
    let scan = format!(
        "{grown} (local.set $i (i32.const 40000))
         (loop $again
           (if (i64.ne (i64.load (local.get $i)) (i64.const 0)) (then (unreachable)))
           (local.set $i (i32.add (local.get $i) (i32.const 8)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const {end})))) {ALLOWED}"
    );
    let writer = Asked::of(&Wicked::evaluating(&fill).component()).unwrap();
    let reader = writer.host.load(&Wicked::evaluating(&scan).component()).unwrap();
    for _ in 0..20 {
        writer.evaluate().unwrap();
        reader.evaluate("{}", &request()).unwrap();
    }
}
