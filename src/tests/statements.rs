//! Every text of a statement in the sources, with how often it is bound. That each is bound with one Rust
//! type for each parameter is looked at wherever a test runs it (`server/db/types.rs`).

use super::app::TestApp;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use syn::{
    Expr, ExprCall, ExprMethodCall, Lit,
    visit::{self, Visit},
};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// The texts of statements, each with the number of its parameters and the times that it is bound.
#[derive(Default)]
struct Statements(BTreeMap<(String, usize), usize>);

/// The text that a call of `query`, `query_as` or `query_scalar` is given.
fn text(call: &ExprCall) -> Option<String> {
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    let name = function.path.segments.last()?.ident.to_string();
    if !["query", "query_as", "query_scalar"].contains(&name.as_str()) {
        return None;
    }
    match call.args.first()? {
        Expr::Lit(text) => match &text.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// The highest of the parameters `$1`, `$2` and so on.
fn parameters(text: &str) -> usize {
    let numbers = text.split('$').skip(1).filter_map(|rest| {
        let end = rest.find(|it: char| !it.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse().ok()
    });
    numbers.max().unwrap_or(0)
}

impl<'ast> Visit<'ast> for Statements {
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let (mut binds, mut receiver) = (usize::from(call.method == "bind"), &*call.receiver);
        while let Expr::MethodCall(inner) = receiver {
            binds += usize::from(inner.method == "bind");
            receiver = &inner.receiver;
        }
        if let Expr::Call(root) = receiver
            && let Some(text) = text(root)
        {
            let parameters = parameters(&text);
            let most = self.0.entry((text, parameters)).or_default();
            *most = binds.max(*most);
        }
        visit::visit_expr_method_call(self, call);
    }
}

#[test]
fn every_statement_names_its_columns_and_is_bound_as_often_as_it_has_parameters() {
    let mut files = Vec::new();
    sources(Path::new("src/server"), &mut files);
    let mut statements = Statements::default();
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        for stars in ["SELECT *", "RETURNING *", "SELECT s.*", "SELECT u.*"] {
            // A migration of another node would change what it comes to.
            assert!(!source.contains(stars), "{}: {stars}", file.display());
        }
        statements.visit_file(&syn::parse_file(&source).unwrap());
    }
    assert!(statements.0.len() > 60, "{}", statements.0.len());
    for ((text, parameters), binds) in &statements.0 {
        assert_eq!(parameters, binds, "{text}");
    }
}

#[tokio::test]
async fn one_text_bound_with_two_types_is_an_error() {
    let app = TestApp::new().await;
    let text = "SELECT CAST($1 AS BIGINT)";
    let bound = sqlx::query(text).bind(1_i64).execute(app.state.db.pool());
    bound.await.unwrap();
    let without_value = sqlx::query(text).bind(None::<i64>);
    without_value.execute(app.state.db.pool()).await.unwrap();
    let again = sqlx::query(text).bind(1_i32).execute(app.state.db.pool());
    let error = again.await.unwrap_err().to_string();
    assert!(error.contains("BigInt and Integer"), "{error}");
}
