//! One session's JavaScript engine: the platform's globals around a scenario, its limits, and the
//! calls in both directions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rquickjs::{Context, Ctx, Function, JsLifetime, Object, Runtime, Value, qjs};

use crate::simulator::session::bytecode::{self, Bytecode, describe};
use crate::simulator::session::http::HttpResult;
use crate::simulator::session::world::{Delivery, Handle, Life, World};
use crate::simulator::session::{digest, ops};

/// As on the platform.
const MEMORY_MAX: usize = 16 * 1024 * 1024;
/// The engine asks so often in about a second of execution. Counted, not timed: a busy machine must
/// not kill innocent callbacks.
const TICKS_MAX: u32 = 60_000;
/// Promise jobs after one callback; an endless `await` loop never reaches an interrupt.
const JOBS_MAX: u32 = 100_000;

const PRELUDE: &str = concat!(
    "(function (host) {\n",
    include_str!("prelude/core.js"),
    include_str!("prelude/units.js"),
    include_str!("prelude/modules.js"),
    "\n})"
);

/// How far a zone's clocks are ahead of UTC at an instant, in milliseconds; nothing for an unknown zone.
fn local_offset_ms(zone: String, at_ms: f64) -> Option<f64> {
    let zone: chrono_tz::Tz = zone.parse().ok()?;
    let at = chrono::DateTime::from_timestamp_millis(at_ms as i64)?;
    let local = at.with_timezone(&zone).naive_local();
    Some((local - at.naive_utc()).num_milliseconds() as f64)
}

/// The prelude's ways in, kept by the engine itself so that a session may move between threads.
struct Hooks<'js> {
    has: Function<'js>,
    begin: Function<'js>,
    note: Function<'js>,
    invoke: Function<'js>,
    answer: Function<'js>,
    fire: Function<'js>,
    http: Function<'js>,
    settle: Function<'js>,
}

// SAFETY: every field follows the one lifetime parameter, and nothing else is held.
unsafe impl<'js> JsLifetime<'js> for Hooks<'js> {
    type Changed<'to> = Hooks<'to>;
}

pub type Shared = Arc<Mutex<World>>;

pub fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Vm {
    context: Context,
    runtime: Runtime,
    world: Shared,
    ticks: Arc<AtomicU32>,
    rejections: Arc<Mutex<BTreeMap<usize, String>>>,
}

#[derive(Debug, thiserror::Error)]
pub enum VmError {
    #[error("the JavaScript engine could not be made: {0}")]
    Engine(#[from] rquickjs::Error),
    #[error("the platform's globals could not be made: {0}")]
    Prelude(String),
}

impl Vm {
    pub fn new(world: Shared) -> Result<Self, VmError> {
        let runtime = Runtime::new()?;
        runtime.set_memory_limit(MEMORY_MAX);
        let ticks = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&ticks);
        runtime.set_interrupt_handler(Some(Box::new(move || counted.fetch_add(1, Ordering::Relaxed) > TICKS_MAX)));
        let rejections: Arc<Mutex<BTreeMap<usize, String>>> = Arc::default();
        let held = Arc::clone(&rejections);
        // It tells of a rejection at once and takes it back when a handler turns up: a set is kept,
        // and what is left when all jobs have run was caught by nobody.
        runtime.set_host_promise_rejection_tracker(Some(Box::new(move |_, promise, reason, handled| {
            // SAFETY: the pointer serves as a name only.
            let key = unsafe { qjs::JS_VALUE_GET_PTR(promise.as_raw()) as usize };
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            match handled {
                true => held.remove(&key),
                false => held.insert(key, describe(&reason)),
            };
        })));
        let context = Context::full(&runtime)?;
        let vm = Self { context, runtime, world, ticks, rejections };
        vm.context.with(|ctx| vm.furnish(&ctx))?;
        Ok(vm)
    }

