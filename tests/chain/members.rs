//! Who is at an object all over the chain.

use crate::pond::{chain, client, kermit, seconds, until};

#[test]
fn g11_all_know_all_members_and_those_behind_a_cut_link_are_away() {
    chain(3, async |chain| {
        let (mut frogs, mut handles) = (Vec::new(), Vec::new());
        for hub in 0..3 {
            let (client, _) = client(chain, hub, &format!("frog {hub}"), 7).await;
            handles.push(kermit(&client).await);
            frogs.push(client);
        }
        let count = |at: usize| handles[at].members().count();
        let away = |at: usize| handles[at].members().iter().filter(|it| it.is_away()).count();
        until(|| (0..3).all(|at| count(at) == 3 && away(at) == 0)).await;
        chain.hold(2);
        until(|| away(0) == 1 && away(1) == 1).await;
        assert_eq!(away(2), 0, "who is cut off goes on with what it knew");
        chain.mend(2);
        until(|| away(0) == 0 && away(1) == 0 && away(2) == 0).await;
        frogs[2].close().await;
        until(|| count(0) == 2 && count(1) == 2).await;
        drop(handles.remove(0));
        seconds(1).await;
        assert_eq!(handles[0].members().count(), 1);
    });
}
