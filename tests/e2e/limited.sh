# A process in a cgroup with a CPU limit, for the steps in container.sh.
limited='' limited_cgroup=''

# Starts it: $limited is its pid. It may use so little that it reaches its limit on a busy machine, too. Fails where no such cgroup can be made.
start_limited() {
    local name=te-test-e2e-$$
    if [ -e /sys/fs/cgroup/cpu/cpu.cfs_quota_us ]; then
        make_cgroup "/sys/fs/cgroup/cpu/$name" cpu.cfs_quota_us 5000
    elif grep -qsw cpu /sys/fs/cgroup/cgroup.subtree_control; then
        make_cgroup "/sys/fs/cgroup/$name" cpu.max '5000 100000'
    else
        echo "no hierarchy of cgroups with the cpu controller"
        return 1
    fi || return
    sh -c 'echo $$ > "$1/cgroup.procs" && while :; do :; done' limited "$limited_cgroup" 3>&- &
    limited=$!
}

# make_cgroup DIR FILE LIMIT
make_cgroup() {
    mkdir "$1" || return
    limited_cgroup=$1
    echo "$3" > "$1/$2"
}

# Ends it and removes its cgroup; not an error if there is none.
no_limited() {
    [ -z "$limited" ] || { kill -9 "$limited"; wait "$limited" || :; } 2>/dev/null
    [ -z "$limited_cgroup" ] || within 5 rmdir "$limited_cgroup"
    limited='' limited_cgroup=''
}