    fn furnish(&self, ctx: &Ctx<'_>) -> Result<(), VmError> {
        static COMPILED: OnceLock<Result<Bytecode, bytecode::CompileError>> = OnceLock::new();
        let compiled = COMPILED.get_or_init(|| bytecode::compile(PRELUDE, "platform"));
        let code = compiled.as_ref().map_err(|error| VmError::Prelude(error.to_string()))?;
        let prelude = bytecode::run(ctx, code).map_err(|thrown| VmError::Prelude(describe(&thrown)))?;
        let prelude: Function<'_> = prelude.get()?;
        let hooks: Object<'_> = match prelude.call((self.host(ctx)?,)) {
            Ok(hooks) => hooks,
            Err(_thrown) => return Err(VmError::Prelude(describe(&ctx.catch()))),
        };
        let hooks = Hooks {
            has: hooks.get("has")?,
            begin: hooks.get("begin")?,
            note: hooks.get("note")?,
            invoke: hooks.get("invoke")?,
            answer: hooks.get("answer")?,
            fire: hooks.get("fire")?,
            http: hooks.get("http")?,
            settle: hooks.get("settle")?,
        };
        ctx.store_userdata(hooks).map_err(|_| VmError::Prelude("hooks are in use".to_owned()))?;
        Ok(())
    }

    /// The native side as the prelude sees it.
    fn host<'js>(&self, ctx: &Ctx<'js>) -> Result<Object<'js>, rquickjs::Error> {
        let host = Object::new(ctx.clone())?;
        let thrown = |ctx: &Ctx<'_>, text: &str| rquickjs::Exception::throw_message(ctx, text);
        let world = Arc::clone(&self.world);
        host.set("now", Function::new(ctx.clone(), move || lock(&world).platform_ms())?)?;
        let world = Arc::clone(&self.world);
        host.set("random", Function::new(ctx.clone(), move || lock(&world).random())?)?;
        let world = Arc::clone(&self.world);
        let timer = move |ctx: Ctx<'_>, delay: f64, repeats: bool| {
            lock(&world).timer(delay, repeats).map_err(|text| thrown(&ctx, &text))
        };
        host.set("timer", Function::new(ctx.clone(), timer)?)?;
        let world = Arc::clone(&self.world);
        host.set("untimer", Function::new(ctx.clone(), move |id: u32| lock(&world).cancel_timer(id))?)?;
        let world = Arc::clone(&self.world);
        let http =
            move |ctx: Ctx<'_>, url: String, method: String, headers: String, body: Option<String>, timeout: f64| {
                let headers = serde_json::from_str(&headers).unwrap_or_default();
                lock(&world).request(url, method, headers, body, timeout).map_err(|text| thrown(&ctx, &text))
            };
        host.set("http", Function::new(ctx.clone(), http)?)?;
        let world = Arc::clone(&self.world);
        let log = move |text: String| {
            let world = lock(&world);
            world.record.note(world.now, &text);
        };
        host.set("log", Function::new(ctx.clone(), log)?)?;
        let world = Arc::clone(&self.world);
        let op = move |ctx: Ctx<'_>, name: String, arguments: String| {
            ops::op(&mut lock(&world), &name, &arguments).map_err(|text| thrown(&ctx, &text))
        };
        host.set("op", Function::new(ctx.clone(), op)?)?;
        let world = Arc::clone(&self.world);
        let secret = move |name: String| {
            let world = lock(&world);
            world.platform.secret(world.record.application_id, &name)
        };
        host.set("secret", Function::new(ctx.clone(), secret)?)?;
        host.set("localOffset", Function::new(ctx.clone(), local_offset_ms)?)?;
        let world = Arc::clone(&self.world);
        host.set("customData", Function::new(ctx.clone(), move || lock(&world).record.custom_data.clone())?)?;
        host.set(
            "digest",
            Function::new(ctx.clone(), |kind: String, data: String| digest::hex(&kind, data.as_bytes()))?,
        )?;
        let hmac = |key: String, data: String| digest::hmac_sha256(key.as_bytes(), data.as_bytes());
        host.set("hmac", Function::new(ctx.clone(), hmac)?)?;
        Ok(host)
    }

    /// Loads one script of the rule; they share a global scope, in order.
    pub fn load(&self, code: &Bytecode) -> Result<(), String> {
        self.ticks.store(0, Ordering::Relaxed);
        let ran = self.context.with(|ctx| bytecode::run(&ctx, code).map(drop).map_err(|thrown| describe(&thrown)));
        self.run_jobs();
        ran
    }

    /// Tells the scenario, one listener after the other.
    pub fn deliver(&self, delivery: Delivery) {
        match delivery {
            Delivery::Event { unit, name, data } => {
                let _count = self.event(unit, name, &data, false);
            }
            Delivery::Timer(id) => self.call(|hooks| hooks.fire.call::<_, ()>((id,))),
            Delivery::Http(id, result) => self.http(id, result),
            Delivery::Settle { promise, ok, data } => {
                let data = data.to_string();
                self.call(|hooks| hooks.settle.call::<_, ()>((promise, ok, data)));
            }
        }
    }

    /// An event whose listener's value is an answer: `AppEvents.HttpRequest`.
    pub fn ask(&self, name: &'static str, data: &serde_json::Value) -> Option<String> {
        self.event(0, name, data, true)
    }

    fn event(&self, unit: Handle, name: &'static str, data: &serde_json::Value, answers: bool) -> Option<String> {
        let count = self.context.with(|ctx| {
            let hooks = ctx.userdata::<Hooks<'_>>()?;
            let count: u32 = hooks.has.call((unit, name)).unwrap_or(0);
            let told = match count {
                0 => hooks.note.call::<_, ()>((unit, name)),
                _ => hooks.begin.call::<_, ()>((unit, name, data.to_string())),
            };
            told.is_ok().then_some(count)
        })?;
        let mut answer = None;
        for place in 0..count {
            if answers {
                self.call(|hooks| {
                    answer = Some(hooks.answer.call::<_, String>((place,))?);
                    Ok(())
                });
            } else {
                self.call(|hooks| hooks.invoke.call::<_, Value<'_>>((place,)).map(drop));
            }
        }
        answer
    }

    fn http(&self, id: u32, result: HttpResult) {
        let headers = match result.headers.is_empty() {
            true => String::new(),
            false => serde_json::to_string(&result.headers).unwrap_or_default(),
        };
        let error = result.error.map(str::to_owned);
        self.call(|hooks| hooks.http.call::<_, ()>((id, result.code, result.text, headers, error)));
    }

    /// One callback of the scenario, its promise jobs, and what went wrong in them.
    fn call(&self, run: impl for<'js> FnOnce(&Hooks<'js>) -> Result<(), rquickjs::Error>) {
        self.ticks.store(0, Ordering::Relaxed);
        let fault = self.context.with(|ctx| {
            let hooks = ctx.userdata::<Hooks<'_>>()?;
            match run(&hooks) {
                Ok(()) => None,
                Err(rquickjs::Error::Exception) => Some(describe(&ctx.catch())),
                Err(other) => Some(other.to_string()),
            }
        });
        if let Some(fault) = fault {
            self.complain(&fault);
        }
        self.run_jobs();
    }

    fn run_jobs(&self) {
        let mut jobs = 0;
        while self.runtime.is_job_pending() {
            jobs += 1;
            if jobs > JOBS_MAX {
                let mut world = lock(&self.world);
                world.record.complain(world.now, "a callback does not come to an end: the session is ended");
                world.record.finish_reason("JS session error");
                world.life = Life::Over;
                return;
            }
            self.ticks.store(0, Ordering::Relaxed);
            if let Err(thrown) = self.runtime.execute_pending_job() {
                // A job that throws must not stop the pump.
                let fault = thrown.0.with(|ctx| describe(&ctx.catch()));
                self.complain(&fault);
            }
        }
        let rejected = std::mem::take(&mut *self.rejections.lock().unwrap_or_else(PoisonError::into_inner));
        for fault in rejected.into_values() {
            self.complain(&format!("unhandled rejection: {fault}"));
        }
    }

    fn complain(&self, fault: &str) {
        let world = lock(&self.world);
        world.record.complain(world.now, fault);
    }
}
