//! Whoever shouts is written to first.

use super::{Client, KERMIT, Pond, in_pond, settle};

const LEAVES: usize = 100;

/// Leaves of kermit, in the order in which they joined.
async fn leaves(pond: &mut Pond) -> Vec<Client> {
    let mut leaves = vec![pond.maker(KERMIT, false).await];
    leaves.extend(pond.clients(LEAVES - 1).await);
    for leaf in &mut leaves[1..] {
        leaf.join(KERMIT).await;
        settle().await;
    }
    leaves
}

/// The lines that kermit's batches were written on, in that order, when these have shouted, one
/// behind the other before the hub looks. Each is written one batch, or the lines were more.
async fn written(pond: &mut Pond, leaves: &mut [Client], shouters: &[usize]) -> Vec<usize> {
    let said = pond.book().len();
    for shouter in shouters {
        leaves[*shouter].shout(KERMIT, 1, 64).await;
    }
    settle().await;
    let frames = pond.book().since(said);
    for leaf in leaves {
        assert_eq!(leaf.count(&frames, KERMIT), shouters.len());
    }
    frames.iter().map(|(line, _)| *line).collect()
}

#[test]
fn whoever_shouts_is_written_to_first_whenever_it_joined() {
    in_pond(async |pond| {
        let mut leaves = leaves(pond).await;
        for shouter in [0, LEAVES / 2, LEAVES - 1, 0] {
            let lines = written(pond, &mut leaves, &[shouter]).await;
            assert_eq!((lines[0], lines.len()), (leaves[shouter].line.number, LEAVES));
        }
    });
}

#[test]
fn of_those_who_shout_in_the_same_turn_the_first_is_written_to_first() {
    in_pond(async |pond| {
        let mut leaves = leaves(pond).await;
        for shouters in [[0, 99], [99, 0], [70, 30], [30, 70]] {
            let lines = written(pond, &mut leaves, &shouters).await;
            assert_eq!((lines[0], lines.len()), (leaves[shouters[0]].line.number, LEAVES));
        }
    });
}
