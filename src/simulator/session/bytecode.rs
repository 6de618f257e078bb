//! A scenario's text becomes bytecode once; every session loads that. Parsing is most of what a
//! session would cost otherwise.

use std::ffi::CString;

use rquickjs::{Context, Ctx, Runtime, Value, qjs};

/// Compiled text. Line numbers survive; the source does not.
#[derive(Debug)]
pub struct Bytecode(Vec<u8>);

/// Why a text is no script: the engine's message with its line.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct CompileError(pub String);

/// Compiles a classic script: neither `import` nor top-level `await` is understood, as on the platform.
pub fn compile(source: &str, name: &str) -> Result<Bytecode, CompileError> {
    let engine = |error: rquickjs::Error| CompileError(error.to_string());
    let runtime = Runtime::new().map_err(engine)?;
    let context = Context::full(&runtime).map_err(engine)?;
    let text = CString::new(source).map_err(|_| CompileError("the text holds a zero byte".to_owned()))?;
    let name = CString::new(name).unwrap_or_default();
    context.with(|ctx| {
        let raw = ctx.as_raw().as_ptr();
        let flags = (qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY) as i32;
        // SAFETY: the context is alive and locked by `with`; text and name end with a zero and outlive
        // the call; the value it returns is owned here and freed by `Value`.
        let value = unsafe {
            let length = text.as_bytes().len();
            let value = qjs::JS_Eval(raw, text.as_ptr(), length as _, name.as_ptr(), flags);
            Value::from_raw(ctx.clone(), value)
        };
        if is_exception(&value) {
            return Err(CompileError(describe(&ctx.catch())));
        }
        let mut length = 0;
        let flags = (qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE) as i32;
        // SAFETY: `value` is a compiled function of this context; the buffer is the engine's, copied
        // before it is given back.
        let bytes = unsafe {
            let buffer = qjs::JS_WriteObject(raw, &mut length, value.as_raw(), flags);
            if buffer.is_null() {
                return Err(CompileError("the engine could not write the script".to_owned()));
            }
            let bytes = std::slice::from_raw_parts(buffer, length as usize).to_vec();
            qjs::js_free(raw, buffer.cast());
            bytes
        };
        Ok(Bytecode(bytes))
    })
}

/// Runs compiled text in a context; the value is what the script's last expression gives.
pub fn run<'js>(ctx: &Ctx<'js>, code: &Bytecode) -> Result<Value<'js>, Value<'js>> {
    let raw = ctx.as_raw().as_ptr();
    // SAFETY: the bytes were written by this same engine in `compile`, never read from outside;
    // `JS_EvalFunction` takes the function over, and its result is owned by the returned `Value`.
    let value = unsafe {
        let function = qjs::JS_ReadObject(raw, code.0.as_ptr(), code.0.len() as _, qjs::JS_READ_OBJ_BYTECODE as i32);
        if qjs::JS_IsException(function) {
            return Err(ctx.catch());
        }
        Value::from_raw(ctx.clone(), qjs::JS_EvalFunction(raw, function))
    };
    if is_exception(&value) { Err(ctx.catch()) } else { Ok(value) }
}

fn is_exception(value: &Value<'_>) -> bool {
    // SAFETY: only the value's tag is looked at.
    unsafe { qjs::JS_IsException(value.as_raw()) }
}

/// What was thrown, in words: class, message and where. `Display` of an error would call every class
/// `Error`.
pub fn describe(thrown: &Value<'_>) -> String {
    let Some(object) = thrown.as_object() else {
        return match thrown.as_string().and_then(|text| text.to_string().ok()) {
            Some(text) => format!("thrown: {text}"),
            None => format!("thrown: {thrown:?}"),
        };
    };
    let text = |name: &str| object.get::<_, Option<String>>(name).ok().flatten().unwrap_or_default();
    let (name, message, stack) = (text("name"), text("message"), text("stack"));
    let place: Vec<&str> = stack.lines().map(str::trim).filter(|line| !line.is_empty()).take(6).collect();
    format!("{name}: {message} {}", place.join(" < ")).trim_end().to_owned()
}
