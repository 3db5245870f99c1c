//! A loaded module, and its calls of the worlds `tax-module` and `compliance-module`.

use niyam_domain::{Decision, ModuleRef, World};
use niyam_values::{
    Date, Determination, Document, Finding, FiscalPeriod, Form, IssueFacts, IssuePlan, Manifest,
};
use serde::Serialize;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::bindings::exports::niyam::rules::compliance;
use crate::call::Call;
use crate::check;
use crate::digest::{digest_hex, digest_json};
use crate::engine::Class;
use crate::error::{LoadError, ModuleFailure};
use crate::interfaces::Interfaces;
use crate::lift::Lift;
use crate::limits::CONTRACT;
use crate::lower::{self, DocumentParts, TaxesParts};
use crate::sandbox::{Sandbox, Watch};
use crate::schema;

/// A module's refusal: what it found wrong.
pub type Findings = Vec<Finding>;

/// An answer with the proof of where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided<T> {
    /// What the module said.
    pub answer: T,
    /// Who said it, of what, at which cost.
    pub decision: Decision,
}

/// A component that was checked and may be called.
pub struct Module {
    reference: ModuleRef,
    manifest: Manifest,
    config_schema: jsonschema::Validator,
    instance_pre: InstancePre<Sandbox>,
    class: Class,
    watch: Option<Watch>,
    pub(crate) interfaces: Interfaces,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.reference.fmt(formatter)
    }
}

impl Module {
    /// Checks the types of what it exports, and reads what it says of itself: its first, trial call.
    pub(crate) fn describe(
        instance_pre: InstancePre<Sandbox>,
        class: Class,
        watch: Option<Watch>,
        digest: String,
    ) -> Result<Self, LoadError> {
        let interfaces = Interfaces::of(&instance_pre)?;
        let unnamed = ModuleRef { id: "unnamed".to_owned(), version: String::new(), digest };
        let fuel = class.fuel(0);
        let call = Call { module: &unnamed, instance_pre: &instance_pre, config: "{}", fuel, watch: None };
        let (typed, _) = call.run(|store, instance| Ok(interfaces.check_types(store, instance)))?;
        typed?;
        let (manifest, _) =
            call.run(|store, instance| interfaces.module.load(&mut *store, instance)?.call_describe(store))?;
        let manifest = manifest.lift().map_err(LoadError::ManifestInvalid)?;
        check::manifest(&manifest).map_err(LoadError::ManifestInvalid)?;
        let config_schema = schema::of(&manifest).map_err(LoadError::ManifestInvalid)?;
        let reference = ModuleRef { id: manifest.id.clone(), version: manifest.version.clone(), ..unnamed };
        Ok(Self { reference, manifest, config_schema, instance_pre, class, watch, interfaces })
    }

    /// Its name, version and digest.
    #[must_use]
    pub fn reference(&self) -> &ModuleRef {
        &self.reference
    }

    /// What it says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it may use.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// The world that it exports.
    #[must_use]
    pub fn world(&self) -> World {
        match &self.interfaces {
            Interfaces { compliance: Some(_), .. } => World::ComplianceModule,
            Interfaces { policy: Some(_), .. } => World::PolicyModule,
            Interfaces { workflow: Some(_), .. } => World::WorkflowModule,
            _ => World::TaxModule,
        }
    }

    /// Whether it is of world `compliance-module`.
    #[must_use]
    pub fn is_compliance_pack(&self) -> bool {
        self.interfaces.compliance.is_some()
    }

    /// Whether it says what tax a document bears.
    #[must_use]
    pub fn determines_taxes(&self) -> bool {
        self.interfaces.tax.is_some()
    }

    /// Checks a tenant's configuration against the module's schema, and gives its canonical text.
    ///
    /// # Errors
    /// A finding for each thing that does not fit, with its place.
    pub fn check_config(&self, config: &str) -> Result<String, Findings> {
        let value: serde_json::Value = serde_json::from_str(config)
            .map_err(|error| vec![Finding::error("config-malformed", format!("not JSON: {error}"))])?;
        let findings: Findings = self
            .config_schema
            .iter_errors(&value)
            .map(|error| {
                Finding::error("config-invalid", error.to_string()).at(error.instance_path().to_string())
            })
            .collect();
        if findings.is_empty() { Ok(value.to_string()) } else { Err(findings) }
    }

