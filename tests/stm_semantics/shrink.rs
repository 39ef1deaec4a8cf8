//! Programs that are a little smaller than one that failed, those first that are smaller by more.

use super::program::{Block, MapStep, Operand, Statement};

/// Threads of which one is gone, or smaller.
pub(crate) fn smaller_threads(threads: &[Vec<Block>]) -> Vec<Vec<Vec<Block>>> {
    let mut smaller = without_one(threads);
    smaller.extend(each_in_place(threads, |thread| smaller_list(thread)));
    smaller
}

/// Transactions of which one is gone, or smaller.
pub(crate) fn smaller_list(transactions: &[Block]) -> Vec<Vec<Block>> {
    let mut smaller = without_one(transactions);
    smaller.extend(each_in_place(transactions, smaller_blocks));
    smaller
}

fn smaller_blocks(block: &Block) -> Vec<Block> {
    let mut smaller = Vec::new();
    if block.len() > 3 {
        let (first, second) = block.split_at(block.len() / 2);
        smaller.extend([first.to_vec(), second.to_vec()]);
    }
    smaller.extend(without_one(block));
    for at in 0..block.len() {
        for part in block[at].parts() {
            smaller.push([&block[..at], part, &block[at + 1..]].concat());
        }
    }
    smaller.extend(each_in_place(block, smaller_statements));
    smaller
}

fn smaller_statements(statement: &Statement) -> Vec<Statement> {
    let mut smaller = Vec::new();
    for (n, part) in statement.parts().into_iter().enumerate() {
        smaller.extend(smaller_blocks(part).into_iter().map(|part| statement.with_part(n, part)));
    }
    smaller.extend(with_a_number(statement));
    smaller
}

/// The statement with a number as its operand, when it is something else.
fn with_a_number(statement: &Statement) -> Option<Statement> {
    let mut statement = statement.clone();
    let operand = match &mut statement {
        Statement::Write(_, operand)
        | Statement::Replace(_, operand)
        | Statement::New(operand)
        | Statement::Singleton(_, operand)
        | Statement::Throw(operand)
        | Statement::OnMap(_, MapStep::Insert(_, operand) | MapStep::Replace(_, operand)) => {
            operand
        }
        _ => return None,
    };
    if matches!(operand, Operand::Int(_)) {
        return None;
    }
    *operand = Operand::Int(1);
    Some(statement)
}

fn without_one<T: Clone>(list: &[T]) -> Vec<Vec<T>> {
    let without = |at| [&list[..at], &list[at + 1..]].concat();
    (0..list.len()).map(without).collect()
}

/// The list with each one of its elements made smaller in each way.
fn each_in_place<T: Clone>(list: &[T], smaller: impl Fn(&T) -> Vec<T>) -> Vec<Vec<T>> {
    let with = |at: usize, element| [&list[..at], &[element], &list[at + 1..]].concat();
    let at = |at| smaller(&list[at]).into_iter().map(move |element| (at, element));
    (0..list.len()).flat_map(at).map(|(at, element)| with(at, element)).collect()
}
