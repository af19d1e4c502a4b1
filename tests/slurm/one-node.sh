#!/bin/sh -e
# A private one-node Slurm for tests: everything it writes lies in DIR; the machine's own Slurm is not touched.
#
#     one-node.sh start DIR     then: export SLURM_CONF=DIR/slurm.conf
#     one-node.sh stop DIR
#
# Both may be called twice, by any user; several may run side by side, since the ports follow from DIR. Debian's
# slurm-wlm and munge, no systemd, no cgroups, no accounting database. Partition `urgent` preempts partition `main`:
# SIGUSR2, GraceTime, requeue.
PATH=$PATH:/usr/sbin
action=$1
dir=$2

running() { [ -s "$dir/$1.pid" ] && kill -0 "$(cat "$dir/$1.pid")" 2>/dev/null; }

configure() {
    mkdir -p "$dir/state" "$dir/spool"
    [ -s "$dir/munge.key" ] || head -c 1024 /dev/urandom >"$dir/munge.key"
    chmod 600 "$dir/munge.key"
    port=$((10000 + $(printf %s "$dir" | cksum | cut -d' ' -f1) % 10000 * 2))
    cat >"$dir/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthInfo=socket=$dir/munge.socket
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=batch_sched_delay=0,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
KillWait=5
MinJobAge=30
ReturnToService=2
MpiDefault=none
NodeName=one NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 CPUs=4 RealMemory=4000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=1 GraceTime=30
PartitionName=urgent Nodes=ALL MaxTime=INFINITE PriorityTier=2 PreemptMode=OFF
CONF
}

start() {
    configure
    export SLURM_CONF="$dir/slurm.conf"
    running munged || munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" \
        --pid-file="$dir/munged.pid" --log-file="$dir/munged.log" --seed-file="$dir/munged.seed" 2>"$dir/munged.err"
    running slurmctld || slurmctld
    running slurmd || slurmd -N one
    for _ in $(seq 150); do
        sinfo -h -o %T 2>/dev/null | grep -qE 'idle|mixed|allocated' && return
        sleep 0.2
    done
    echo "Slurm did not start:" >&2
    tail -n 20 "$dir"/*.log >&2
    exit 1
}

stop() {
    for daemon in slurmd slurmctld munged; do
        running $daemon || continue
        kill "$(cat "$dir/$daemon.pid")"
        for _ in $(seq 50); do running $daemon || break; sleep 0.1; done
        running $daemon && kill -9 "$(cat "$dir/$daemon.pid")" || true
    done
}

case $action in
    start) start ;;
    stop) stop ;;
    *) echo "usage: one-node.sh start|stop DIR" >&2; exit 2 ;;
esac
