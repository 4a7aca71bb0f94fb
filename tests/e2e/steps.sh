# Steps: each is a test with its time; the first failure ends the run. Sourced by run, which defines in_box and cleanup.
# The output of commands goes to a log that is shown only when a step fails; the list of steps goes to descriptor 3.
passed=0 skipped=0 current='' step_began=0
log=$(mktemp)
exec 3>&1 >"$log" 2>&1

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# step TEXT: the previous step has passed, this one starts.
step() {
    end_step
    current=$1
    step_began=$(now_ms)
    : > "$log"
}

end_step() {
    [ -n "$current" ] || return 0
    passed=$((passed + 1))
    report ok
    current=
}

# skip WHY: the current step cannot run here.
skip() {
    skipped=$((skipped + 1))
    report skip
    note "$1"
    current=
}

report() {
    local took=$(($(now_ms) - step_began))
    printf '%-6s %3d.%02d s  %s\n' "$1" $((took / 1000)) $((took % 1000 / 10)) "$current" >&3
}

# note TEXT: a line for the reader, between the steps.
note() { printf '%16s%s\n' '' "$1" >&3; }

fail() {
    printf '%s\n' "$*"
    calls
    exit 1
}

# The call stack in the test.
calls() {
    local i
    for ((i = 1; i < ${#FUNCNAME[@]} - 1; i++)); do
        echo "  at ${BASH_SOURCE[i + 1]##*/}:${BASH_LINENO[i]}"
    done
}

# same WHAT EXPECTED ACTUAL
same() { [ "$2" = "$3" ] || fail "$1: expected <$2>, got <$3>"; }

# contains WHAT EXPECTED TEXT
contains() { [[ $3 == *"$2"* ]] || fail "$1: expected <$2> in <$3>"; }

# fails COMMAND...: must end with an exit code that is not 0.
fails() {
    if "$@"; then fail "succeeded, but must not: $*"; fi
}

# within SECONDS COMMAND...: repeats the command until it succeeds.
within() {
    local end=$(($(now_ms) + $1 * 1000))
    shift
    until "$@"; do
        [ "$(now_ms)" -lt $end ] || fail "timed out: $*"
        sleep 0.1
    done
}

# The summary, from the trap on exit: printed however the run ended.
finish() {
    local code=$?
    trap - EXIT ERR
    set +eu
    if [ $code = 0 ]; then
        end_step
    else
        report FAILED
        sed 's/^/    /' "$log" | tail -40 >&3
        show_journal | tail -25 | sed 's/^/    | /' >&3
    fi
    cleanup
    rm -f "$log"
    echo "e2e: $passed passed, $((code != 0)) failed, $skipped skipped" >&3
    exit $code
}

skip_all() {
    echo "e2e: not run: $1" >&3
    echo "e2e: 0 passed, 0 failed, 1 skipped" >&3
    rm -f "$log"
    exit 0
}
