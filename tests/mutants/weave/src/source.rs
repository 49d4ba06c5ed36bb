//! One source file with all of its mutants in it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
};

use syn::{BinOp, Expr, ExprBinary, ExprMatch, ExprStruct, ExprUnary, Stmt, spanned::Spanned, visit::Visit};

use crate::mutants::{Genre, Mutant};

type Bytes = Range<usize>;

/// The woven text, and where in it what is.
pub(crate) struct Woven {
    pub(crate) text: String,
    /// The text of each mutant.
    pub(crate) mutants: Vec<(Bytes, u32)>,
    /// What is there while no mutant of a place is on, with the mutants of that place.
    pub(crate) originals: Vec<(Bytes, Vec<u32>)>,
    /// The mutants that have no place here.
    pub(crate) left: Vec<u32>,
}

/// Writes the mutants of a file into it. A mutant's text is the place as it stands with the mutant alone, so that the
/// types, borrows and precedences are those of the file that cargo-mutants would compile.
pub(crate) fn weave(source: &str, mutants: &[(u32, &Mutant)]) -> Result<Woven, syn::Error> {
    let mut places = Places::default();
    places.visit_file(&syn::parse_file(source)?);
    let lines: Vec<usize> =
        std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let offset = |(line, column): (usize, usize)| {
        let start = lines[line - 1];
        source[start..].char_indices().nth(column - 1).map_or(source.len(), |(at, _)| start + at)
    };

    let mut weaver = Weaver::new(source, places.statements);
    for &(number, mutant) in mutants {
        let span = offset(mutant.span.start)..offset(mutant.span.end);
        let replaced = |range: &Bytes| {
            format!(
                "{}{}{}",
                &source[range.start..span.start],
                mutant.replacement,
                &source[span.end..range.end]
            )
        };
        match mutant.genre {
            // What the return type hides must be one type.
            Genre::FnValue if mutant.return_type.contains("impl ") => weaver.woven.left.push(number),
            Genre::FnValue => {
                weaver.values.entry(span.start).or_default().push((number, mutant.replacement.clone()))
            }
            Genre::MatchArmGuard if places.guards.contains(&span.start) => {
                weaver.choices.entry(key(&span)).or_default().push((number, mutant.replacement.clone()));
            }
            _ => match places.expressions.get(&span.start) {
                Some(range) => weaver.choices.entry(key(range)).or_default().push((number, replaced(range))),
                None => weaver.woven.left.push(number),
            },
        }
    }
    weaver.write(0..source.len(), None);
    Ok(weaver.woven)
}

/// Outer ranges before the inner ones that begin where they do.
fn key(range: &Bytes) -> (usize, usize) {
    (range.start, usize::MAX - range.end)
}

struct Weaver<'s> {
    source: &'s str,
    /// Values that functions return at once, by where their bodies begin.
    values: BTreeMap<usize, Vec<(u32, String)>>,
    /// What else an expression may be, by its [`key`].
    choices: BTreeMap<(usize, usize), Vec<(u32, String)>>,
    statements: HashSet<Bytes>,
    woven: Woven,
}

impl<'s> Weaver<'s> {
    fn new(source: &'s str, statements: HashSet<Bytes>) -> Self {
        Self {
            source,
            values: BTreeMap::new(),
            choices: BTreeMap::new(),
            statements,
            woven: Woven {
                text: String::new(),
                mutants: Vec::new(),
                originals: Vec::new(),
                left: Vec::new(),
            },
        }
    }

    /// Writes a range of the source; `within` is the expression that it is, if its choices are written already.
    fn write(&mut self, range: Bytes, within: Option<(usize, usize)>) {
        let mut at = range.start;
        while at < range.end {
            if let Some(values) = self.values.remove(&at) {
                for (number, value) in values {
                    self.choice(number, "return ", &value);
                    self.woven.text.push('\n');
                }
            }
            // The next one in, or behind: inner ones that begin here have greater keys.
            let from =
                within.filter(|within| within.0 == at).map_or((at, 0), |within| (within.0, within.1 + 1));
            let inner = self.choices.range(from..(at + 1, 0)).next().map(|(&key, _)| key);
            if let Some(inner) = inner {
                self.expression(inner);
                at = usize::MAX - inner.1;
                continue;
            }
            let next = at + self.source[at..].chars().next().map_or(1, char::len_utf8);
            self.woven.text.push_str(&self.source[at..next]);
            at = next;
        }
    }

