# The container image of the installed program, built from scratch and run by runc, without a registry.
# First in the host's process namespace, as with hostPID: true and --pid=host; then in a separate one with the host's /proc mounted.

store=(--root "$stage/images" --runroot "$stage/images-run" --storage-driver vfs)
# contained OPTION... -- COMMAND...: no capabilities, the default seccomp profile.
contained() { buildah "${store[@]}" run --isolation oci --runtime "$(command -v runc)" --network host --cap-drop all "$@" 3>&-; }
image() { buildah "${store[@]}" inspect --type image thread-exporter:e2e | jq -r ".OCIv1.config | $1"; }

step "container: the image is built, and its user is not root"
in_box cat /usr/bin/thread-exporter > "$stage/thread-exporter"
chmod 755 "$stage/thread-exporter"
BINARY=$stage/thread-exporter BUILDAH=${store[*]} packaging/container/build thread-exporter:e2e
same "user" 65532:65532 "$(image .User)"
same "entry point" '["/usr/bin/thread-exporter"] ["run"]' "$(image '"\(.Entrypoint) \(.Cmd)"')"
same "port" '["9199/tcp"]' "$(image '.ExposedPorts | keys | tostring')"
ctr=$(buildah "${store[@]}" from --pull-never thread-exporter:e2e)
note "image: $(du -sm "$(buildah "${store[@]}" mount "$ctr")" | cut -f1) MB"

step "container: FILTER and PORT take effect; it runs without root and without any capability"
port=19$((RANDOM % 900 + 100))
contained --pid host --env "FILTER=$$" --env "PORT=$port" "$ctr" -- /usr/bin/thread-exporter > "$stage/container.log" 2>&1 &
container=$!
image_responds() { curl -sSf -o "$stage/container.metrics" "http://localhost:$port/metrics"; }
within 30 image_responds
grep -q "^perfscale_process_cpu_seconds_total{.*pid=\"$$\"" "$stage/container.metrics" || fail "process $$ is not in its metrics"
grep -q "^thread_exporter_filter_matched_processes{filter=\"$$\"} 1$" "$stage/container.metrics" || fail "the filter did not match one process"
daemon=$(pgrep -u 65532 -f '^/usr/bin/thread-exporter$')
status() { sed -n "s/^$1:\t//p" "/proc/$daemon/status"; }
same "capabilities" 0000000000000000,0000000000000000 "$(status CapEff),$(status CapBnd)"
same "seccomp filters on" 2 "$(status Seccomp)"

step "container: it is ready, and SIGTERM ends it cleanly"
same "response of /-/ready" "thread-exporter is ready." "$(curl -sSf "http://localhost:$port/-/ready")"
kill "$daemon"
wait $container
daemon=

step "container: the configuration is a mount, and an invalid one ends it with 78"
printf '[[filter]]\nname = "mine"\npid = [%s]\n' $$ > "$stage/container.toml"
mounted=(--pid host --volume "$stage/container.toml:/etc/thread-exporter.toml:ro" "$ctr" -- /usr/bin/thread-exporter)
contained "${mounted[@]}" once > "$stage/once"
grep -q '^thread_exporter_filter_matched_processes{filter="mine"} 1$' "$stage/once" || fail "the mounted configuration is not active"
printf '[[filter]]\npidd = [1]\n' > "$stage/container.toml"
code=0; contained "${mounted[@]}" once || code=$?
same "exit code" 78 $code

step "container: in a separate process namespace it reads /host/proc"
contained --volume /proc:/host/proc:ro,rslave "$ctr" -- /usr/bin/thread-exporter once --filter $$ > "$stage/once"
grep -q "^perfscale_process_cpu_seconds_total{.*pid=\"$$\"" "$stage/once" || fail "process $$ is not in its metrics"

step "container: in a separate cgroup namespace, with the host's cgroups mounted, a process at its CPU limit is throttled"
if start_limited; then
    contained --pid host --cgroupns private --volume /sys/fs/cgroup:/host/sys/fs/cgroup:ro --env "FILTER=$limited" --env "PORT=$port" "$ctr" \
        -- /usr/bin/thread-exporter > "$stage/container.log" 2>&1 &
    container=$!
    within 30 image_responds
    daemon=$(pgrep -u 65532 -f '^/usr/bin/thread-exporter$')
    [ "$(readlink "/proc/$daemon/ns/cgroup")" != "$(readlink /proc/self/ns/cgroup)" ] || fail "it is in the host's cgroup namespace"
    throttled() {
        curl -sSf -o "$stage/hot.json" "http://localhost:$port/api/v1/hot"
        jq -e --argjson pid "$limited" '.threads[] | select(.pid == $pid) | .verdict == "throttled"' "$stage/hot.json"
    }
    within 20 throttled
    contains "the reason" "its limit is 0.05 cores, throttled in " "$(jq -r '.threads[0].reason' "$stage/hot.json")"
    kill "$daemon"
    wait $container
    daemon=
    no_limited
else
    skip "it needs a cgroup with a CPU limit, which cannot be made here"
fi
