#!/bin/sh
# A fit in four parts and their merge on a real Slurm, which this starts on this
# machine (Debian's munge, slurmctld and slurmd, as root) and ends again:
#
#     sh scripts/slurm_test.sh [DATASET BACKBONE.onnx [options of fit]]
#
# By default transistor_256 with ResNet-18 from ../shared. One task is killed and
# requeued in the middle; then what fails has to fail in one sentence: a merge
# that was killed, a part that is missing, one that is damaged and one of an
# earlier version. Prints how the merged model compares with a fit of all images,
# and fails unless AUROC is within 0.005, the covering radius within 1.25 times
# and the threshold within 2 %.
set -eu

cd "$(dirname "$0")/.."
ROOT="$(pwd)"
SHARED="${PATCHCORE_SHARED:-$ROOT/../shared}"
DATASET="${1:-$SHARED/data/transistor_256}"
BACKBONE="${2:-$SHARED/data/models/resnet18.onnx}"
[ $# -lt 2 ] || shift 2
[ $# -gt 0 ] || set -- --coreset 0.01
. scripts/environment.sh
WORK="$SCRATCH"
LOGS="${SLURM_TEST_LOGS:-$WORK/logs}"
mkdir -p "$LOGS"

say() { printf '%s\n' "slurm_test: $*"; }
give_up() {
  say "$*"
  tail -n 20 "$LOGS"/*.log >&2 || true
  exit 1
}
for program in munged slurmctld slurmd sbatch; do
  PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null ||
    give_up "Cannot find $program: apt-get install munge slurmctld slurmd slurm-client"
done
PATH="$PATH:/usr/sbin"

# ---- A cluster of one node, in a folder of its own ------------------------
node="$(hostname -s)"
mkdir -p "$WORK/ctld" "$WORK/d" "$WORK/munge"
chmod 700 "$WORK" "$WORK/munge"
chmod a+x "$WORK"
head -c 128 /dev/urandom >"$WORK/munge/key"
chmod 400 "$WORK/munge/key"
cat >"$WORK/slurm.conf" <<CONF
ClusterName=patchcore
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$WORK/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$WORK/ctld
SlurmdSpoolDir=$WORK/d
SlurmctldPidFile=$WORK/slurmctld.pid
SlurmdPidFile=$WORK/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobRequeue=1
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=2
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$WORK/slurm.conf"
PIDS=""
stop_all() {
  scancel --user=root 2>/dev/null || true
  for _ in $(seq 20); do
    squeue -h 2>/dev/null | grep -q . || break
    sleep 0.5
  done
  for pid in $PIDS; do kill "$pid" 2>/dev/null || true; done
  for pid in $PIDS; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$SCRATCH"
}
trap stop_all EXIT

munged --foreground --force --socket="$WORK/munge/socket" \
  --key-file="$WORK/munge/key" --pid-file="$WORK/munge/pid" \
  --seed-file="$WORK/munge/seed" --log-file="$LOGS/munged.log" \
  >>"$LOGS/munged.log" 2>&1 &
PIDS="$!"
sleep 1
slurmctld -D -i >"$LOGS/slurmctld.log" 2>&1 &
PIDS="$! $PIDS"
slurmd -D -N "$node" >"$LOGS/slurmd.log" 2>&1 &
PIDS="$! $PIDS"
for _ in $(seq 60); do
  state="$(sinfo -h -o %T 2>/dev/null || true)"
  [ "$state" = idle ] && break
  sleep 1
done
[ "${state:-}" = idle ] || give_up "Slurm did not start: the node is ${state:-unknown}"
say "Slurm $(sinfo --version | cut -d ' ' -f 2) with $(nproc) processors"

# ---- What the tests ask ----------------------------------------------------
PATCHCORE="deno run --no-prompt -A $ROOT/mod.ts"
export PATCHCORE
finished() { # finished JOB: waits until no task of the job is left
  while squeue -h -j "$1" 2>/dev/null | grep -q .; do sleep 1; done
}
refused() { # refused SENTENCE COMMAND…: has to fail in that one sentence
  sentence="$1"
  shift
  rm -f "$WORK/none.safetensors"
  if "$@" --model "$WORK/none.safetensors" >"$WORK/out" 2>&1; then
    give_up "this should have been refused: $sentence"
  fi
  lines="$(grep -c . "$WORK/out")"
  grep -q "$sentence" "$WORK/out" || give_up "expected \"$sentence\": $(cat "$WORK/out")"
  [ "$lines" -eq 1 ] || give_up "expected one sentence: $(cat "$WORK/out")"
  [ ! -e "$WORK/none.safetensors" ] || give_up "something was written: $sentence"
  say "refused: $(cut -c -150 "$WORK/out")"
}

# ---- Four parts, one of them killed and requeued in the middle --------------
IMAGES="$DATASET/train/good"
PARTS="$WORK/parts"
MODEL="$WORK/merged.safetensors"
export IMAGES PARTS MODEL
cd "$LOGS"
start="$(date +%s)"
jobs="$(sh "$ROOT/deploy/slurm/submit.sh" 4 --backbone "$BACKBONE" --no-autotune "$@")"
fit="${jobs% *}"
merge="${jobs#* }"
say "fit is job $fit, its merge $merge"
step="$PARTS/steps/part-2-of-4-step-1-of-2.safetensors"
until [ -e "$step" ]; do
  squeue -h -j "$fit" | grep -q . || give_up "part 2 made no step"
  sleep 0.5
done
kept="$(stat -c %Y "$step")"
scontrol requeue "${fit}_2"
say "task 2 was killed behind its first step, and requeued"
finished "$fit"
finished "$merge"
[ -e "$MODEL" ] || give_up "there is no merged model"
grep -q 'is in .*already' "$LOGS/patchcore-fit-${fit}_2.log" ||
  give_up "the task that was requeued began at the beginning"
say "it went on behind that step ($(date -d "@$kept" +%T)); parts and merge took $(($(date +%s) - start)) s"

# Again: finished parts are left as they are.
before="$(stat -c '%i %Y' "$PARTS"/part-*.safetensors)"
again="$(sbatch --parsable --array=1-4 "$ROOT/deploy/slurm/fit.sbatch" \
  --backbone "$BACKBONE" --no-autotune "$@")"
finished "$again"
[ "$before" = "$(stat -c '%i %Y' "$PARTS"/part-*.safetensors)" ] ||
  give_up "a finished part was written again"
say "the same array again left all parts as they are"

# ---- What has to fail --------------------------------------------------------
merging() { $PATCHCORE merge "$@"; }
refused "part 3/4 is missing" merging "$PARTS"/part-[124].safetensors
refused "it is of 4 parts, 5 are expected" merging "$PARTS"/part-*.safetensors --expect 5
cp "$PARTS/part-3.safetensors" "$WORK/damaged.safetensors"
printf '\377' | dd of="$WORK/damaged.safetensors" bs=1 seek=200000 conv=notrunc status=none
refused "it is damaged" merging "$PARTS"/part-[124].safetensors "$WORK/damaged.safetensors"
deno run -A "$ROOT/scripts/older_part.ts" "$PARTS/part-3.safetensors" "$WORK/older.safetensors"
refused "it was made by an earlier version" merging "$PARTS"/part-[124].safetensors "$WORK/older.safetensors"
$PATCHCORE merge "$PARTS"/part-*.safetensors --model "$WORK/killed/new.safetensors" \
  >/dev/null 2>&1 &
pid=$!
sleep 2
kill -KILL "$pid" 2>/dev/null || say "(the merge was quicker than its killer)"
wait "$pid" 2>/dev/null || true
if [ -e "$WORK/killed/new.safetensors" ]; then
  say "the merge ended before it was killed"
else
  say "a merge that was killed has left nothing behind"
fi

# ---- Against one fit of all images ------------------------------------------
start="$(date +%s)"
$PATCHCORE fit "$IMAGES" --backbone "$BACKBONE" --no-autotune "$@" \
  --model "$WORK/single.safetensors" --quiet >"$LOGS/single.log"
say "one fit of all images took $(($(date +%s) - start)) s"
exec_compare() {
  deno run --no-prompt -A "$ROOT/bench/merged_against_single.ts" \
    --data "$DATASET" --backbone "$BACKBONE" \
    --single "$WORK/single.safetensors" --merged "$MODEL"
}
exec_compare
