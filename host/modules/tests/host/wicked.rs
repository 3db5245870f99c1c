//! Components by hand: policies whose core module is WebAssembly text, so that they can do what Rust cannot say.

use std::sync::{Arc, OnceLock};

use niyam_modules::{Decided, LoadError, Module, ModuleFailure, ModuleHost};
use niyam_values::policy::{Request, Ruling};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

/// The parts of a policy that a test may replace.
pub struct Wicked {
    /// Imports besides the contract's.
    pub imports: &'static str,
    /// Whatever a module may hold besides.
    pub fields: String,
    /// The body of `describe`: where the manifest lies.
    pub describe: String,
    /// The body of `cabi_realloc`: where `$size` bytes lie.
    pub realloc: String,
    /// The body of `evaluate`: where the ruling lies.
    pub evaluate: String,
    /// Another manifest's configuration schema.
    pub schema: String,
    pub world: &'static str,
}

/// Hands memory out upwards, and traps once it is at the end of what there is.
const BUMP: &str = "
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))) (then (unreachable)))
    (local.get $at)";

/// Where the text lies that [`ALLOWED`] and `$say` leave alone: page 0 from here on is free.
pub const FREE: usize = 32_768;

/// A ruling that allows, without a finding.
pub const ALLOWED: &str = "(i32.const 512)";

impl Wicked {
    /// Does `body` when it is asked for a ruling.
    pub fn evaluating(body: &str) -> Self {
        Self {
            imports: "",
            fields: String::new(),
            describe: "(i32.const 64)".to_owned(),
            realloc: BUMP.to_owned(),
            evaluate: body.to_owned(),
            schema: "{}".to_owned(),
            world: "policy-module",
        }
    }

    pub fn with_fields(self, fields: &str) -> Self {
        Self { fields: fields.to_owned(), ..self }
    }

    /// The core module. `$say` gives a ruling that needs approval for the reason at `$at`, `$tell` for one of as many
    /// letters as its number says.
    pub fn core(&self) -> String {
        let Self { imports, fields, describe, realloc, evaluate, schema, .. } = self;
        let length = schema.len();
        let schema = schema.bytes().fold(String::new(), |text, byte| format!("{text}\\{byte:02x}"));
        let length = format!("\\{:02x}\\{:02x}\\00\\00", length & 0xff, length >> 8);
        format!(
            r#"(module
              (import "niyam:rules/context@0.1.0" "config" (func $config (param i32)))
              (import "niyam:rules/context@0.1.0" "log" (func $log (param i32 i32 i32)))
              {imports}
              (memory (export "memory") 1)
              (global $next (mut i32) (i32.const 16384))
              (data (i32.const 64)
                "\00\04\00\00\06\00\00\00" "\06\04\00\00\05\00\00\00" "\00\04\00\00\06\00\00\00"
                "\00\00\00\00\00\00\00\00" "\00\20\00\00{length}" "\0b\04\00\00\02\00\00\00")
              (data (i32.const 1024) "wicked1.0.0{{}}")
              (data (i32.const 8192) "{schema}")
              (func $say (param $at i32) (param $length i32) (result i32)
                (i32.store8 (i32.const 512) (i32.const 2))
                (i32.store (i32.const 516) (local.get $at))
                (i32.store (i32.const 520) (local.get $length))
                (i32.const 512))
              (func $tell (param $number i32) (result i32)
                (memory.fill (i32.const 2048) (i32.const 120) (local.get $number))
                (call $say (i32.const 2048) (local.get $number)))
              (func (export "cabi_realloc")
                (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32) {realloc})
              (func (export "niyam:rules/module@0.1.0#describe") (result i32) {describe})
              (func $evaluate (export "niyam:rules/policy@0.1.0#evaluate")
                (param $command i32) (param $command_length i32) (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
                (local $i i32) (local $j i32) {evaluate})
              {fields})"#
        )
    }

    pub fn component(&self) -> Vec<u8> {
        encode(wat::parse_str(self.core()).unwrap(), self.world).unwrap()
    }

    /// On a host of its own.
    pub fn load(&self) -> Asked {
        Asked::of(&self.component()).unwrap()
    }

    /// The code with which it is refused.
    pub fn refused(&self) -> LoadError {
        match Asked::of(&self.component()) {
            Ok(_) => panic!("it was taken in"),
            Err(error) => error,
        }
    }
}

/// The component of a core module, of a world of the contract or of one that the tests know.
pub fn encode(mut core: Vec<u8>, world: &str) -> Result<Vec<u8>, String> {
    let (contract, worlds) = contract();
    let world = worlds.iter().find(|(name, _)| name == world).expect("a world that is known").1;
    embed_component_metadata(&mut core, contract, world, StringEncoding::UTF8, false)
        .and_then(|()| ComponentEncoder::default().module(&core)?.validate(false).encode())
        .map_err(|error| format!("{error:#}"))
}

/// A policy that also has a resource of its own, which the contract does not ask for.
const HOARDING: &str = "
    package tests:wicked;
    interface box { resource thing { constructor(); } }
    world hoarding { include niyam:rules/policy-module@0.1.0; export box; }";

type Worlds = Vec<(String, WorldId)>;

fn contract() -> &'static (Resolve, Worlds) {
    static CONTRACT: OnceLock<(Resolve, Worlds)> = OnceLock::new();
    CONTRACT.get_or_init(|| {
        let mut resolve = Resolve::default();
        resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
        resolve.push_str("wicked.wit", HOARDING).unwrap();
        let worlds = resolve.worlds.iter().map(|(id, world)| (world.name.clone(), id)).collect();
        (resolve, worlds)
    })
}

/// A policy that was taken in.
pub struct Asked {
    pub host: ModuleHost,
    pub module: Arc<Module>,
    _folder: tempfile::TempDir,
}

impl Asked {
    pub fn of(component: &[u8]) -> Result<Self, LoadError> {
        let folder = tempfile::tempdir().unwrap();
        let host = ModuleHost::new(folder.path().to_owned())?;
        let module = host.load(component)?;
        Ok(Self { host, module, _folder: folder })
    }

    pub fn evaluate(&self) -> Result<Decided<Ruling>, ModuleFailure> {
        self.module.evaluate("{}", &request())
    }

    /// The code of its failure, which names the module.
    pub fn failure(&self) -> &'static str {
        let failure = self.evaluate().expect_err("it misbehaves");
        assert_eq!(failure.module().id, "wicked");
        assert!(failure.to_string().contains("wicked"), "{failure}");
        failure.code()
    }

    /// The number that its ruling tells.
    pub fn told(&self) -> usize {
        match self.evaluate().unwrap().answer {
            Ruling::NeedsApproval(reason) => reason.len(),
            other => panic!("{other:?}"),
        }
    }
}

pub fn request() -> Request {
    Request {
        command: "issue-invoice".to_owned(),
        aggregate: "invoice-1".to_owned(),
        body_json: r#"{"amount":"1.00"}"#.to_owned(),
        user: "rahima".to_owned(),
        roles: vec!["accountant".to_owned()],
    }
}
