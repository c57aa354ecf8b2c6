#!/bin/sh
# A fit in N parts and their merge, which waits for all of them.
#
#     IMAGES=folder PARTS=folder MODEL=file sh submit.sh N [options of fit]
#
# Prints the two job numbers. Every task must see the same images, in the same
# order, with the same options: merge refuses parts that were fitted otherwise.
set -eu

: "${IMAGES:?the folder with images of good parts}"
: "${PARTS:?a folder for the parts, which all nodes see}"
: "${MODEL:?the file of the model}"
parts="${1:?how many parts}"
shift
here="$(cd "$(dirname "$0")" && pwd)"
mkdir -p "$PARTS"
export IMAGES PARTS MODEL

fit="$(sbatch --parsable --array="1-$parts" "$here/fit.sbatch" "$@")"
# Without all parts there is nothing to merge: the job goes when one fails.
merge="$(sbatch --parsable --dependency="afterok:$fit" --kill-on-invalid-dep=yes \
  "$here/merge.sbatch" "$parts")"
echo "$fit $merge"
