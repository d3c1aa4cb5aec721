# NARU_SHOTS_ONLY=/topology,/checklist/1.1 takes only those.
assets; server
NARU_SHOTS=$(realpath -m "${1:-${TMPDIR:-/tmp}/naru-shots}"); export NARU_SHOTS
mkdir -p "$NARU_SHOTS"
journeys --project shots || warn "some pages complained; their pictures are there all the same"
say "$(find "$NARU_SHOTS" -name '*.png' | wc -l) pictures in $NARU_SHOTS"
