//! No chain is ever a ring.

use std::{collections::BTreeSet, time::Duration};

use actix_multiplex::{
    limits::LINK_DEPTH_MAX,
    link::LinkError,
    testing::{self, Chain},
    wire::Bar,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{task::spawn_local, time::sleep};

use crate::pond::{chain, soon};

#[test]
fn g11_a_ring_is_refused_with_the_path_that_it_would_have() {
    chain(3, async |chain| {
        let ids: Vec<_> = (0..3).map(|hub| chain.at(hub).hub().id()).collect();
        let refused = soon(chain.link(0, 2)).await;
        let Err(LinkError::Barred { why: Bar::Loop { path }, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(path, [ids[0], ids[2], ids[1], ids[0]]);
        let refused = soon(chain.link(1, 0)).await;
        assert!(matches!(refused, Err(LinkError::Linked)), "{refused:?}");
    });
}

#[test]
fn g11_a_hub_is_not_linked_below_itself() {
    chain(1, async |chain| {
        let refused = soon(chain.link(0, 0)).await;
        assert!(
            matches!(&refused, Err(LinkError::Barred { why: Bar::Loop { .. }, .. })),
            "{refused:?}"
        );
    });
}

#[test]
fn g9_a_chain_has_a_bound_from_either_end() {
    testing::chain(1, LINK_DEPTH_MAX + 1, async |chain| {
        for hub in 1..LINK_DEPTH_MAX {
            soon(chain.link(hub, hub - 1)).await.expect("is granted");
        }
        let refused = soon(chain.link(LINK_DEPTH_MAX, LINK_DEPTH_MAX - 1)).await;
        assert!(matches!(&refused, Err(LinkError::Barred { why: Bar::Depth, .. })), "{refused:?}");
        let refused = soon(chain.link(0, LINK_DEPTH_MAX)).await;
        assert!(matches!(&refused, Err(LinkError::Barred { why: Bar::Depth, .. })), "{refused:?}");
    });
}

#[test]
fn g11_hubs_that_race_to_be_linked_in_rings_make_none() {
    let seeds = crate::trees::number("SEEDS").unwrap_or(500);
    let first = crate::trees::number("SEED").unwrap_or(0);
    let (mut granted, mut refused) = (0, 0);
    for seed in first..first + seeds {
        let hubs = 3 + (seed % 5) as usize;
        let links = testing::chain(seed, hubs, async |chain| race(chain, seed).await);
        assert!(links < hubs, "seed {seed}: {links} links of {hubs} hubs");
        granted += links;
        refused += hubs - links;
    }
    eprintln!("{seeds} rings: {granted} links granted, {refused} refused");
}

/// Every hub asks to be below the next one, all at about the same time, while links are cut. Returns
/// how many were granted.
async fn race(chain: &Chain, seed: u64) -> usize {
    let mut random = StdRng::seed_from_u64(seed);
    let hubs = chain.hubs();
    for below in 0..hubs {
        let above = (below + 1) % hubs;
        let delay = Duration::from_millis(random.random_range(0..30));
        chain.at(above).network().delay(&format!("hub {below}"), delay);
        let asking = chain.start_link(below, above);
        let wait = Duration::from_millis(random.random_range(0..20));
        spawn_local(async move {
            sleep(wait).await;
            asking.await
        });
    }
    for _ in 0..200 {
        sleep(Duration::from_millis(random.random_range(1..40))).await;
        if random.random_ratio(1, 10) {
            chain.cut(random.random_range(0..hubs));
        }
        no_ring(chain);
    }
    (0..hubs).for_each(|hub| chain.mend(hub));
    sleep(Duration::from_secs(30)).await;
    no_ring(chain);
    chain.granted().len()
}

/// Follows the links that are granted up from every hub.
fn no_ring(chain: &Chain) {
    let granted = chain.granted();
    for hub in 0..chain.hubs() {
        let (mut seen, mut at) = (BTreeSet::from([hub]), hub);
        while let Some(above) = granted.get(&at) {
            assert!(seen.insert(*above), "a ring at hub {hub}: {granted:?}");
            at = *above;
        }
    }
}