    fn expression(&mut self, key: (usize, usize)) {
        let choices = self.choices[&key].clone();
        let range = key.0..usize::MAX - key.1;
        let (open, close) = if self.statements.contains(&range) { ("", "") } else { ("(", ")") };
        self.woven.text.push_str(open);
        for (number, choice) in &choices {
            self.choice(*number, "", choice);
            self.woven.text.push_str(" else ");
        }
        self.woven.text.push_str("{ ");
        let start = self.woven.text.len();
        self.write(range, Some(key));
        let numbers = choices.iter().map(|&(number, _)| number).collect();
        self.woven.originals.push((start..self.woven.text.len(), numbers));
        self.woven.text.push_str(" }");
        self.woven.text.push_str(close);
    }

    fn choice(&mut self, number: u32, before: &str, choice: &str) {
        let start = self.woven.text.len();
        self.woven.text.push_str(&format!("if crate::mutant::on({number}) {{ {before}{choice} }}"));
        self.woven.mutants.push((start..self.woven.text.len(), number));
    }
}

/// Where in a file mutants can be.
#[derive(Default)]
struct Places {
    /// Expressions by where their operator begins, or the field or the arm that is left out.
    expressions: HashMap<usize, Bytes>,
    /// Where the conditions of arms begin.
    guards: HashSet<usize>,
    /// Operands that operate themselves, without parentheses: the whole that they are part of, because another operator
    /// may bind otherwise, and whether it binds names.
    chains: HashMap<Bytes, (Bytes, bool)>,
    /// Matches that are statements of their own, without a semicolon.
    statements: HashSet<Bytes>,
}

fn bytes(spanned: &impl Spanned) -> Bytes {
    spanned.span().byte_range()
}

/// Whether an expression is a link of a chain that binds names, which cannot stand alone.
fn binds(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(both) => binds(&both.left) || binds(&both.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Places {
    fn visit_stmt(&mut self, node: &'ast Stmt) {
        if let Stmt::Expr(expression @ Expr::Match(_), None) = node {
            self.statements.insert(bytes(expression));
        }
        syn::visit::visit_stmt(self, node);
    }

    fn visit_expr_binary(&mut self, node: &'ast ExprBinary) {
        let own = bytes(node);
        let (whole, binding) = match self.chains.remove(&own) {
            // A comparison in a chain that binds names stands for itself.
            Some((_, true)) if !matches!(node.op, BinOp::And(_) | BinOp::Or(_)) => (own, false),
            Some(outer) => outer,
            None => (own, binds(&node.left) || binds(&node.right)),
        };
        if !binding {
            self.expressions.insert(bytes(&node.op).start, whole.clone());
        }
        for operand in [&node.left, &node.right] {
            if let Expr::Binary(inner) = &**operand {
                self.chains.insert(bytes(inner), (whole.clone(), binding));
            }
        }
        syn::visit::visit_expr_binary(self, node);
    }

    fn visit_expr_unary(&mut self, node: &'ast ExprUnary) {
        self.expressions.insert(bytes(&node.op).start, bytes(node));
        syn::visit::visit_expr_unary(self, node);
    }

    fn visit_expr_struct(&mut self, node: &'ast ExprStruct) {
        for field in &node.fields {
            self.expressions.insert(bytes(field).start, bytes(node));
        }
        syn::visit::visit_expr_struct(self, node);
    }

    fn visit_expr_match(&mut self, node: &'ast ExprMatch) {
        for arm in &node.arms {
            self.expressions.insert(bytes(arm).start, bytes(node));
            if let Some((_, guard)) = arm.guard.as_ref().filter(|(_, guard)| !binds(guard)) {
                self.guards.insert(bytes(guard).start);
            }
        }
        syn::visit::visit_expr_match(self, node);
    }
}
