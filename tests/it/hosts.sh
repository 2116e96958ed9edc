#!/usr/bin/env bash
# Two hosts with addresses of their own, a hub on each, and the cable between them pulled out for 10 s
# in mid-load. To be run in a network namespace of its own: `unshare -rn bash hosts.sh MULTIPLEX FROG DIR`.
set -euo pipefail
multiplex=$1 frog=$2 dir=$3
if [ "${4-}" = edge ]; then
    # The other host. It is given its end of the cable when it has said who it is.
    echo $$ > "$dir/edge.pid"
    until ip link show v1 > /dev/null 2>&1; do sleep 0.05; done
    ip link set lo up
    ip addr add 10.77.0.2/24 dev v1
    ip link set v1 up
    "$multiplex" hub --ephemeral --listen tcp://127.0.0.1:8788 --link tcp://10.77.0.1:8787 \
        > "$dir/edge.out" 2> "$dir/edge.log" &
    until grep -q listening "$dir/edge.out" && grep -q 'the link flows' "$dir/edge.log"; do
        sleep 0.05
    done
    echo ready > "$dir/edge.ready"
    until [ -e "$dir/go" ]; do sleep 0.05; done
    (for n in $(seq 2 2 120); do echo "hop $n"; sleep 0.25; done; sleep 15) \
        | "$frog" --connect tcp://127.0.0.1:8788 --name kermit --who edge > "$dir/edge.heard" || true
    # The cable goes with its end here, and with it the other.
    until [ -e "$dir/done" ]; do sleep 0.05; done
    kill %1
    exit
fi

trap 'kill $(jobs -p) 2> /dev/null || true' EXIT
ip link set lo up
ip link add v0 type veth peer name v1
ip addr add 10.77.0.1/24 dev v0
ip link set v0 up
"$multiplex" hub --ephemeral --listen tcp://10.77.0.1:8787 --listen tcp://127.0.0.1:8787 \
    > "$dir/top.out" 2> "$dir/top.log" &
until [ "$(grep -c listening "$dir/top.out")" = 2 ]; do sleep 0.05; done
unshare -n bash "$0" "$multiplex" "$frog" "$dir" edge &
edge=$!
until [ -s "$dir/edge.pid" ]; do sleep 0.05; done
ip link set v1 netns "$(cat "$dir/edge.pid")"
until [ -e "$dir/edge.ready" ]; do sleep 0.05; done
touch "$dir/go"
(sleep 1; for n in $(seq 1 2 119); do echo "hop $n"; sleep 0.25; done; sleep 14) \
    | "$frog" --connect tcp://127.0.0.1:8787 --name kermit --who top > "$dir/top.heard" &
top=$!
sleep 4
ip link set v0 down
echo "the cable is out"
sleep 10
ip link set v0 up
echo "the cable is in"
wait "$top"
touch "$dir/done"
wait "$edge"