    /// What tax `document` bears.
    ///
    /// # Errors
    /// When the module does not answer, or breaks the contract. Its refusal is an answer.
    pub fn determine(
        &self,
        config: &str,
        document: &Document,
    ) -> Result<Decided<Result<Determination, Findings>>, ModuleFailure> {
        let fuel = self.fuel_for(document);
        let (answer, used) = self.determine_unproved(config, document, fuel)?;
        Ok(self.decided("determine", config, &(document,), answer, used))
    }

    /// [`Self::determine`] without the proof: what a simulation needs, and what the proof's cost is measured against.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn determine_unproved(
        &self,
        config: &str,
        document: &Document,
        fuel: u64,
    ) -> Result<(Result<Determination, Findings>, u64), ModuleFailure> {
        let parts = DocumentParts::new(document);
        let lines = parts.lines();
        let tax = self.interfaces.tax.as_ref();
        let (answer, used) = self.call("determine", tax, config, fuel, |tax, store, instance| {
            tax.load(&mut *store, instance)?.call_determine(store, parts.document(&lines))
        })?;
        let answer = self.lift_answer(answer)?;
        if let Ok(taxes) = &answer {
            self.must(check::determination(taxes, document))?;
        }
        Ok((answer, used))
    }

    /// The normal form of an identifier.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn check_identifier(
        &self,
        config: &str,
        kind: &str,
        value: &str,
    ) -> Result<Decided<Result<String, Findings>>, ModuleFailure> {
        let (answer, used) = self.compliance("check-identifier", config, self.fuel(), |pack, store| {
            pack.call_check_identifier(store, kind, value)
        })?;
        let answer = self.lift_answer(answer)?;
        Ok(self.decided("check-identifier", config, &(kind, value), answer, used))
    }

    /// The tax period that holds `day`.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn fiscal_period_of(&self, config: &str, day: Date) -> Result<Decided<FiscalPeriod>, ModuleFailure> {
        let (answer, used) = self.compliance("fiscal-period-of", config, self.fuel(), |pack, store| {
            pack.call_fiscal_period_of(store, lower::date(day))
        })?;
        let period = self.must(answer.lift())?;
        self.must(if period.starts <= day && day <= period.ends {
            Ok(())
        } else {
            Err("a period that does not hold its day".to_owned())
        })?;
        Ok(self.decided("fiscal-period-of", config, &(day,), period, used))
    }

    /// How `document` is issued on `issued_on`.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn prepare_issue(
        &self,
        config: &str,
        document: &Document,
        taxes: &Determination,
        issued_on: Date,
    ) -> Result<Decided<Result<IssuePlan, Findings>>, ModuleFailure> {
        let (answer, used) = self.prepare_issue_unproved(config, document, taxes, issued_on)?;
        Ok(self.decided("prepare-issue", config, &(document, taxes, issued_on), answer, used))
    }

    /// [`Self::prepare_issue`] without the proof; the answer, and the fuel that it took.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn prepare_issue_unproved(
        &self,
        config: &str,
        document: &Document,
        taxes: &Determination,
        issued_on: Date,
    ) -> Result<(Result<IssuePlan, Findings>, u64), ModuleFailure> {
        let parts = DocumentParts::new(document);
        let lines = parts.lines();
        let tax_parts = TaxesParts::new(taxes);
        let tax_lines = tax_parts.lines();
        let (answer, used) =
            self.compliance("prepare-issue", config, self.fuel_for(document), |pack, store| {
                pack.call_prepare_issue(
                    store,
                    parts.document(&lines),
                    tax_parts.determination(&tax_lines),
                    lower::date(issued_on),
                )
            })?;
        let answer = self.lift_answer(answer)?;
        if let Ok(plan) = &answer {
            self.must(check::issue_plan(plan))?;
        }
        Ok((answer, used))
    }

    /// Codes of the papers that can be drawn for `document`.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn form_codes(
        &self,
        config: &str,
        document: &Document,
    ) -> Result<Decided<Vec<String>>, ModuleFailure> {
        let parts = DocumentParts::new(document);
        let lines = parts.lines();
        let (answer, used) =
            self.compliance("form-codes", config, self.fuel_for(document), |pack, store| {
                pack.call_form_codes(store, parts.document(&lines))
            })?;
        Ok(self.decided("form-codes", config, &(document,), answer, used))
    }

    /// Draws the paper `code` of an issued document.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn draw_form(
        &self,
        config: &str,
        code: &str,
        document: &Document,
        taxes: &Determination,
        facts: &IssueFacts,
    ) -> Result<Decided<Result<Form, Findings>>, ModuleFailure> {
        let parts = DocumentParts::new(document);
        let lines = parts.lines();
        let tax_parts = TaxesParts::new(taxes);
        let tax_lines = tax_parts.lines();
        let attributes = lower::pairs(&facts.attributes);
        let (answer, used) =
            self.compliance("draw-form", config, self.fuel_for(document), |pack, store| {
                pack.call_draw_form(
                    store,
                    code,
                    parts.document(&lines),
                    tax_parts.determination(&tax_lines),
                    lower::issue_facts(facts, &attributes),
                )
            })?;
        let answer = self.lift_answer(answer)?;
        if let Ok(form) = &answer {
            self.must(check::form(form))?;
        }
        Ok(self.decided("draw-form", config, &(code, document, taxes, facts), answer, used))
    }

    /// Fuel of a call that is about no document.
    pub(crate) fn fuel(&self) -> u64 {
        self.class.fuel(0)
    }

    /// The fuel of a call with `document`: base plus so much per line.
    #[must_use]
    pub fn fuel_for(&self, document: &Document) -> u64 {
        self.fuel_for_lines(document.lines.len())
    }

    /// The fuel of a call with so many lines, of one document or of several.
    pub(crate) fn fuel_for_lines(&self, lines: usize) -> u64 {
        self.class.fuel(u64::try_from(lines).unwrap_or(u64::MAX))
    }

    pub(crate) fn compliance<T>(
        &self,
        function: &'static str,
        config: &str,
        fuel: u64,
        ask: impl FnOnce(&compliance::Guest, &mut Store<Sandbox>) -> wasmtime::Result<T>,
    ) -> Result<(T, u64), ModuleFailure> {
        let pack = self.interfaces.compliance.as_ref();
        self.call(function, pack, config, fuel, |pack, store, instance| {
            let pack = pack.load(&mut *store, instance)?;
            ask(&pack, store)
        })
    }

    /// Asks an interface that the component may have, in a fresh instance; the answer, and the fuel that it took.
    pub(crate) fn call<I, T>(
        &self,
        function: &'static str,
        interface: Option<&I>,
        config: &str,
        fuel: u64,
        ask: impl FnOnce(&I, &mut Store<Sandbox>, &Instance) -> wasmtime::Result<T>,
    ) -> Result<(T, u64), ModuleFailure> {
        let Some(interface) = interface else {
            return Err(ModuleFailure::NotOffered { module: self.reference.clone(), function });
        };
        let (module, instance_pre, watch) = (&self.reference, &self.instance_pre, self.watch.as_ref());
        let call = Call { module, instance_pre, config, fuel, watch };
        call.run(|store, instance| ask(interface, store, instance))
    }

    pub(crate) fn lift_answer<T: Lift, F: Lift<Value = Finding>>(
        &self,
        answer: Result<T, Vec<F>>,
    ) -> Result<Result<T::Value, Findings>, ModuleFailure> {
        match answer {
            Ok(value) => self.must(value.lift()).map(Ok),
            Err(findings) => {
                let findings = self.must(findings.lift())?;
                self.must(check::refusal(&findings))?;
                Ok(Err(findings))
            }
        }
    }

    pub(crate) fn must<T>(&self, checked: Result<T, String>) -> Result<T, ModuleFailure> {
        checked.map_err(|reason| ModuleFailure::OutputInvalid { module: self.reference.clone(), reason })
    }

    pub(crate) fn decided<T: Serialize>(
        &self,
        function: &str,
        config: &str,
        input: &impl Serialize,
        answer: T,
        fuel: u64,
    ) -> Decided<T> {
        let decision = Decision {
            function: function.to_owned(),
            module: self.reference.clone(),
            contract: CONTRACT.to_owned(),
            config_digest: digest_hex(config.as_bytes()),
            input_digest: digest_json(input),
            output_digest: digest_json(&answer),
            fuel,
        };
        Decided { answer, decision }
    }
}
